"""Hosting, joining, changing and leaving a neighborhood, as a person does, with real hubs on this machine."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
import json
from pathlib import Path
import socket
import time
from typing import Any

from aiohttp import ClientSession, web
from aiohttp.test_utils import TestServer
from freezegun import freeze_time
import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry, async_fire_time_changed
import trustme

from custom_components.ringwatch import flow_hosting, neighborhoods
from custom_components.ringwatch.const import DOMAIN, SUBENTRY_NEIGHBORHOOD
from custom_components.ringwatch.flow_hood import hub_error
from custom_components.ringwatch.hub.server import MAX_HOODS
from custom_components.ringwatch.neighborhood import feed
from custom_components.ringwatch.neighborhood.bodies.people import MAX_RADIUS_M
from custom_components.ringwatch.neighborhood.certificates import Replaced
from custom_components.ringwatch.neighborhood.hub_client import HubError
from custom_components.ringwatch.neighborhood.joining import async_found
from custom_components.ringwatch.neighborhood.keys import PrivateKey, fingerprint
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.helpers import device_registry as dr, entity_registry as er
from script.lib.street import quiet_port
from tests.fixtures.flows import Result, async_answer, suggested
from tests.fixtures.hood import (
    FEED,
    MAPLE,
    MEMBERS,
    async_begin,
    async_call,
    async_change,
    async_host,
    async_until_connected,
    hoods,
    issues_of,
    neighbor,
    network,
)
from tests.fixtures.watching import async_until
from tests.neighborhood.served_street import ServedStreet
from tests.neighborhood.street import HUB, founding


@pytest.fixture
async def street(socket_enabled: None) -> AsyncIterator[ServedStreet]:
    """A neighborhood elsewhere, hosted by a host called Anna."""
    made = ServedStreet()
    await made.server.start_server()
    yield made
    await made.server.close()


def link(street: ServedStreet, **changes: Any) -> str:
    """Return an invite of the street's host."""
    seed = PrivateKey.generate().seed
    return street.invite("Zoe", **{"url": street.url, "seed": seed, "now_s": int(time.time())} | changes).link


async def typed(hass: HomeAssistant, entry: ConfigEntry, invite: str, *, allow_http: bool = False) -> Result:
    """Type an invite link."""
    form = await async_begin(hass, entry, "join")
    return await async_answer(hass, form, {"link": invite, "allow_http": allow_http})


# ---- hosting ----------------------------------------------------------------------------------------


async def test_a_person_hosts_a_neighborhood(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    hood = await async_host(hass, ringwatch)
    assert hood.title == "Maple Street"
    assert hood.data["hosted"]
    assert hood.data["confirm"]
    assert {"seed", "private"} & {key.partition("_")[0] for key in hood.data} <= {"private"}
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    stored = json.loads(await hass.async_add_executor_job(storage.read_text))
    assert stored["keys"].keys() == {hood.data["key"]}
    [seed] = stored["keys"].values()
    assert PrivateKey(bytes.fromhex(seed)).public == hood.data["key"]
    assert (await hass.async_add_executor_job(storage.stat)).st_mode & 0o077 == 0
    assert seed not in str(hood.data)


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"name": " \u200b "}, {"name": "no_name"}),
        ({"handle": "x"}, {"handle": "bad_handle"}),
        ({"location": MAPLE["location"] | {"radius": MAX_RADIUS_M + 1}}, {"location": "bad_radius"}),
        ({"location": MAPLE["location"] | {"latitude": 89.9}}, {"location": "bad_place"}),
    ],
)
async def test_what_is_wrong_with_a_neighborhood_is_said(
    hass: HomeAssistant, ringwatch: ConfigEntry, wrong: dict[str, Any], errors: dict[str, str]
) -> None:
    form = await async_begin(hass, ringwatch, "host")
    assert suggested(form)["location"]["latitude"] == hass.config.latitude
    again = await async_answer(hass, form, MAPLE | wrong)
    assert again["errors"] == errors
    assert again["step_id"] == "host"
    hass.config_entries.subentries.async_abort(again["flow_id"])


async def async_to_network(hass: HomeAssistant, entry: ConfigEntry) -> Result:
    form = await async_begin(hass, entry, "host")
    return await async_answer(hass, form, MAPLE)


@pytest.mark.parametrize(
    ("wrong", "errors"),
    [
        ({"hub_url": "ftp://example.org"}, {"hub_url": "bad_url"}),
        (
            {"tls": "proxy", "hub_url": "http://example.org"},
            {"hub_url": "bad_url", "trusted_proxies": "bad_proxy"},
        ),
        ({"tls": "proxy", "trusted_proxies": ["here"]}, {"trusted_proxies": "bad_proxy"}),
        ({"tls": "certificate", "certificate": "/no/such/file"}, {"certificate": "bad_certificate"}),
    ],
)
async def test_what_is_wrong_with_the_way_to_it_is_said(
    hass: HomeAssistant, ringwatch: ConfigEntry, wrong: dict[str, Any], errors: dict[str, str]
) -> None:
    form = await async_to_network(hass, ringwatch)
    assert form["step_id"] == "network"
    again = await async_answer(hass, form, network(quiet_port()) | wrong)
    assert again["errors"] == errors
    assert ringwatch.runtime_data.neighborhoods.hub.settings is None  # nothing was started
    hass.config_entries.subentries.async_abort(again["flow_id"])


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that somebody listens on."""
    with socket.socket() as other:
        other.bind(("", 0))
        other.listen()
        yield other.getsockname()[1]


async def test_a_port_that_is_taken_is_said_and_another_one_does(
    hass: HomeAssistant, ringwatch: ConfigEntry, taken: int
) -> None:
    form = await async_to_network(hass, ringwatch)
    again = await async_answer(hass, form, network(taken))
    assert again["errors"] == {"base": "hub_port"}
    shown = await async_answer(hass, again, network(quiet_port()))
    assert shown["step_id"] == "reached"
    hub = ringwatch.runtime_data.neighborhoods.hub
    assert hub.ready is not None
    refused = await async_answer(hass, shown, {"agree": False})
    assert refused["errors"] == {"agree": "not_agreed"}
    hass.config_entries.subentries.async_abort(refused["flow_id"])
    await async_until(lambda: hub.settings is None and hub.ready is None, "the hub has ended")
    await hass.async_block_till_done()


async def test_a_certificate_of_ones_own_does(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_pem.write_to_path(tmp_path / "key.pem")
    issued.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    port = quiet_port()
    form = await async_to_network(hass, ringwatch)
    files = {"certificate": str(tmp_path / "cert.pem"), "private_key": str(tmp_path / "key.pem")}
    shown = await async_answer(
        hass, form, network(port, hub_url=f"https://127.0.0.1:{port}", tls="certificate") | files
    )
    assert shown["step_id"] == "unreached"  # nobody has signed this certificate
    done = await async_answer(hass, shown, {"agree": True})
    assert done["type"] == "create_entry"
    await async_until_connected(hass, ringwatch, hoods(ringwatch)[0])


async def test_somebody_else_at_the_public_address_is_noticed(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    async def other(_request: web.Request) -> web.Response:
        return web.json_response({"status": "ok", "protocol": 1, "uptime_s": 12345})

    async def router(_request: web.Request) -> web.Response:
        return web.Response(text="<h1>Your router</h1>")

    for answer in (other, router):
        app = web.Application()
        app.router.add_get("/health", answer)
        server = TestServer(app)
        await server.start_server()
        form = await async_to_network(hass, ringwatch)
        port = quiet_port()
        url = str(server.make_url("")).rstrip("/")
        shown = await async_answer(hass, form, network(port, hub_url=url))
        assert shown["step_id"] == "other"
        assert shown["description_placeholders"]["url"] == url
        hass.config_entries.subentries.async_abort(shown["flow_id"])
        await server.close()
        await hass.async_block_till_done()


async def test_the_second_one_shares_the_hub(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    first = await async_host(hass, ringwatch)
    hub = ringwatch.runtime_data.neighborhoods.hub
    second = await async_host(hass, ringwatch, name="Oak Lane")
    assert hub.starts == 1
    assert second.data["hub_url"] == first.data["hub_url"]
    port = quiet_port()
    form = await async_change(hass, ringwatch, second.subentry_id, "change_network")
    assert suggested(form)["port"] == first.data["port"]
    again = await async_answer(hass, form, network(port, hub_url="no address"))
    assert again["errors"] == {"hub_url": "bad_url"}
    done = await async_answer(hass, again, network(port))
    assert done["reason"] == "reconfigure_successful"
    assert [hood.data["port"] for hood in hoods(ringwatch)] == [port, port]
    await async_until(lambda: hub.ready is not None and hub.ready.port == port, "the hub has moved")
    for hood in hoods(ringwatch):
        await async_until_connected(hass, ringwatch, hood)


async def test_name_moderation_and_rules_are_changed_for_everybody(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    form = await async_change(hass, ringwatch, hood.subentry_id, "amend")
    assert suggested(form) == {"name": "Maple Street", "moderation": "after", "rules": "Be kind."}
    again = await async_answer(hass, form, {"name": " ", "moderation": "before"})
    assert again["errors"] == {"name": "no_name"}
    done = await async_answer(hass, again, {"name": "Maple Lane", "moderation": "before"})
    assert done["reason"] == "reconfigure_successful"
    assert hoods(ringwatch)[0].title == "Maple Lane"
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    await async_until(lambda: running.hood and running.hood.name == "Maple Lane", "amended")
    assert (running.hood.mode.value, running.hood.rules) == ("before", "")
    device = dr.async_get(hass).async_get_device_by_identifier((DOMAIN, hood.subentry_id), ringwatch.entry_id)
    assert device is not None
    assert device.name == "Maple Lane"
    for number in range(9):  # a host may do so ten times a day
        form = await async_change(hass, ringwatch, hood.subentry_id, "amend")
        done = await async_answer(hass, form, {"name": f"Lane {number}", "moderation": "after"})
    form = await async_change(hass, ringwatch, hood.subentry_id, "amend")
    refused = await async_answer(hass, form, {"name": "Once more", "moderation": "after"})
    assert refused["errors"] == {"base": "refused"}
    hass.config_entries.subentries.async_abort(refused["flow_id"])


async def test_a_port_that_is_lost_at_the_last_step_is_said(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    form = await async_to_network(hass, ringwatch)
    shown = await async_answer(hass, form, network(quiet_port()))
    hub = ringwatch.runtime_data.neighborhoods.hub
    await hub.async_stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("", hub.settings.port))
        other.listen()
        refused = await async_answer(hass, shown, {"agree": True})
    assert refused["errors"] == {"base": "hub_port"}
    await async_until(lambda: hub.ready is not None, "the hub is back")
    done = await async_answer(hass, refused, {"agree": True})
    assert done["type"] == "create_entry"


async def test_a_hub_that_carries_all_it_may_refuses_one_more(
    hass: HomeAssistant, ringwatch: ConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow_hosting, "READ_AGAIN_S", 0.2)
    hood = await async_host(hass, ringwatch)
    neighborhoods = ringwatch.runtime_data.neighborhoods
    key = await neighborhoods.keys.async_get(hood.data["key"])
    body = founding(hub_key=hood.data["hub_key"])
    async with ClientSession() as session:
        for _ in range(MAX_HOODS - 1):
            await async_found(session, neighborhoods.hub.url, key, body)
    form = await async_begin(hass, ringwatch, "host")
    shown = await async_answer(hass, form, MAPLE)
    refused = await async_answer(hass, shown, {"agree": True})
    assert refused["errors"] == {"base": "too_many_neighborhoods"}
    assert refused["description_placeholders"]["most"] == str(MAX_HOODS)
    hass.config_entries.subentries.async_abort(refused["flow_id"])
    await hass.async_block_till_done()


async def test_somebody_looks_first_unless_that_is_switched_off(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    form = await async_change(hass, ringwatch, hood.subentry_id, "sharing")
    assert suggested(form) == {"confirm": True}
    await async_answer(hass, form, {"confirm": False})
    assert not hoods(ringwatch)[0].data["confirm"]


async def test_a_file_that_is_no_certificate_is_none(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("no certificate")
    form = await async_to_network(hass, ringwatch)
    files = {"certificate": str(file), "private_key": str(file)}
    again = await async_answer(hass, form, network(quiet_port(), tls="certificate") | files)
    assert again["errors"] == {"certificate": "bad_certificate"}
    hass.config_entries.subentries.async_abort(again["flow_id"])


async def test_the_entry_can_go_while_a_form_is_open(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    form = await async_to_network(hass, ringwatch)
    shown = await async_answer(hass, form, network(quiet_port()))
    await hass.config_entries.async_remove(ringwatch.entry_id)
    await hass.async_block_till_done()
    flows = hass.config_entries.subentries
    if flows.async_progress():
        done = await async_answer(hass, shown, {"agree": True})
        assert done["reason"] == "removed"


def left_of(form: Result) -> dict[str, str]:
    """Return what a form offers to take up, by id."""
    [field] = form["data_schema"].schema.values()
    return {option["value"]: option["label"] for option in field.config["options"]}


async def test_no_more_are_offered_than_a_hub_carries(
    hass: HomeAssistant, ringwatch: ConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighborhoods, "MAX_HOODS", 1)
    await async_host(hass, ringwatch)
    done = await async_begin(hass, ringwatch, "host")
    assert (done["type"], done["reason"]) == ("abort", "too_many_neighborhoods")
    assert done["description_placeholders"] == {"most": str(MAX_HOODS)}


async def async_stop_hosting(
    hass: HomeAssistant, entry: ConfigEntry, hood: ConfigSubentry, *, erase: bool
) -> Path:
    """Stop hosting, as a person does; return where what is kept would be."""
    form = await async_change(hass, entry, hood.subentry_id, "stop_hosting")
    done = await async_answer(hass, form, {"erase": erase})
    assert done["reason"] == "left"
    await hass.async_block_till_done()
    return Path(form["description_placeholders"]["folder"], hood.data["neighborhood"])


async def test_one_that_was_hosted_is_taken_up_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    """Its members find it again by themselves, and go on where they were."""
    hood = await async_host(hass, ringwatch)
    hub = ringwatch.runtime_data.neighborhoods.hub
    invite = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, invite, "Ben") as ben:
        post = await ben.post()
        await ben.until(lambda ledger: ledger.state.item(post), "posted")
        before = ben.home.members
        folder = await async_stop_hosting(hass, ringwatch, hood, erase=False)
        await async_until(lambda: hub.settings is None and hub.ready is None, "the hub has ended")
        assert hass.states.get(FEED) is None
        assert issues_of(hass) == {"hub_left"}
        assert await hass.async_add_executor_job(lambda: (folder / "hub.db").exists())

        menu = await hass.config_entries.subentries.async_init(
            (ringwatch.entry_id, SUBENTRY_NEIGHBORHOOD), context={"source": SOURCE_USER}
        )
        assert menu["menu_options"] == ["join", "host", "take_up"]
        form = await async_answer(hass, menu, {"next_step_id": "take_up"})
        neighborhood = hood.data["neighborhood"]
        assert left_of(form) == {neighborhood: "Maple Street (Anna, 2)"}
        shown = await async_answer(hass, form, {"neighborhood": neighborhood})
        shown = await async_answer(hass, shown, network(hood.data["port"]))
        assert shown["step_id"] == "reached"
        assert shown["description_placeholders"]["name"] == "Maple Street"
        done = await async_answer(hass, shown, {"agree": True})
        assert done["type"] == "create_entry"
        [again] = hoods(ringwatch)
        await async_until_connected(hass, ringwatch, again)
        assert again.data == hood.data
        assert issues_of(hass) == set()
        assert again.title == "Maple Street"
        second = await ben.post(title="And another")
        await ben.until(lambda ledger: ledger.state.item(second) and not ledger.waiting(), "posted again")
        assert ben.home.members == before
        answer = await async_call(hass, "get_feed")
        assert {item["id"] for item in answer["items"]} == {post, second}
        await async_call(hass, "comment", post=post, text="Back again")
        await ben.until(lambda ledger: list(feed.comments(ledger.state, post)), "the host comments")


async def test_taking_up_in_two_windows_or_while_it_is_erased(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    neighborhood = {"neighborhood": hood.data["neighborhood"]}
    await async_stop_hosting(hass, ringwatch, hood, erase=False)

    async def to_agree() -> Result:
        form = await async_begin(hass, ringwatch, "take_up")
        shown = await async_answer(hass, form, neighborhood)
        return await async_answer(hass, shown, network(hood.data["port"]))

    first, second = await to_agree(), await to_agree()
    hub = ringwatch.runtime_data.neighborhoods.hub
    await hub.async_stop()
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("", hood.data["port"]))
        other.listen()
        refused = await async_answer(hass, first, {"agree": True})
    assert refused["errors"] == {"base": "hub_port"}
    done = await async_answer(hass, first, {"agree": True})
    if done["type"] == "form":  # the hub waits a second or two before it tries again
        await async_until(lambda: hub.ready is not None, "the hub is back")
        done = await async_answer(hass, first, {"agree": True})
    assert done["type"] == "create_entry"
    late = await async_answer(hass, second, {"agree": True})
    assert late["reason"] == "already_configured"
    [again] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, again)
    await async_stop_hosting(hass, ringwatch, again, erase=False)
    form = await async_begin(hass, ringwatch, "take_up")
    shown = await to_agree()
    await ringwatch.runtime_data.neighborhoods.async_erase_left(hood.data["neighborhood"])
    gone = await async_answer(hass, form, neighborhood)
    assert gone["reason"] == "nothing_left"
    refused = await async_answer(hass, shown, {"agree": True})
    assert refused["errors"] == {"base": "hub_data"}
    hass.config_entries.subentries.async_abort(refused["flow_id"])
    await hass.async_block_till_done()


async def test_one_hub_carries_on_without_what_is_left(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    """What isn't hosted any more is served to nobody, though the hub runs; nor is it after a restart."""
    maple = await async_host(hass, ringwatch)
    oak = await async_host(hass, ringwatch, name="Oak Lane")
    hub = ringwatch.runtime_data.neighborhoods.hub
    await async_stop_hosting(hass, ringwatch, maple, erase=False)
    await async_until_connected(hass, ringwatch, oak)
    assert (await hub.async_ask_health())["neighborhoods"] == 1
    form = await async_begin(hass, ringwatch, "take_up")
    shown = await async_answer(hass, form, {"neighborhood": maple.data["neighborhood"]})
    assert shown["step_id"] == "reached"  # how it is reached is known
    await async_answer(hass, shown, {"agree": True})
    assert [hood.title for hood in hoods(ringwatch)] == ["Oak Lane", "Maple Street"]
    for hood in hoods(ringwatch):
        await async_until_connected(hass, ringwatch, hood)
    assert (await hub.async_ask_health())["neighborhoods"] == 2


async def test_to_stop_hosting_can_erase_everything(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    hood = await async_host(hass, ringwatch)
    folder = await async_stop_hosting(hass, ringwatch, hood, erase=True)
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    assert issues_of(hass) == set()
    assert not await hass.async_add_executor_job(folder.exists)
    assert not await hass.async_add_executor_job(storage.exists)
    menu = await hass.config_entries.subentries.async_init(
        (ringwatch.entry_id, SUBENTRY_NEIGHBORHOOD), context={"source": SOURCE_USER}
    )
    assert menu["menu_options"] == ["join", "host"]
    hass.config_entries.subentries.async_abort(menu["flow_id"])


@pytest.mark.parametrize("erase", [True, False], ids=["erased", "kept"])
async def test_a_repair_keeps_or_erases_what_is_left(
    hass: HomeAssistant, ringwatch: ConfigEntry, post: Callable[..., Any], erase: bool
) -> None:
    """Who removes a hosted neighborhood in the menu with the three dots is asked afterwards."""
    hood = await async_host(hass, ringwatch)
    hass.config_entries.async_remove_subentry(ringwatch, hood.subentry_id)
    await hass.async_block_till_done()
    menu = await post(handler=DOMAIN, issue_id=f"hub_left_{hood.data['neighborhood']}")
    flow = f"/{menu['flow_id']}"
    assert menu["menu_options"] == ["keep", "erase"]
    assert menu["description_placeholders"]["name"] == "Maple Street"
    if erase:
        form = await post(flow, next_step_id="erase")
        assert (form["type"], form["step_id"]) == ("form", "erase")
        done = await post(flow)
    else:
        done = await post(flow, next_step_id="keep")
    assert done["type"] == "create_entry"
    assert issues_of(hass) == set()
    left = await ringwatch.runtime_data.neighborhoods.left.async_look()
    assert len(left) == (0 if erase else 1)


async def test_what_is_left_expires_all_the_same(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    hood = await async_host(hass, ringwatch)
    await async_call(hass, "post", category="package", title="A parcel", text="It was green.")
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    await async_until(lambda: not running.home.pending, "sent")
    folder = await async_stop_hosting(hass, ringwatch, hood, erase=False)

    def texts() -> bytes:
        return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())

    assert b"It was green." in await hass.async_add_executor_job(texts)
    with freeze_time(datetime.now(UTC) + timedelta(days=31)):
        async_fire_time_changed(hass)
        await hass.async_block_till_done(wait_background_tasks=True)
    assert b"It was green." not in await hass.async_add_executor_job(texts)
    assert len(await ringwatch.runtime_data.neighborhoods.left.async_look()) == 1


async def test_ringwatch_itself_can_go_and_come_back(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    """The key of a host stays as long as what it hosted; a home's own keys go."""
    hood = await async_host(hass, ringwatch)
    other = await ringwatch.runtime_data.neighborhoods.keys.async_create()
    await hass.config_entries.async_remove(ringwatch.entry_id)
    await hass.async_block_till_done()
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    stored = json.loads(await hass.async_add_executor_job(storage.read_text))["keys"]
    assert set(stored) == {hood.data["key"]}
    assert other.public not in stored
    entry = MockConfigEntry(domain=DOMAIN, title="Ringwatch")
    entry.add_to_hass(hass)
    assert await hass.config_entries.async_setup(entry.entry_id)
    assert issues_of(hass) == {"hub_left"}
    form = await async_begin(hass, entry, "take_up")
    assert list(left_of(form)) == [hood.data["neighborhood"]]
    hass.config_entries.subentries.async_abort(form["flow_id"])


# ---- joining ----------------------------------------------------------------------------------------


async def test_a_person_sees_whose_it_is_before_joining(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    shown = await typed(hass, ringwatch, link(street))
    assert (shown["type"], shown["step_id"]) == ("form", "look")
    told = shown["description_placeholders"]
    assert told["fingerprint"] == fingerprint(HUB.public)
    assert told["host"]
    assert told["url"] == street.url
    assert told["members"] == str(street.state.count("members"))
    wrong = await async_answer(hass, shown, {"handle": "!"})
    assert wrong["errors"] == {"handle": "bad_handle"}
    taken = await async_answer(hass, wrong, {"handle": street.state.host.name})
    assert taken["errors"] == {"base": "handle_taken"}
    done = await async_answer(hass, taken, {"handle": "Zoe"})
    assert done["type"] == "create_entry"
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)
    assert not hood.data["hosted"]
    again = await typed(hass, ringwatch, link(street))
    assert (again["type"], again["reason"]) == ("abort", "already_configured")


async def test_joining_whose_answer_got_lost_is_tried_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    """An invite is good for one key: another one would find it used."""
    shown = await typed(hass, ringwatch, link(street))
    street.loses = 1
    lost = await async_answer(hass, shown, {"handle": "Zoe"})
    assert lost["errors"] == {"base": "busy"}
    assert street.state.count("members") == 2
    done = await async_answer(hass, lost, {"handle": "Zoe"})
    assert done["type"] == "create_entry"
    assert street.state.count("members") == 2
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)


@pytest.mark.parametrize(
    ("invite", "errors"),
    [
        (lambda street: "hello", {"link": "bad_link"}),
        (lambda street: link(street)[:-9], {"link": "bad_link"}),
        (lambda street: link(street, now_s=1_600_000_000), {"link": "link_expired"}),
        (lambda street: link(street, url="http://127.0.0.1:9"), {"base": "unreachable"}),
        (lambda street: link(street, url=f"{street.url}/elsewhere"), {"base": "not_a_hub"}),
        (lambda street: link(street, hub_key=PrivateKey.generate().public), {"base": "refused"}),
    ],
    ids=["nothing", "cut off", "old", "away", "no hub", "another key"],
)
async def test_what_is_wrong_with_an_invite_is_said(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet, invite: Any, errors: dict[str, str]
) -> None:
    shown = await typed(hass, ringwatch, invite(street))
    assert shown["step_id"] == "join"
    assert shown["errors"] == errors
    hass.config_entries.subentries.async_abort(shown["flow_id"])


@pytest.mark.parametrize(
    ("error", "key"),
    [
        (HubError("refused", "", violation="invite_used"), "invite_used"),
        (HubError("refused", "", violation="bad_field"), "refused"),
        (HubError("hub_full", "", violation="storage_full"), "busy"),
        (HubError("tls_failed", ""), "tls_failed"),
    ],
)
def test_what_a_hub_does_has_a_sentence(error: HubError, key: str) -> None:
    assert hub_error(error) == key


async def test_an_invite_for_a_lost_key_brings_a_new_one(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    shown = await typed(hass, ringwatch, link(street))
    await async_answer(hass, shown, {"handle": "Zoe"})
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)
    before = hood.data["key"]
    me = street.state.subject_of(before)
    last = street.state.author(before).tip
    shown = await typed(hass, ringwatch, link(street, replaces=Replaced(me.id, last)))
    assert shown["step_id"] == "replace"
    done = await async_answer(hass, shown, {})
    assert done["reason"] == "key_replaced"
    [hood] = hoods(ringwatch)
    assert hood.data["key"] != before
    await async_until_connected(hass, ringwatch, hood)
    assert street.state.subject_of(hood.data["key"]).id == me.id


async def test_a_hub_that_has_moved_is_found_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    shown = await typed(hass, ringwatch, link(street))
    await async_answer(hass, shown, {"handle": "Zoe"})
    [hood] = hoods(ringwatch)
    form = await async_change(hass, ringwatch, hood.subentry_id, "address")
    wrong = await async_answer(hass, form, {"hub_url": "http://example.org", "allow_http": False})
    assert wrong["errors"] == {"hub_url": "bad_url"}
    nobody = "http://127.0.0.1:9"
    done = await async_answer(hass, wrong, {"hub_url": nobody, "allow_http": True})
    assert done["reason"] == "reconfigure_successful"
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    assert running.home.config.url == nobody
    assert not running.home.connected
    form = await async_change(hass, ringwatch, hood.subentry_id, "address")
    assert suggested(form) == {"hub_url": nobody, "allow_http": True}
    await async_answer(hass, form, {"hub_url": street.url, "allow_http": False})
    await async_until_connected(hass, ringwatch, hoods(ringwatch)[0])


async def test_leaving_tells_the_hub_and_deletes_copy_and_key(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    shown = await typed(hass, ringwatch, link(street))
    await async_answer(hass, shown, {"handle": "Zoe"})
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)
    members = street.state.count("members")
    menu = await async_change(hass, ringwatch, hood.subentry_id)
    assert menu["menu_options"] == ["sharing", "redeem", "address", "leave"]
    form = await async_answer(hass, menu, {"next_step_id": "leave"})
    await async_answer(hass, form, {})
    assert street.state.count("members") == members - 1
    assert hass.states.get(MEMBERS) is None
    assert not er.async_entries_for_config_entry(er.async_get(hass), ringwatch.entry_id)
    copies = Path(hass.config.path(DOMAIN, "neighborhoods"))
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    assert not await hass.async_add_executor_job(lambda: list(copies.iterdir()))
    assert not await hass.async_add_executor_job(storage.exists)  # it was the only one
    assert issues_of(hass) == set()


# ---- what comes between -----------------------------------------------------------------------------


@pytest.mark.parametrize("step", ["host", "join"])
async def test_nothing_is_founded_or_joined_while_ringwatch_does_not_run(
    hass: HomeAssistant, ringwatch: ConfigEntry, step: str
) -> None:
    neighborhoods = ringwatch.runtime_data.neighborhoods
    await neighborhoods.async_pause()
    done = await async_begin(hass, ringwatch, step)
    assert done["reason"] == "backup_running"
    await neighborhoods.async_resume()
    await hass.config_entries.async_unload(ringwatch.entry_id)
    done = await async_begin(hass, ringwatch, step)
    assert done["reason"] == "not_loaded"


async def test_a_neighborhood_that_is_removed_meanwhile_ends_its_form(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    shown = await typed(hass, ringwatch, link(street))
    await async_answer(hass, shown, {"handle": "Zoe"})
    [hood] = hoods(ringwatch)
    form = await async_change(hass, ringwatch, hood.subentry_id, "sharing")
    menu = await async_begin(hass, ringwatch, "join")
    hass.config_entries.async_remove_subentry(ringwatch, hood.subentry_id)
    await hass.async_block_till_done()
    done = await async_answer(hass, form, {"confirm": False})
    assert done["reason"] == "removed"
    hass.config_entries.subentries.async_abort(menu["flow_id"])


async def test_a_neighborhood_that_nobody_has_heard_yet_is_not_changed(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    await hass.config_entries.async_unload(ringwatch.entry_id)
    await hass.async_add_executor_job(storage.unlink)
    await hass.config_entries.async_setup(ringwatch.entry_id)
    assert issues_of(hass) == {"key_lost"}
    done = await async_change(hass, ringwatch, hood.subentry_id, "amend")
    assert done["reason"] == "not_synced"
