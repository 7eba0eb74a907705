"""The public register of a neighborhood: what anybody may know of its agencies, and of what they asked.

Made of the order and of one count that is not in it: how many packages came for a request. Below 5 that count
is never told, and while a request goes on only whether there are 5, so that nobody sees one package come. No
neighbor's name or words are in it: of decisions about neighbors' posts it says only that they were made.
"""

from collections.abc import Iterator
from dataclasses import dataclass
import sqlite3
from typing import Any, Final

from ..neighborhood import feed
from ..neighborhood.bodies import Moderation
from ..neighborhood.envelope import Record
from ..neighborhood.fields import point_to_json
from ..neighborhood.keys import fingerprint
from ..neighborhood.places import Place
from ..neighborhood.requests import (
    AgencyItem,
    RequestItem,
    read_agencies,
    read_demands,
    read_partnerships,
    read_requests,
)  # fmt: skip
from ..neighborhood.rows import Standing
from ..neighborhood.rows_requests import Ending
from ..neighborhood.state import State
from ..neighborhood.types import Type
from . import mailbox_table, table
from .mailbox import LATE_S

FORMAT: Final = "ringwatch-register/1"
FEW: Final = 5  # fewer packages than that are not counted aloud
MAX_REQUESTS: Final = 1_000  # the newest
MAX_DECISIONS: Final = 300
DETAILS_DAYS: Final = 90

# Whose decisions are told with their reasons: agencies' words, not neighbors'
_OF_AGENCIES: Final = frozenset({Type.ALERT, Type.FOOTAGE_REQUEST})
_STANDINGS: Final = {Standing.MEMBER: "enrolled", Standing.SUSPENDED: "suspended"}


@dataclass(frozen=True, slots=True)
class View:
    """A neighborhood's state and records, as the projections read them."""

    db: sqlite3.Connection
    state: State
    neighborhood: str

    def record(self, record_id: str, /) -> Record | None:
        """Return a record, with its body if that is there."""
        return next(table.records(self.db, self.neighborhood, [record_id]), None)


def read(db: sqlite3.Connection, neighborhood: str) -> dict[str, Any]:
    """Return all that the register says. Blocking."""
    state = table.state_of(db)
    hood, view = state.hood, View(db, state, neighborhood)
    requests = read_requests(view, None)
    rows = list(state.requests())
    counts = dict(mailbox_table.counts(db))
    founded = table.entry_of(db, neighborhood, neighborhood)
    return {
        "format": FORMAT,
        "neighborhood": {
            "id": neighborhood,
            "name": hood.name,
            "center": point_to_json(hood.center),
            "radius_m": hood.radius_m,
            "hub_key": hood.hub_key,
            "fingerprint": fingerprint(hood.hub_key),
            "founded": founded.time_s if founded else None,
        },
        "position": {"number": state.position.number, "head": state.position.head},
        "agencies": [_agency(agency) for agency in read_agencies(view)],
        "partnerships": [
            {
                "id": one.id,
                "agency": one.agency.root,
                "time": one.time_s,
                "terms": one.terms,
                "code": one.code,
                "seed_cameras": one.seed_cameras,
                "households": one.households,
                "cameras_given": one.cameras_given,
                "replaced": one.replaced,
            }
            for one in read_partnerships(view)
        ],
        "requests": [
            _request(one, counts.get(one.id, 0), state.position.time_s) for one in requests[:MAX_REQUESTS]
        ],
        "requests_in_all": len(requests),
        "requests_waiting": sum(not row.is_public and row.outcome is not Ending.VOID for row in rows),
        "demands": [
            {
                "id": one.id,
                "time": one.time_s,
                "kind": one.kind.value,
                "authority": one.authority,
                "served": one.served_s,
                "given": one.given,
                "told": one.told,
            }
            for one in read_demands(view)
        ],
        "moderation": list(_decisions(view)),
    }


def answers(count: int, *, is_over: bool) -> dict[str, Any]:
    """Return what is told of how many packages came."""
    if count < FEW:
        return {"at_least": 0, "exact": None, "words": f"fewer than {FEW}"}
    if not is_over:
        return {"at_least": FEW, "exact": None, "words": f"{FEW} or more"}
    return {"at_least": count, "exact": count, "words": str(count)}


def _agency(agency: AgencyItem) -> dict[str, Any]:
    return {
        "id": agency.root,
        "name": agency.name,
        "domain": agency.domain,
        "kind": agency.kind.value,
        "standing": _STANDINGS.get(agency.standing, "removed"),
        "key": agency.key,
        "fingerprint": agency.fingerprint,
        "age_recipient": agency.age_recipient,
        "retention_days": agency.retention_days,
        "sharing": agency.sharing.value,
        "face_recognition": agency.face_recognition.value,
        "terms": agency.terms,
        "jurisdiction": _corners(agency.jurisdiction),
        "enrolled": agency.enrolled_s,
        "key_since": agency.key_since_s,
        "hold_until": agency.hold_until_s,
    }


def _request(request: RequestItem, count: int, now_s: int) -> dict[str, Any]:
    is_over = request.closed_s is not None and now_s >= request.closed_s + LATE_S
    details = request.details
    return {
        "id": request.id,
        "number": request.number,
        "time": request.time_s,
        "status": request.status.value,
        "agency": request.agency.root,
        "officer": request.officer,
        "incident": request.incident.value,
        "area": _corners(request.area),
        "from": request.start_s,
        "to": request.end_s,
        "availability": str(request.availability) if request.availability else None,
        "released": request.released_s,
        "expires": request.expires_s,
        "extended": request.extended,
        "reminded": request.reminded_s,
        "closed": request.closed_s,
        "outcome": request.outcome.value if request.outcome else None,
        "answers": answers(count, is_over=is_over),
        "details": {
            "case_number": details.case_number,
            "purpose": details.purpose,
            "contact": details.contact,
            "description": details.description,
        }
        if details
        else None,
    }


def _decisions(view: View) -> Iterator[dict[str, Any]]:
    """Yield moderators' decisions, newest first."""
    cursor: int | None = None
    count = 0
    while count < MAX_DECISIONS:
        found = feed.moderation_log(view.state, cursor=cursor, limit=feed.MAX_PAGE)
        for one in found:
            about, record = view.record(one.item), view.record(one.record)
            body = record.body if record else None
            is_agencys = about is not None and about.type in _OF_AGENCIES
            yield {
                "number": one.number,
                "time": one.time_s,
                "action": one.action,
                "about": about.type.value if about else None,
                "item": one.item if is_agencys else None,
                "by": "host" if one.moderator == view.state.hood.host else "moderator",
                "reason": body.reason if is_agencys and isinstance(body, Moderation) else None,
            }
        count += len(found)
        if len(found) < feed.MAX_PAGE:
            return
        cursor = found[-1].number


def _corners(corners: tuple[Place, ...]) -> list[Any]:
    return [point_to_json(corner) for corner in corners]
