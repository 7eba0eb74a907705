"""What a court asked of the hub, for action and form alike: told to everybody, and to whom it concerns."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from homeassistant.util import dt as dt_util

from .neighborhood.bodies import LegalDemand
from .neighborhood.bodies.agencies import MAX_TERMS, DemandKind
from .neighborhood.bodies.people import MAX_NAME
from .neighborhood.text import clean
from .neighborhood_home import Neighborhood

MAX_CONCERNED: Final = 100  # members in one notice, as the hub takes them
MAX_FORBIDDEN: Final = timedelta(days=5 * 365)  # so long the hub keeps a notice for later


class NotSentError(Exception):
    """The hub doesn't have the record yet."""


def write_demand(
    kind: DemandKind, authority: str, served: datetime, given: str, told: str
) -> LegalDemand | None:
    """Return what is told to everybody, None if some of it is empty."""
    authority = clean(authority, MAX_NAME)
    given, told = (clean(text, MAX_TERMS, lines=True) for text in (given, told))
    if not (authority and given and told):
        return None
    return LegalDemand(kind, authority, int(dt_util.as_utc(served).timestamp()), given, told)


async def async_tell_concerned(
    neighborhood: Neighborhood,
    demand: str,
    members: Sequence[str],
    text: str,
    not_before: datetime | None,
) -> None:
    """Have the hub tell members, from a time on. Raise NotSentError or HubError."""
    if not await neighborhood.async_until_sent():
        raise NotSentError
    from_s = 0 if not_before is None else int(dt_util.as_utc(not_before).timestamp())
    await neighborhood.home.async_notify(demand, members, clean(text, MAX_TERMS, lines=True), from_s)
