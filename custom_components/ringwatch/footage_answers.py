"""Requests and answers as Home Assistant's actions, events and the panel tell them: plain values.

What an officer wrote is given as data, never put into a template or a page by us. `request_event` is for
automations (times as text), the others for the panel (times in Unix seconds).
"""

from collections.abc import Mapping
from typing import Any, Final

from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .footage.answer_states import Answer, State
from .neighborhood.keys import fingerprint
from .neighborhood.places import Place
from .neighborhood.requests import AgencyItem, RequestItem

REVIEW_URL: Final = f"/{DOMAIN}?request={{request}}"
PREVIEW_URL: Final = f"/api/{DOMAIN}/answer/{{answer}}/{{file}}"

EVENT_REQUEST: Final = "request"
EVENT_REMINDER: Final = "reminder"
EVENT_EXTENDED: Final = "extended"
EVENT_CLOSED: Final = "closed"
EVENT_TYPES: Final = (EVENT_REQUEST, EVENT_REMINDER, EVENT_EXTENDED, EVENT_CLOSED)
DETAILS: Final = frozenset(
    {
        "id",
        "agency",
        "domain",
        "officer",
        "incident",
        "start",
        "end",
        "expires",
        "case_number",
        "purpose",
        "contact",
        "description",
        "matching_clips",
        "review",
        "outcome",
        "area",
    }
)


def _time(time_s: int | None) -> str | None:
    return dt_util.utc_from_timestamp(time_s).isoformat() if time_s else None


def place_form(place: Place) -> dict[str, float]:
    """Return a place in degrees."""
    return {"lat": place.lat_e6 / 1e6, "lon": place.lon_e6 / 1e6}


def request_answer(item: RequestItem, matches: int, mine: str | None) -> dict[str, Any]:
    """Return what actions say of a request."""
    return request_event(item, matches) | {
        "status": item.status,
        "extended": item.extended,
        "reminded": _time(item.reminded_s),
        "availability": item.availability,
        "fingerprint": fingerprint(item.agency.key),
        "retention_days": item.agency.retention_days,
        "sharing": str(item.agency.sharing),
        "face_recognition": str(item.agency.face_recognition),
        "terms": item.agency.terms,
        "answer": mine,
    }


def request_event(item: RequestItem, matches: int) -> dict[str, Any]:
    """Return what an event says of a request."""
    details = item.details
    return {
        "id": item.id,
        "agency": item.agency.name,
        "domain": item.agency.domain,
        "officer": item.officer,
        "incident": str(item.incident),
        "start": _time(item.start_s),
        "end": _time(item.end_s),
        "expires": _time(item.expires_s),
        "outcome": item.outcome and str(item.outcome),
        "case_number": details.case_number if details else "",
        "purpose": details.purpose if details else "",
        "contact": details.contact if details else "",
        "description": details.description if details else "",
        "matching_clips": matches,
        "area": [{"latitude": corner.lat_e6 / 1e6, "longitude": corner.lon_e6 / 1e6} for corner in item.area],
        "review": REVIEW_URL.format(request=item.id),
    }


def agency_form(agency: AgencyItem, *, first_time: bool) -> dict[str, Any]:
    """Return an agency as the panel shows it."""
    return {
        "id": agency.id,
        "name": agency.name,
        "domain": agency.domain,
        "fingerprint": fingerprint(agency.key),
        "kind": str(agency.kind),
        "retention_days": agency.retention_days,
        "sharing": str(agency.sharing),
        "face_recognition": str(agency.face_recognition),
        "terms": agency.terms,
        "hold_until": agency.hold_until_s,
        "first_time": first_time,
    }


def request_form(item: RequestItem, matches: int, mine: str | None, *, first_time: bool) -> dict[str, Any]:
    """Return a request as the panel shows it."""
    details = item.details
    return {
        "id": item.id,
        "status": item.status,
        "agency": agency_form(item.agency, first_time=first_time),
        "officer": item.officer,
        "area": [place_form(corner) for corner in item.area],
        "start": item.start_s,
        "end": item.end_s,
        "incident": str(item.incident),
        "case_number": details.case_number if details else None,
        "purpose": details.purpose if details else None,
        "contact": details.contact if details else None,
        "description": details.description if details else None,
        "released": item.released_s,
        "expires": item.expires_s,
        "extended": item.extended,
        "reminded": item.reminded_s,
        "closed": item.closed_s,
        "outcome": item.outcome and str(item.outcome),
        "availability": item.availability,
        "matches": matches,
        "my": mine,
    }


def answer_form(
    answer: Answer,
    neighborhood: str,
    *,
    seen: Mapping[str, frozenset[str]],
    preparing: bool,
    code: str | None,
) -> dict[str, Any]:
    """Return an answer as the panel shows it. `seen` are the files that this login fetched, and watched."""
    recipient = answer.recipient
    return {
        "id": answer.id,
        "neighborhood": neighborhood,
        "request": answer.request,
        "state": "preparing" if preparing else _state(answer),
        "error": code or answer.code,
        "problem": answer.problem,
        "created": answer.created_s,
        "identity": answer.identity.kind,
        "clips": [
            {
                "id": one.clip_id,
                "start_s": one.start_s,
                "end_s": one.end_s,
                "mute": one.mute,
                "blur_faces": one.blur_faces,
                "boxes": [list(box) for box in one.boxes],
                "keep_only": None if one.keep_only is None else list(one.keep_only),
            }
            for one in answer.selections
        ],
        "files": [
            {
                "name": one.clip.file,
                "clip": one.clip_id,
                "url": PREVIEW_URL.format(answer=answer.id, file=one.clip.file),
                "size": one.clip.sha256 and one.clip.size_bytes,
                "sha256": one.clip.sha256,
                "duration_s": (one.clip.end_ms - one.clip.start_ms) / 1000,
                "fetched": one.clip.file in seen["fetched"],
                "watched": one.clip.file in seen["watched"],
            }
            for one in answer.prepared
        ],
        "release": answer.release_s,
        "sent": answer.arrival is not None,
        "arrived": answer.arrival.time_s if answer.arrival else None,
        "uploaded_bytes": answer.uploaded_bytes,
        "size_bytes": answer.size_bytes,
        "receipts": [
            {
                "kind": str(receipt.kind),
                "time": receipt.time_s,
                "retention_until": receipt.retention_until_s,
                "about": receipt.about,
            }
            for receipt in answer.receipts
        ],
        "recipient": None
        if recipient is None
        else {
            "agency": recipient.name,
            "domain": recipient.domain,
            "fingerprint": fingerprint(recipient.key),
            "retention_days": recipient.retention_days,
            "sharing": str(recipient.sharing),
            "face_recognition": str(recipient.face_recognition),
        },
    }


def _state(answer: Answer) -> str:
    # What was drafted and isn't being prepared was interrupted, by a restart or by an error.
    return "failed" if answer.state is State.DRAFTED else str(answer.state)


def seen_by(missing: list[tuple[str, str]], files: list[str]) -> dict[str, frozenset[str]]:
    """Return which files a login has fetched and watched, from what is missing of each."""
    unfetched = {file for file, what in missing if what == "bytes"}
    unwatched = {file for file, _what in missing}
    return {
        "fetched": frozenset(file for file in files if file not in unfetched),
        "watched": frozenset(file for file in files if file not in unwatched),
    }
