"""What the register calls things, for people."""

from datetime import UTC, datetime
from html import escape
from typing import Final

KINDS: Final = {
    "municipal_police": "Municipal police",
    "county_sheriff": "County sheriff",
    "campus_police": "Campus police",
    "tribal_police": "Tribal police",
    "state_police": "State police",
    "fire": "Fire department",
}
STANDINGS: Final = {
    "enrolled": "Enrolled",
    "suspended": "Suspended by the host",
    "removed": "No longer enrolled",
}
SHARING: Final = {
    "none": "Passed on to nobody",
    "courts": "Passed on to courts only",
    "other_local": "Passed on to courts and other local agencies",
    "any": "Passed on to anybody the agency chooses",
}
FACES: Final = {
    "never": "Never run through face recognition",
    "with_warrant": "Run through face recognition with a warrant only",
    "used": "May be run through face recognition",
}
INCIDENTS: Final = {
    "burglary": "Burglary",
    "robbery": "Robbery",
    "theft": "Theft",
    "vehicle_theft": "Vehicle theft",
    "package_theft": "Package theft",
    "hit_and_run": "Hit and run",
    "traffic": "Traffic collision",
    "assault": "Assault",
    "homicide": "Homicide",
    "shooting": "Shooting",
    "arson": "Arson",
    "vandalism": "Vandalism",
    "missing_person": "Missing person",
    "kidnapping": "Kidnapping",
    "animal": "Animal",
}
STATUSES: Final = {
    "open": "Open",
    "held": "Held back",
    "closed": "Closed",
    "expired": "Expired",
    "refused": "Refused by a moderator",
}
OUTCOMES: Final = {
    "solved": "Solved",
    "unsolved": "Not solved",
    "not_needed": "Footage no longer needed",
    "withdrawn": "Withdrawn by the agency",
    "refused": "Refused",
    "expired": "Ran out",
}
AVAILABILITY: Final = {
    "asked": "Asked whether anybody recorded: no answer yet",
    "likely": "Likely: several homes recorded",
    "not_enough": "Not enough to say whether anybody recorded",
}
DEMANDS: Final = {
    "warrant": "Warrant",
    "subpoena": "Subpoena",
    "court_order": "Court order",
    "other": "Other demand",
}
ACTIONS: Final = {"hold": "Held back", "remove": "Removed", "restore": "Let through"}
ABOUT: Final = {
    "post": "a neighbor's post",
    "comment": "a neighbor's comment",
    "alert": "an agency's alert",
    "footage_request": "a footage request",
}


def word(words: dict[str, str], key: str) -> str:
    """Return a word, escaped; the key itself for what this version has no word for."""
    return escape(words.get(key, key.replace("_", " ")))


def when(time_s: int) -> str:
    """Return a time as HTML."""
    at = datetime.fromtimestamp(time_s, UTC)
    return f'<time datetime="{at:%Y-%m-%dT%H:%M:%SZ}">{at:%b} {at.day}, {at:%Y, %H:%M} UTC</time>'


def span(start_s: int, end_s: int) -> str:
    """Return a span of time as HTML: the day once, if it is one."""
    start, end = datetime.fromtimestamp(start_s, UTC), datetime.fromtimestamp(end_s, UTC)
    if start.date() != end.date():
        return f"{when(start_s)} to {when(end_s)}"
    return f"{start:%b} {start.day}, {start:%Y, %H:%M} to {end:%H:%M} UTC"


def plain_when(time_s: int | None) -> str:
    """Return a time for a table."""
    return "" if time_s is None else f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%SZ}"
