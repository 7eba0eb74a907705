"""The actions of a host about agencies: enrol one, suspend it, tell of a court's demand, count households."""

import asyncio
from dataclasses import replace
import json
from pathlib import Path
from typing import Any, Final

import probatio

from homeassistant.core import HomeAssistant, SupportsResponse, callback
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import config_validation as cv
from homeassistant.util.ssl import get_default_context

from .clip_actions import as_utc
from .const import DOMAIN
from .neighborhood.agency_file import parse_profile
from .neighborhood.bodies import LegalDemand, PartnershipCount, Role
from .neighborhood.bodies.agencies import MAX_TERMS, DemandKind
from .neighborhood.bodies.people import MAX_NAME, RoleName
from .neighborhood.enrolment import EnrolmentError, async_check_domain, check_local
from .neighborhood.hub_client import HubError
from .neighborhood.hub_link import HubLink
from .neighborhood.keys import fingerprint
from .neighborhood.ledger import Ledger
from .neighborhood.requests import read_agencies, read_demands, read_partnerships
from .neighborhood.text import clean
from .neighborhood.violations import RecordViolation
from .neighborhood_answers import time_answer
from .neighborhood_calls import NeighborhoodCall, async_registrar, digest_of
from .posting import async_submit, refused

MAX_PROFILE: Final = 64 * 1024
EXPORT_BYTES: Final = 512 * 1024 * 1024
# Why an agency isn't enrolled, each with a sentence of its own; any other is "other".
ENROLMENT: Final = frozenset(
    {
        "federal_agency",
        "immigration_agency",
        "key_differs",
        "no_key",
        "not_a_profile",
        "not_published",
        "redirected",
        "timed_out",
        "tls_failed",
        "unreachable",
    }
)

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
                cv.ensure_list, [_ID], probatio.Length(max=100)
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
    return await call.ask(ask) | {"hub_link": link}


def _hosts(call: NeighborhoodCall) -> None:
    if not call.neighborhood.hosted:
        raise refused(translation_key="not_the_host")


async def _async_enroll(call: NeighborhoodCall) -> dict[str, Any]:
    """Take an agency in: its own signature, its website, and the fingerprint that the host was told."""
    _hosts(call)
    try:
        profile = parse_profile(call.data["profile"].strip().encode())
    except RecordViolation as err:
        raise refused(translation_key="enroll_not_a_profile") from err
    context = await call.hass.async_add_executor_job(get_default_context)
    try:
        check_local(profile)
        await async_check_domain(profile, ssl_context=context)
    except EnrolmentError as err:
        code = err.code if err.code in ENROLMENT else "other"
        raise refused(
            translation_key=f"enroll_{code}", domain=profile.domain, name=profile.name, code=err.code
        ) from err
    shown = fingerprint(profile.key)
    if not _same(call.data["fingerprint"], shown):
        # The first call shows what there is; the second says that somebody has compared it.
        return {"enrolled": False, "name": profile.name, "domain": profile.domain, "fingerprint": shown}
    before = next(
        (
            one.id
            for one in await call.ask(read_agencies)
            if one.key == profile.key or one.domain == profile.domain
        ),
        None,
    )
    done = await call.submit(replace(profile, replaces=before))
    return done | {"enrolled": True, "name": profile.name, "domain": profile.domain, "fingerprint": shown}


def _same(given: str, shown: str) -> bool:
    def digits(text: str) -> str:
        return "".join(sign for sign in text if sign.isdigit())

    if not given:
        return False
    if digits(given) != digits(shown):
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
    served = as_utc(data["served"])
    if served is None:
        raise refused(translation_key="demand_text")
    authority, given, told = (
        clean(data["authority"], MAX_NAME),
        clean(data["given"], MAX_TERMS, lines=True),
        clean(data["told"], MAX_TERMS, lines=True),
    )
    if not (authority and given and told):
        raise refused(translation_key="demand_text")
    body = LegalDemand(DemandKind(data["kind"]), authority, int(served.timestamp()), given, told)
    record = await async_submit(call.neighborhood, body)
    answer: dict[str, Any] = {"id": record.id, "told": 0}
    if data["members"]:
        not_before = as_utc(data.get("not_before"))
        await _async_until_sent(call)
        await _async_hub(
            call.neighborhood.home.async_notify(
                record.id,
                [digest_of(one) for one in data["members"]],
                clean(data["notice"] or told, MAX_TERMS, lines=True),
                0 if not_before is None else int(not_before.timestamp()),
            )
        )
        answer["told"] = len(data["members"])
    return answer


async def _async_until_sent(call: NeighborhoodCall) -> None:
    """Wait until the hub has what was just written; its own hub takes a moment."""
    for _ in range(100):
        if call.neighborhood.home.pending == 0:
            return
        await asyncio.sleep(0.1)
    raise HomeAssistantError(translation_domain=DOMAIN, translation_key="hub_away")


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
