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
}
