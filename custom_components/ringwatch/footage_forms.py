"""What the panel shows at once: neighborhoods with their requests, this home's answers, its settings."""

from typing import Any

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError

from .clip_views import async_may
from .const import DOMAIN, SUBENTRY_CAMERA
from .footage.answer_states import Answer, State
from .footage.confirming import Login
from .footage.parties import Identity
from .footage_answers import answer_form, place_form, request_form, seen_by
from .footage_home import Footage
from .footage_login import async_may_answer
from .neighborhood_home import Neighborhood


async def overview(hass: HomeAssistant, footage: Footage, user: User, login: Login | None) -> dict[str, Any]:
    """Return all that a user may see."""
    running = [one for one in footage.neighborhoods if async_may_answer(hass, user, one.subentry_id)]
    mine = {one.home.config.neighborhood for one in running}
    settings = footage.store.settings
    home = {"lat": hass.config.latitude, "lon": hass.config.longitude}
    return {
        "open": footage.is_open,
        "neighborhoods": [await _neighborhood(footage, one) for one in running],
        "answers": [
            answer_of(footage, answer, login) for answer in footage.living() if answer.neighborhood in mine
        ],
        "settings": {
            "undo_s": settings.undo_s,
            "hold": settings.hold,
            "availability": settings.availability,
            "blur_faces": settings.blur_faces,
            "faces": footage.faces.readiness,
            "identity": settings.identity,
            # Who lives here, and with which cameras, is for those who may answer and see them.
            "name": settings.name if running or user.is_admin else "",
            "address": settings.address if running or user.is_admin else "",
            "home": home,
            "cameras": [
                {
                    "id": subentry.subentry_id,
                    "name": subentry.title,
                    "own_place": (place := settings.places.get(subentry.subentry_id)) is not None,
                    "place": home if place is None else {"lat": place[0] / 1e6, "lon": place[1] / 1e6},
                }
                for subentry in footage.entry.get_subentries_of_type(SUBENTRY_CAMERA)
                if async_may(hass, user, subentry.subentry_id)
            ],
        },
        "may": {"answer": login is not None, "administer": user.is_admin},
    }


async def _neighborhood(footage: Footage, running: Neighborhood) -> dict[str, Any]:
    hood = running.hood
    answered = {
        answer.recipient.agency_id
        for answer in footage.living()
        if answer.recipient is not None and answer.state in {State.SENT, State.RECEIVED}
    }
    moderates = await running.async_moderates()
    return {
        "id": running.subentry_id,
        "name": running.title,
        "connected": running.home.connected,
        "center": None if hood is None else place_form(hood.center),
        "radius_m": 0 if hood is None else hood.radius_m,
        "hosted": running.hosted,
        "moderates": moderates,
        "requests": [
            request_form(
                item,
                footage.requests.matches(item.id),
                await footage.async_mine(running, item.id) if footage.is_open else None,
                first_time=item.agency.id not in answered,
            )
            for item in footage.requests.of(running.subentry_id)
            if moderates or item.status != "pending"
        ],
    }


def answer_of(footage: Footage, answer: Answer, login: Login | None) -> dict[str, Any]:
    """Return an answer as a login sees it."""
    running = footage.running_of(answer)
    files = [one.clip.file for one in answer.prepared]
    missing = (
        [(file, "bytes") for file in files]
        if login is None
        else [(one.file, one.what) for one in footage.confirming.missing(answer, login)]
    )
    return answer_form(
        answer,
        "" if running is None else running.subentry_id,
        seen=seen_by(missing, files),
        preparing=footage.is_preparing(answer.id),
        code=footage.failure(answer.id),
    )


def identity_of(footage: Footage, kind: str) -> Identity:
    """Return what an answer says of who sends it. Raise ServiceValidationError if that isn't known here."""
    settings = footage.store.settings
    try:
        return Identity.of(kind, settings.name, settings.address)
    except ValueError as err:
        raise ServiceValidationError(translation_domain=DOMAIN, translation_key="footage_no_name") from err
