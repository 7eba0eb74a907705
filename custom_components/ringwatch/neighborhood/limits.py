"""How much of everything there may be. Counted in the hub's order, by the hub's signed time."""

from typing import Final

from .types import Type

DAY_S: Final = 86_400
FUTURE_S: Final = 600  # how far a home's clock may be ahead: it corrects itself by the hub's
MAX_AGE_S: Final = 60 * DAY_S  # what happened before that is no news
MAX_ALERT_S: Final = 7 * DAY_S
INVITE_S: Final = 7 * DAY_S
MAX_CERTIFICATE_S: Final = 400 * DAY_S  # an officer's key is certified anew once a year
AREA_SLACK_M: Final = 300  # snapping moves a place, by 150 m at most
FLAGS_TO_HIDE: Final = 3
MAX_MEMBERS: Final = 25_000
MAX_MODERATORS: Final = 50
MAX_AGENCIES: Final = 20
MAX_OFFICERS: Final = 200  # of one agency
MAX_COMMENTS: Final = 1_000  # below one post
MAX_DECISIONS: Final = 20  # on one item; the host may go on
MAX_APPEALS: Final = 3  # on one item

# Footage requests: wide enough for an incident, too narrow to watch a district
MIN_AREA_M2: Final = 65_000  # below that it would point at a house
MAX_AREA_M2: Final = 1_290_000  # half a square mile
MIN_WINDOW_S: Final = 15 * 60
MAX_WINDOW_S: Final = 12 * 3_600
MAX_INCIDENT_AGE_S: Final = 30 * DAY_S
REQUEST_S: Final = 7 * DAY_S  # how long one is open, and how much an extension adds
MAX_PER_CASE: Final = 2
MAX_OPEN: Final = 10  # of one agency, with those that wait for a moderator
DETAILS_WAIT_S: Final = DAY_S  # for the request that they belong to
DETAILS_KEPT_S: Final = 90 * DAY_S  # after a request has ended
KEY_HOLD_S: Final = 72 * 3_600  # no delivery to an agency's new key before somebody could notice

# How many of a type somebody may write in a day (whole days of the hub's time, UTC)
DAILY: Final[dict[Type, int]] = {
    Type.FOUNDING: 10,
    Type.MEMBER: 1_000,  # the host's removals; everybody else has one or two in a lifetime
    Type.ROLE: 100,
    Type.POST: 20,
    Type.COMMENT: 200,
    Type.THANKS: 300,
    Type.FLAG: 30,
    Type.MODERATION: 1_000,
    Type.APPEAL: 10,
    Type.WITHDRAW: 200,
    Type.ALERT: 20,
    Type.AGENCY: 20,
    Type.OFFICER: 200,
    Type.LEGAL_DEMAND: 20,
    Type.REQUEST_DETAILS: 20,
    Type.FOOTAGE_REQUEST: 10,
    Type.EXTENSION: 20,
    Type.REMINDER: 20,
    Type.CLOSE: 40,
    Type.AVAILABILITY: 1_000,  # the hub's: one for each request
    Type.PARTNERSHIP: 5,
    Type.PARTNERSHIP_COUNT: 20,
}
