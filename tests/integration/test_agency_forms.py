"""A host enrolls an agency, suspends it and tells of a court's demand, as a person does: in forms alone."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from functools import partial
import os
from pathlib import Path
import sqlite3
import time
from typing import Any

from aiohttp import web
import pytest

from custom_components.ringwatch import agency_enrolling, flow_joining, neighborhood_home
from custom_components.ringwatch.footage.age_file import generate_identity
from custom_components.ringwatch.neighborhood import enrolment
from custom_components.ringwatch.neighborhood.agency_file import write_profile
from custom_components.ringwatch.neighborhood.bodies import Agency
from custom_components.ringwatch.neighborhood.bodies.agencies import AgencyKind, sign_profile
from custom_components.ringwatch.neighborhood.enrolment import async_check_domain, well_known
from custom_components.ringwatch.neighborhood.hub_link import parse_hub_link
from custom_components.ringwatch.neighborhood.invites import create_invite
from custom_components.ringwatch.neighborhood.joining import async_redeem
from custom_components.ringwatch.neighborhood.keys import PrivateKey, fingerprint
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from homeassistant.util import dt as dt_util
from script.lib.hub_agency import enrol
from script.lib.hub_client import HubProcess, Street, found
from tests.fixtures.desk import profile
from tests.fixtures.flows import Result, async_answer
from tests.fixtures.hood import (
    async_begin,
    async_call,
    async_change,
    async_host,
    async_until_connected,
    hoods,
    neighbor,
)
from tests.fixtures.translations import TRANSLATIONS
from tests.fixtures.watching import async_until
from tests.neighborhood.test_enrolment import DOMAIN, Names, says, trusting, website

FORMS = TRANSLATIONS["config_subentries"]["neighborhood"]
KEY, AGE = PrivateKey.generate(), generate_identity()

type Site = Callable[[Callable[[web.Request], Any]], None]


def signed(**changes: Any) -> Agency:
    """Return the agency's profile."""
    return profile(KEY, AGE, int(time.time()), **({"domain": DOMAIN} | changes))


def pasted(agency: Agency) -> dict[str, Any]:
    """Return what a person pastes into the form."""
    return {"profile": f"\n{write_profile(agency).decode()}\n"}


def read_out(agency: Agency) -> dict[str, Any]:
    """Return what a person types who listens to the agency."""
    return {"fingerprint": fingerprint(agency.key).replace(" ", "-")}


@pytest.fixture
async def hood(hass: HomeAssistant, ringwatch: ConfigEntry) -> ConfigSubentry:
    return await async_host(hass, ringwatch)


@pytest.fixture
async def elm(socket_enabled: None, tmp_path: Path) -> AsyncIterator[Street]:
    """A neighborhood elsewhere, on a hub that is a process, with an agreement whose code is ELM25."""

    def begin() -> Street:
        from ringwatch.neighborhood.bodies import Partnership  # of the core that scripts load

        street = found(HubProcess(tmp_path / "elm"))
        police = enrol(street)
        police.member.catch_up()
        police.member.post(Partnership("A camera for each twenty households.", "ELM25", 25, None))
        return street

    loop = asyncio.get_running_loop()
    street = await loop.run_in_executor(None, begin)
    yield street
    await loop.run_in_executor(None, street.hub.stop)


@pytest.fixture
async def site(monkeypatch: pytest.MonkeyPatch, socket_enabled: None) -> AsyncIterator[Site]:
    """The agency's website, over HTTPS with a certificate that is trusted here; its name leads to it."""
    answers = [says(well_known(signed()))]
    async with website(lambda request: answers[-1](request)) as (port, _):
        here = partial(async_check_domain, resolver=Names("127.0.0.1"), port=port, only_public=False)
        monkeypatch.setattr(agency_enrolling, "async_check_domain", here)
        monkeypatch.setattr(agency_enrolling, "get_default_context", trusting)
        yield answers.append


async def async_enroll(
    hass: HomeAssistant, entry: ConfigEntry, hood: ConfigSubentry, agency: Agency
) -> Result:
    """Enroll an agency, as a person does who does all right."""
    form = await async_change(hass, entry, hood.subentry_id, "enroll_agency")
    shown = await async_answer(hass, form, pasted(agency))
    assert shown["errors"] == {}, shown
    done = await async_answer(hass, shown, read_out(agency))
    assert done["type"] == "abort", done
    return done


async def agencies(hass: HomeAssistant) -> list[dict[str, Any]]:
    return list((await async_call(hass, "get_agencies"))["agencies"])


# ---- enrolling ----------------------------------------------------------------------------------


async def test_an_agency_is_enrolled_once_somebody_has_typed_what_it_read_out(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry, site: Site
) -> None:
    agency = signed(name="St. Ives [Police](https://evil.example)", terms="*Deleted* when it is closed.")
    menu = await async_change(hass, ringwatch, hood.subentry_id)
    assert {"enroll_agency", "agencies", "legal_demand"} <= set(menu["menu_options"])
    form = await async_answer(hass, menu, {"next_step_id": "enroll_agency"})
    shown = await async_answer(hass, form, pasted(agency))
    assert shown["step_id"] == "new_agency"
    said = shown["description_placeholders"]
    assert "](" not in said["name"]  # words, and no link
    assert said["kind"] == "city police"
    assert said["days"] == "90"
    assert said["sharing"] == "to courts and prosecutors only."
    assert said["faces"] == "never on what it is given."
    assert said["terms"] == r"\*Deleted\* when it is closed\."
    groups = fingerprint(agency.key).split()
    assert not [group for group in groups if group in str(said)]  # it has to come from the agency
    short = await async_answer(hass, shown, {"fingerprint": " ".join(groups[:5])})
    assert short["errors"] == {"fingerprint": "no_fingerprint"}
    misheard = [*groups[:4], f"{(int(groups[4]) + 1) % 100_000:05}", groups[5]]
    wrong = await async_answer(hass, short, {"fingerprint": " ".join(misheard)})
    assert wrong["errors"] == {"fingerprint": "wrong_fingerprint"}
    assert wrong["description_placeholders"]["wrong"] == "1"
    stranger = await async_answer(hass, wrong, {"fingerprint": fingerprint(PrivateKey.generate().public)})
    assert stranger["description_placeholders"]["wrong"] == "6"
    assert await agencies(hass) == []
    done = await async_answer(hass, stranger, read_out(agency))
    assert done["reason"] == "agency_enrolled"
    assert done["description_placeholders"]["fingerprint"] == fingerprint(agency.key)
    link = parse_hub_link(done["description_placeholders"]["link"], allow_http=True)
    assert (link.url, link.neighborhood) == (hood.data["hub_url"], hood.data["neighborhood"])
    [enrolled] = await agencies(hass)
    assert (enrolled["domain"], enrolled["standing"]) == (DOMAIN, "enrolled")


@pytest.mark.parametrize(
    ("typed", "error"),
    [
        ("hello", "enroll_not_a_profile"),
        (write_profile(replace(signed(), name="Another Police")).decode(), "enroll_not_a_profile"),
        (write_profile(signed(kind=AgencyKind.FEDERAL)).decode(), "enroll_federal_agency"),
        (write_profile(signed(name="Border Patrol")).decode(), "enroll_immigration_agency"),
    ],
    ids=["no profile", "changed after signing", "federal", "immigration"],
)
async def test_who_cannot_be_enrolled_is_refused_before_anybody_is_asked(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry, site: Site, typed: str, error: str
) -> None:
    asked: list[str] = []
    site(lambda request: asked.append(request.path))
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    again = await async_answer(hass, form, {"profile": typed})
    assert again["step_id"] == "enroll_agency"
    assert again["errors"] == {"profile": error}
    assert asked == []
    assert await agencies(hass) == []
    hass.config_entries.subentries.async_abort(again["flow_id"])


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (says({"key": PrivateKey.generate().public}), "enroll_key_differs"),
        (says({}), "enroll_no_key"),
        (lambda _: web.Response(status=404), "enroll_not_published"),
        (lambda _: web.Response(status=301, headers={"Location": "/"}), "enroll_redirected"),
        (lambda _: web.Response(body=b" " * (enrolment.MAX_BYTES + 1)), "enroll_other"),
    ],
    ids=["another key", "no key", "nothing there", "elsewhere", "too much"],
)
async def test_what_the_website_says_otherwise_is_told_with_its_name(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry, site: Site, answer: Any, error: str
) -> None:
    site(answer)
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    again = await async_answer(hass, form, pasted(signed()))
    assert again["errors"] == {"profile": error}
    assert again["description_placeholders"]["domain"] == DOMAIN
    assert await agencies(hass) == []
    site(says(well_known(signed())))  # the agency has mended it
    shown = await async_answer(hass, again, pasted(signed()))
    assert shown["step_id"] == "new_agency"
    hass.config_entries.subentries.async_abort(shown["flow_id"])


async def test_a_website_that_is_away_or_not_trusted(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    hood: ConfigSubentry,
    monkeypatch: pytest.MonkeyPatch,
    unused_tcp_port: int,
) -> None:
    away = partial(async_check_domain, resolver=Names("127.0.0.1"), port=unused_tcp_port, only_public=False)
    monkeypatch.setattr(agency_enrolling, "async_check_domain", away)
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    again = await async_answer(hass, form, pasted(signed()))
    assert again["errors"] == {"profile": "enroll_unreachable"}
    async with website(says(well_known(signed()))) as (port, seen):
        monkeypatch.setattr(agency_enrolling, "async_check_domain", partial(away, port=port))
        again = await async_answer(hass, again, pasted(signed()))
        assert again["errors"] == {"profile": "enroll_tls_failed"}  # nobody has signed its certificate
        assert seen == []
    hass.config_entries.subentries.async_abort(again["flow_id"])


def test_the_form_says_what_the_action_says() -> None:
    for code in (*agency_enrolling.ENROLMENT, "other"):
        assert FORMS["error"][f"enroll_{code}"] == TRANSLATIONS["exceptions"][f"enroll_{code}"]["message"]


async def test_the_action_looks_at_the_same_things(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry, site: Site
) -> None:
    agency = signed()
    shown = await async_call(hass, "enroll_agency", **pasted(agency))
    assert (shown["enrolled"], shown["fingerprint"]) == (False, fingerprint(agency.key))
    with pytest.raises(ServiceValidationError, match=r"That isn.t the fingerprint"):
        await async_call(hass, "enroll_agency", **pasted(agency), fingerprint="12345")
    with pytest.raises(ServiceValidationError, match="Springfield Police is a federal agency"):
        await async_call(hass, "enroll_agency", **pasted(signed(kind=AgencyKind.FEDERAL)))
    assert await agencies(hass) == []
    done = await async_call(hass, "enroll_agency", **pasted(agency), **read_out(agency))
    assert done["enrolled"]
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    assert await running.async_until_sent()
    assert [one["domain"] for one in await agencies(hass)] == [DOMAIN]


async def test_a_changed_profile_takes_the_place_of_the_one_before(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry, site: Site
) -> None:
    now_s = int(time.time())
    first = signed(issued_s=now_s - 100)
    await async_enroll(hass, ringwatch, hood, first)
    key = PrivateKey.generate()
    newer = sign_profile(key, replace(first, issued_s=now_s - 50, retention_days=30))
    site(says(well_known(newer)))
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    shown = await async_answer(hass, form, pasted(newer))
    assert shown["step_id"] == "changed_agency"
    done = await async_answer(hass, shown, read_out(newer))
    assert done["reason"] == "agency_enrolled"
    [agency] = await agencies(hass)
    assert (agency["retention_days"], agency["fingerprint"]) == (30, fingerprint(key.public))

    older = sign_profile(key, replace(first, issued_s=now_s - 70))
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    shown = await async_answer(hass, form, pasted(older))
    refused = await async_answer(hass, shown, read_out(older))
    assert refused["errors"] == {"base": "profile_old"}
    hass.config_entries.subentries.async_abort(refused["flow_id"])

    early = sign_profile(key, replace(first, issued_s=now_s + 86_400))
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    shown = await async_answer(hass, form, pasted(early))
    refused = await async_answer(hass, shown, read_out(early))
    assert refused["errors"] == {"base": "refused"}
    assert refused["description_placeholders"]["error"] == "the profile was signed later than now"
    hass.config_entries.subentries.async_abort(refused["flow_id"])


# ---- those that are enrolled --------------------------------------------------------------------


async def test_an_agency_is_suspended_and_enrolled_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry, site: Site
) -> None:
    none = await async_change(hass, ringwatch, hood.subentry_id, "agencies")
    assert none["reason"] == "no_agencies"
    done = await async_enroll(hass, ringwatch, hood, signed())
    [agency] = await agencies(hass)

    async def chosen() -> Result:
        form = await async_change(hass, ringwatch, hood.subentry_id, "agencies")
        return await async_answer(hass, form, {"agency": agency["id"]})

    menu, other = await chosen(), await chosen()
    assert menu["menu_options"] == ["suspend_agency"]
    assert menu["description_placeholders"]["fingerprint"] == fingerprint(signed().key)
    assert menu["description_placeholders"]["link"] == done["description_placeholders"]["link"]
    sure = await async_answer(hass, menu, {"next_step_id": "suspend_agency"})
    assert (await agencies(hass))[0]["standing"] == "enrolled"  # not before the host is sure
    done = await async_answer(hass, sure, {})
    assert done["reason"] == "agency_suspended"
    assert (await agencies(hass))[0]["standing"] == "suspended"

    sure = await async_answer(hass, other, {"next_step_id": "suspend_agency"})
    refused = await async_answer(hass, sure, {})  # in another window
    assert refused["errors"] == {"base": "refused"}
    hass.config_entries.subentries.async_abort(refused["flow_id"])

    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    again = await async_answer(hass, form, pasted(signed()))
    assert again["errors"] == {"profile": "agency_suspended"}
    hass.config_entries.subentries.async_abort(again["flow_id"])

    menu = await chosen()
    assert menu["menu_options"] == ["restore_agency"]
    sure = await async_answer(hass, menu, {"next_step_id": "restore_agency"})
    done = await async_answer(hass, sure, {})
    assert done["reason"] == "agency_restored"
    assert (await agencies(hass))[0]["standing"] == "enrolled"


async def test_nobody_is_asked_while_the_neighborhood_does_not_run(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry
) -> None:
    form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
    running = ringwatch.runtime_data.neighborhoods
    stopped = running._running.pop(hood.subentry_id)
    for step in ("enroll_agency", "agencies", "legal_demand"):
        done = await async_change(hass, ringwatch, hood.subentry_id, step)
        assert done["reason"] == "not_synced"
    done = await async_answer(hass, form, DEMAND)
    assert done["reason"] == "not_synced"
    running._running[hood.subentry_id] = stopped


# ---- what courts ask ----------------------------------------------------------------------------

DEMAND = {
    "kind": "subpoena",
    "authority": "Cook County Circuit Court",
    "served": "2026-01-05 09:30:00",
    "given": "When a member posted.",
    "told": "The member.",
}


async def demands(hass: HomeAssistant) -> list[dict[str, Any]]:
    return list((await async_call(hass, "get_agencies"))["legal_demands"])


async def test_a_demand_is_told_to_everybody(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry
) -> None:
    form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
    again = await async_answer(hass, form, DEMAND | {"authority": " "})
    assert again["errors"] == {"base": "demand_text"}
    done = await async_answer(hass, again, DEMAND)
    assert done["reason"] == "demand_recorded"
    [demand] = await demands(hass)
    assert (demand["kind"], demand["authority"]) == ("subpoena", DEMAND["authority"])
    assert (demand["given"], demand["told"]) == (DEMAND["given"], DEMAND["told"])


async def test_members_concerned_are_told_by_the_hub(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    hood: ConfigSubentry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    invite = await async_call(hass, "create_invite")
    async with neighbor(tmp_path, invite["link"], "Zoe") as zoe:
        me = await zoe.home.async_ask(lambda ledger: ledger.state.subject_of(zoe.home.public_key))
        home = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id).home
        await async_until(lambda: home.members == 2, "Zoe is known here")
        form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
        [field] = [field for key, field in form["data_schema"].schema.items() if key == "members"]
        assert {one["label"] for one in field.config["options"]} == {"Anna", "Zoe"}
        monkeypatch.setattr("custom_components.ringwatch.flow_demand.MAX_CONCERNED", 0)
        again = await async_answer(hass, form, DEMAND | {"members": [me.id]})
        assert again["errors"] == {"members": "too_many_members"}
        monkeypatch.undo()
        done = await async_answer(hass, again, DEMAND | {"members": [me.id]})
        assert done["reason"] == "demand_told"
        [demand] = await demands(hass)
        assert await zoe.home.async_notices() == [(demand["id"], DEMAND["told"])]

        later = DEMAND | {"members": [me.id], "not_before": "2099-01-05 09:30:00"}
        form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
        again = await async_answer(hass, form, later)
        assert again["errors"] == {"not_before": "too_late"}
        next_week = dt_util.now() + timedelta(days=7)
        later["not_before"] = next_week.strftime("%Y-%m-%d %H:%M:%S")
        done = await async_answer(hass, again, later)
        assert done["reason"] == "demand_told"
        assert len(await zoe.home.async_notices()) == 1  # it is forbidden until then

        by_action = DEMAND | {"members": [me.id], "notice": "It was about you."}
        assert (await async_call(hass, "record_legal_demand", **by_action))["told"] == 1
        assert "It was about you." in [text for _, text in await zoe.home.async_notices()]


async def test_that_the_hub_has_nothing_yet_is_said(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    hood: ConfigSubentry,
    site: Site,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(neighborhood_home, "SENT_POLLS", 3)
    neighborhoods = ringwatch.runtime_data.neighborhoods
    home = neighborhoods.get(hood.subentry_id).home
    me = await home.async_ask(lambda ledger: ledger.state.subject_of(home.public_key))
    form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
    await neighborhoods.hub.async_stop()
    done = await async_answer(hass, form, DEMAND | {"members": [me.id]})
    assert done["reason"] == "demand_not_told"
    form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
    done = await async_answer(hass, form, DEMAND)
    assert done["reason"] == "not_sent"
    form = await async_change(hass, ringwatch, hood.subentry_id, "enroll_agency")
    shown = await async_answer(hass, form, pasted(signed()))
    done = await async_answer(hass, shown, read_out(signed()))
    assert done["reason"] == "not_sent"
    assert await agencies(hass) == await demands(hass) == []


async def test_a_demand_of_a_day_to_come_is_refused(
    hass: HomeAssistant, ringwatch: ConfigEntry, hood: ConfigSubentry
) -> None:
    form = await async_change(hass, ringwatch, hood.subentry_id, "legal_demand")
    refused = await async_answer(hass, form, DEMAND | {"served": "2099-01-05 09:30:00"})
    assert refused["errors"] == {"base": "refused"}
    assert refused["description_placeholders"]["error"] == "served later than now"
    assert await demands(hass) == []
    hass.config_entries.subentries.async_abort(refused["flow_id"])


# ---- an agency's flyer --------------------------------------------------------------------------


def counted(street: Street) -> list[int]:
    """Return how many households were counted, as it stands in the hub's database."""
    with closing(sqlite3.connect(street.hub.data / street.id / "hub.db")) as db:
        return [count for (count,) in db.execute("SELECT count FROM redeemed")]


async def async_join_elm(hass: HomeAssistant, entry: ConfigEntry, street: Street, code: str) -> Result:
    """Join Elm Street, with the code of a flyer."""
    invite = create_invite(
        street.host.key,
        neighborhood=street.id,
        hub_key=street.hub.key,
        url=f"http://127.0.0.1:{street.hub.ready['port']}",
        now_s=int(time.time()),
        seed=os.urandom(32),
    )
    form = await async_begin(hass, entry, "join")
    look = await async_answer(hass, form, {"link": invite.link, "allow_http": True})
    return await async_answer(hass, look, {"handle": "Zoe", "code": code})


async def test_a_flyers_code_is_counted_on_joining_and_kept_nowhere(
    hass: HomeAssistant, ringwatch: ConfigEntry, elm: Street
) -> None:
    done = await async_join_elm(hass, ringwatch, elm, " elm25 ")
    assert (done["type"], done["description"]) == ("create_entry", "code_counted")
    assert counted(elm) == [1]
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)
    assert "elm25" not in str(ringwatch.as_dict()).lower()

    menu = await async_change(hass, ringwatch, hood.subentry_id)
    form = await async_answer(hass, menu, {"next_step_id": "redeem"})
    again = await async_answer(hass, form, {"code": "ELM25"})
    assert again["errors"] == {"code": "code_already_done"}
    await asyncio.get_running_loop().run_in_executor(None, elm.hub.stop)
    again = await async_answer(hass, again, {"code": "ELM25"})
    assert again["errors"] == {"base": "unreachable"}
    hass.config_entries.subentries.async_abort(again["flow_id"])


async def test_a_code_that_is_not_known_keeps_nobody_from_joining(
    hass: HomeAssistant, ringwatch: ConfigEntry, elm: Street
) -> None:
    done = await async_join_elm(hass, ringwatch, elm, "ELM99")
    assert (done["type"], done["description"]) == ("create_entry", "code_unknown_code")
    assert counted(elm) == []
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)
    form = await async_change(hass, ringwatch, hood.subentry_id, "redeem")
    wrong = await async_answer(hass, form, {"code": "ELM98"})
    assert wrong["errors"] == {"code": "code_unknown_code"}
    done = await async_answer(hass, wrong, {"code": "elm25"})
    assert done["reason"] == "code_counted"
    assert counted(elm) == [1]
    running = ringwatch.runtime_data.neighborhoods
    stopped = running._running.pop(hood.subentry_id)
    done = await async_change(hass, ringwatch, hood.subentry_id, "redeem")
    assert done["reason"] == "not_synced"
    running._running[hood.subentry_id] = stopped


async def test_a_hub_that_cannot_count_is_joined_all_the_same(
    hass: HomeAssistant, ringwatch: ConfigEntry, elm: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def late(*_: Any) -> None:
        elm.hub.stop()
        await async_redeem(*_)

    monkeypatch.setattr(flow_joining, "async_redeem", late)
    done = await async_join_elm(hass, ringwatch, elm, "ELM25")
    assert (done["type"], done["description"]) == ("create_entry", "code_later")
    assert len(hoods(ringwatch)) == 1


def test_every_way_a_code_can_end_has_a_sentence() -> None:
    ends = {f"code_{code}" for code in flow_joining.NOT_COUNTED}
    assert FORMS["create_entry"].keys() == ends | {"code_counted", "code_later"}
    assert {key for key in FORMS["error"] if key.startswith("code_")} == ends
