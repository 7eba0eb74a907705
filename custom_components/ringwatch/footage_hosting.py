"""The actions of a host about agencies: enrol one, suspend it, tell of a court's demand, count households."""

from dataclasses import replace
from datetime import timedelta
import json
from pathlib import Path
from typing import Any, Final

import probatio

from homeassistant.components.http.auth import async_sign_path
from homeassistant.core import HomeAssistant, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv

from .agency_enrolling import NotEnrolledError, async_read_agency, find_enrolled, wrong_groups
from .const import DOMAIN
from .legal_demands import MAX_CONCERNED, NotSentError, async_tell_concerned, write_demand
from .neighborhood.agency_file import MAX_BYTES as MAX_PROFILE
from .neighborhood.bodies import Agency, PartnershipCount, Role
from .neighborhood.bodies.agencies import DemandKind
from .neighborhood.bodies.people import RoleName
from .neighborhood.hub_client import HubError
from .neighborhood.hub_link import HubLink
from .neighborhood.keys import fingerprint
from .neighborhood.ledger import Ledger
from .neighborhood.requests import read_agencies, read_demands, read_partnerships
from .neighborhood_answers import time_answer
from .neighborhood_calls import NeighborhoodCall, async_registrar, digest_of
from .neighborhood_views import INVITE_URL
from .posting import async_submit, refused
from .qr_codes import qr_code

REGISTER: Final = "/register/"
SIGNED_FOR: Final = timedelta(minutes=10)  # a picture that opens in a tab
EXPORT_BYTES: Final = 512 * 1024 * 1024

_ID = probatio.All(cv.string, probatio.Length(min=1, max=64))


@callback
def async_setup_hosting_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    register = async_registrar(hass)
    register("get_agencies", _async_get_agencies, {}, response=SupportsResponse.ONLY)
    register(
        "enroll_agency",
        _async_enroll,
        {
            probatio.Required("profile"): probatio.All(cv.string, probatio.Length(max=MAX_PROFILE)),
            probatio.Optional("fingerprint", default=""): cv.string,
        },
        admin=True,
    )
    register(
        "suspend_agency",
        _async_suspend,
        {probatio.Required("agency"): _ID, probatio.Optional("suspended", default=True): cv.boolean},
        admin=True,
    )
    register(
        "record_legal_demand",
        _async_record_demand,
        {
            probatio.Required("kind"): probatio.Coerce(DemandKind),
            probatio.Required("authority"): cv.string,
            probatio.Required("served"): cv.datetime,
            probatio.Required("given"): cv.string,
            probatio.Required("told"): cv.string,
            probatio.Optional("members", default=list): probatio.All(
                cv.ensure_list, [_ID], probatio.Length(max=MAX_CONCERNED)
            ),
            probatio.Optional("notice", default=""): cv.string,
            probatio.Optional("not_before"): cv.datetime,
        },
        admin=True,
    )
    register(
        "export_hub_data",
        _async_export,
        {
            probatio.Required("filename"): cv.string,
            probatio.Optional("member"): _ID,
            probatio.Optional("request"): _ID,
        },
        admin=True,
    )
    register(
        "update_partnership",
        _async_update_partnership,
        {
            probatio.Required("partnership"): _ID,
            probatio.Optional("cameras_given"): probatio.All(
                probatio.Coerce(int), probatio.Range(0, 100_000)
            ),
        },
        admin=True,
    )
    register(
        "redeem_code",
        _async_redeem,
        {probatio.Required("code"): probatio.All(cv.string, probatio.Length(min=4, max=12))},
    )
    register(
        "allow_availability",
        _async_allow_availability,
        {probatio.Required("allowed"): cv.boolean},
        admin=True,
    )


async def _async_get_agencies(call: NeighborhoodCall) -> dict[str, Any]:
    """Answer with the agencies, their terms, partnerships and what courts asked of the hub."""

    def ask(ledger: Ledger) -> dict[str, Any]:
        return {
            "agencies": [
                {
                    "id": one.id,
                    "name": one.name,
                    "domain": one.domain,
                    "fingerprint": one.fingerprint,
                    "kind": str(one.kind),
                    "retention_days": one.retention_days,
                    "sharing": str(one.sharing),
                    "face_recognition": str(one.face_recognition),
                    "terms": one.terms,
                    "standing": "enrolled" if one.is_active else "suspended",
                    "enrolled": time_answer(one.enrolled_s),
                    "no_deliveries_before": time_answer(one.hold_until_s or 0),
                }
                for one in read_agencies(ledger)
            ],
            "partnerships": [
                {
                    "id": one.id,
                    "agency": one.agency.name,
                    "terms": one.terms,
                    "code": one.code,
                    "cameras": one.seed_cameras + one.households // 20,
                    "cameras_given": one.cameras_given,
                    "households": one.households,
                    "replaced": one.replaced,
                }
                for one in read_partnerships(ledger)
            ],
            "legal_demands": [
                {
                    "id": one.id,
                    "kind": str(one.kind),
                    "authority": one.authority,
                    "served": time_answer(one.served_s),
                    "given": one.given,
                    "told": one.told,
                }
                for one in read_demands(ledger)
            ],
        }

    config = call.neighborhood.home.config
    link = HubLink(call.neighborhood.hub_url, config.neighborhood, config.hub_key).link
    answer = await call.ask(ask) | {"hub_link": link}
    for one in answer["partnerships"]:
        one["flyer"] = None if one["replaced"] else await _async_flyer(call, config.neighborhood)
    return answer


async def _async_flyer(call: NeighborhoodCall, neighborhood: str) -> dict[str, Any]:
    """Return what goes on a flyer beside the code: where its terms can be read, as a link and a QR code."""
    link = f"{call.neighborhood.hub_url}{REGISTER}{neighborhood}"
    png = await call.hass.async_add_executor_job(qr_code, link)
    path = None if png is None else INVITE_URL.format(picture_id=call.neighborhoods.async_keep_picture(png))
    opens = None if path is None else async_sign_path(call.hass, path, SIGNED_FOR)
    return {"link": link, "picture": path, "picture_url": opens}


def _hosts(call: NeighborhoodCall) -> None:
    if not call.neighborhood.hosted:
        raise refused(translation_key="not_the_host")


async def _async_enroll(call: NeighborhoodCall) -> dict[str, Any]:
    """Take an agency in: its own signature, its website, and the fingerprint that the host was told."""
    _hosts(call)
    try:
        profile = await async_read_agency(call.hass, call.data["profile"])
    except NotEnrolledError as err:
        raise refused(translation_key=err.key, **err.placeholders) from err
    shown = fingerprint(profile.key)
    if not _same(call.data["fingerprint"], profile):
        # The first call shows what there is; the second says that somebody has compared it.
        return {"enrolled": False, "name": profile.name, "domain": profile.domain, "fingerprint": shown}
    before = await call.ask(lambda ledger: find_enrolled(profile, ledger))
    done = await call.submit(replace(profile, replaces=before.id if before else None))
    return done | {"enrolled": True, "name": profile.name, "domain": profile.domain, "fingerprint": shown}


def _same(given: str, profile: Agency) -> bool:
    if not given:
        return False
    if wrong_groups(given, profile) != 0:
        raise refused(translation_key="enroll_fingerprint")
    return True


async def _async_suspend(call: NeighborhoodCall) -> dict[str, Any]:
    _hosts(call)
    role = RoleName.NONE if call.data["suspended"] else RoleName.AGENCY
    return await call.submit(Role(digest_of(call.data["agency"]), role))


async def _async_record_demand(call: NeighborhoodCall) -> dict[str, Any]:
    """Tell everybody of a demand, and those concerned in particular, unless that is forbidden until a day."""
    _hosts(call)
    data = call.data
    body = write_demand(
        DemandKind(data["kind"]), data["authority"], data["served"], data["given"], data["told"]
    )
    if body is None:
        raise refused(translation_key="demand_text")
    record = await async_submit(call.neighborhood, body)
    if members := [digest_of(one) for one in data["members"]]:
        text = data["notice"] or body.told
        try:
            await _async_hub(
                async_tell_concerned(call.neighborhood, record.id, members, text, data.get("not_before"))
            )
        except NotSentError as err:
            raise HomeAssistantError(translation_domain=DOMAIN, translation_key="hub_away") from err
    return {"id": record.id, "told": len(members)}


async def _async_export(call: NeighborhoodCall) -> dict[str, Any]:
    """Write what the hub holds of a member or a request into a file, for a court."""
    _hosts(call)
    target = Path(call.data["filename"])
    if not await call.hass.async_add_executor_job(call.hass.config.is_allowed_path, str(target)):
        raise refused(translation_key="path_not_allowed", filename=str(target))
    if target.suffix.casefold() not in {".json", ".jsonl"}:
        raise refused(translation_key="not_json", filename=str(target))
    wanted = {
        name: digest_of(call.data[key])
        for key, name in (("member", "subject"), ("request", "request"))
        if key in call.data
    }
    data: bytes = await _async_hub(call.neighborhood.home.async_demand_export(wanted, EXPORT_BYTES))

    def write() -> None:
        if target.exists():
            raise refused(translation_key="file_exists", filename=str(target))
        if not target.parent.is_dir():
            raise refused(translation_key="no_folder", filename=str(target))
        target.write_bytes(data)

    await call.hass.async_add_executor_job(write)
    end = json.loads(data.rstrip(b"\n").rpartition(b"\n")[2])
    return {"filename": str(target), "lines": end.get("lines"), "sha256": end.get("sha256")}


async def _async_update_partnership(call: NeighborhoodCall) -> dict[str, Any]:
    """Make public how many households redeemed a code, in steps of 20, and how many cameras were given."""
    _hosts(call)
    wanted = digest_of(call.data["partnership"])
    found = await call.ask(
        lambda ledger: next((one for one in read_partnerships(ledger) if one.id == wanted), None)
    )
    if found is None:
        raise refused(translation_key="rule_unknown_target")
    said: dict[str, Any] = await _async_hub(call.neighborhood.home.async_partnerships())
    counted = next((one for one in said["partnerships"] if one["partnership"] == wanted), None)
    households = max(found.households, int(counted["households"]) if counted else 0)
    given = call.data.get("cameras_given", found.cameras_given)
    body = PartnershipCount(wanted, households, given)
    return await call.submit(body) | {
        "households": households,
        "cameras": found.seed_cameras + households // 20,
    }


async def _async_redeem(call: NeighborhoodCall) -> dict[str, Any]:
    """Redeem an agency's code: counted, never noted with this home."""
    code = call.data["code"].strip().upper()
    try:
        await call.neighborhood.home.async_redeem(code)
    except HubError as err:
        if err.violation in {"already_done", "too_late", "unknown_code"}:
            raise refused(translation_key=f"redeem_{err.violation}") from err
        raise _hub_failed(err) from err
    return {"code": code}


async def _async_allow_availability(call: NeighborhoodCall) -> dict[str, Any]:
    """Have homes that take part asked whether anybody recorded, from the next release on, or not."""
    _hosts(call)
    await _async_hub(call.neighborhood.home.async_set_availability(call.data["allowed"]))
    return {"allowed": call.data["allowed"]}


async def _async_hub(asked: Any) -> Any:
    try:
        return await asked
    except HubError as err:
        raise _hub_failed(err) from err


def _hub_failed(err: HubError) -> HomeAssistantError:
    return HomeAssistantError(
        translation_domain=DOMAIN,
        translation_key="hub_refused",
        translation_placeholders={"code": err.violation or err.code},
    )
