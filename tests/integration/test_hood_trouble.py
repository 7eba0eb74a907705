"""What can go wrong with a neighborhood: hubs that end or lie, clocks, backups, lost keys. Cameras go on."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
import json
import os
from pathlib import Path
import signal
import sqlite3
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import async_fire_time_changed, get_system_health_info
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch import backup, hub_process
from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.hub_process import HubFailedError, HubProcess
from custom_components.ringwatch.neighborhood import home as home_module
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.repairs import async_create_fix_flow
from homeassistant.config_entries import ConfigEntry, ConfigSubentry
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.setup import async_setup_component
from homeassistant.util import dt as dt_util
from tests.fixtures.flows import async_answer
from tests.fixtures.hood import (
    CONNECTED,
    FEED,
    UNREAD,
    async_begin,
    async_call,
    async_change,
    async_host,
    async_until_connected,
    hoods,
    is_on,
    issues_of,
    neighbor,
)
from tests.fixtures.watching import async_until
from tests.neighborhood.served_street import ServedStreet


@pytest.fixture
async def street(socket_enabled: None) -> AsyncIterator[ServedStreet]:
    """A neighborhood elsewhere, whose hub lies if it is told to."""
    made = ServedStreet()
    await made.server.start_server()
    yield made
    await made.server.close()


@pytest.fixture
async def joined(hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet) -> ConfigSubentry:
    """Be a member of it."""
    form = await async_begin(hass, ringwatch, "join")
    invite = street.invite("Zoe", url=street.url, now_s=street.now_s)
    shown = await async_answer(hass, form, {"link": invite.link, "allow_http": False})
    await async_answer(hass, shown, {"handle": "Zoe"})
    [hood] = hoods(ringwatch)
    await async_until_connected(hass, ringwatch, hood)
    return hood


def hub_of(entry: ConfigEntry) -> HubProcess:
    found: HubProcess = entry.runtime_data.neighborhoods.hub
    return found


# ---- the hub here -----------------------------------------------------------------------------------


async def test_a_hub_that_is_killed_is_back_soon_and_nothing_is_lost(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    await async_host(hass, ringwatch)
    link = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, link, "Ben") as ben:
        hub = hub_of(ringwatch)
        os.kill(hub._process.pid, signal.SIGKILL)
        await async_until(lambda: hub.ready is None, "it is gone")
        assert issues_of(hass) == set()  # once is no reason to bother anybody
        said = await async_call(hass, "post", category="animal", title="A fox")
        await async_until(lambda: hub.ready is not None, "it is back")
        await ben.until(lambda ledger: ledger.state.item(said["id"]), "what was written meanwhile has come")
        assert hub.starts == 2


async def test_a_hub_that_ends_again_and_again_is_told_of(
    hass: HomeAssistant, ringwatch: ConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_process, "FIRST_WAIT_S", 0.01)
    await async_host(hass, ringwatch)
    hub = hub_of(ringwatch)
    for starts in (2, 3, 4):
        await async_until(lambda: hub.ready is not None, "it runs")
        os.kill(hub._process.pid, signal.SIGKILL)
        await async_until(lambda starts=starts: hub.starts == starts and hub.ready, "it was started again")  # type: ignore[misc]
    assert hub.code is None
    os.kill(hub._process.pid, signal.SIGKILL)
    await async_until(lambda: "hub_process_crashing" in issues_of(hass), "it is told of")
    await async_until(lambda: not issues_of(hass) and hub.ready is not None, "it runs")


async def test_a_hub_that_does_not_answer_is_started_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_process, "HEALTH_EVERY_S", 0.05)
    monkeypatch.setattr(hub_process, "HEALTH_S", 0.3)
    await async_host(hass, ringwatch)
    hub = hub_of(ringwatch)
    await async_until(lambda: hub.health.get("protocol") == 1, "it says how it is")
    os.kill(hub._process.pid, signal.SIGSTOP)
    await async_until(lambda: hub.starts == 2 and hub.ready is not None, "it was started again")


@pytest.mark.parametrize(
    ("spoil", "code"), [("database", "hub_process_database"), ("folder", "hub_process_data")]
)
async def test_what_keeps_the_hub_from_running_is_said(
    hass: HomeAssistant, ringwatch: ConfigEntry, spoil: str, code: str
) -> None:
    hood = await async_host(hass, ringwatch)
    await hass.config_entries.async_unload(ringwatch.entry_id)
    folder = Path(hass.config.path(DOMAIN, "hub"))

    def spoil_it() -> None:
        if spoil == "database":
            for path in (folder / hood.data["neighborhood"]).glob("hub.db*"):
                path.unlink()
            (folder / hood.data["neighborhood"] / "hub.db").write_bytes(b"no database" * 1000)
        else:
            folder.rename(folder.with_name("elsewhere"))
            folder.write_text("no folder")

    await hass.async_add_executor_job(spoil_it)
    await hass.config_entries.async_setup(ringwatch.entry_id)
    await async_until(lambda: code in issues_of(hass), code)
    with pytest.raises(HubFailedError):
        await hub_of(ringwatch).async_ready()


def _rewind(folder: Path, seconds: int) -> None:
    """Have a hub's last signature be so long ago."""
    db = sqlite3.connect(folder / "hub.db")
    with db:
        where = "WHERE tbl = 'meta' AND key = 'position'"
        [value] = db.execute(f"SELECT value FROM state {where}").fetchone()  # noqa: S608
        number, head, time_s = json.loads(value)
        value = json.dumps([number, head, time_s - seconds])
        db.execute(f"UPDATE state SET value = ? {where}", (value,))  # noqa: S608
    db.close()


async def test_a_clock_that_the_hub_does_not_believe_is_confirmed_by_a_person(
    hass: HomeAssistant, ringwatch: ConfigEntry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hub_process, "HEALTH_EVERY_S", 0.05)
    # To this home its hub has gone back in time by what the test does to it; it asks again
    monkeypatch.setattr(home_module, "LIE_S", 0.1)
    hood = await async_host(hass, ringwatch)
    await hass.config_entries.async_unload(ringwatch.entry_id)
    folder = Path(hass.config.path(DOMAIN, "hub", hood.data["neighborhood"]))
    await hass.async_add_executor_job(_rewind, folder, 20 * 86_400)
    await hass.config_entries.async_setup(ringwatch.entry_id)
    await async_until(lambda: "hub_clock" in issues_of(hass), "it is told of")
    said = await async_call(hass, "post", category="animal", title="A fox")
    home = next(iter(ringwatch.runtime_data.neighborhoods)).home
    assert home.pending == 1
    issue = ir.async_get(hass).async_get_issue(DOMAIN, "hub_clock")
    assert issue is not None
    assert issue.is_fixable
    flow = await async_create_fix_flow(hass, "hub_clock", None)
    flow.hass, flow.handler, flow.issue_id = hass, DOMAIN, "hub_clock"
    form = await flow.async_step_init()
    shown = form["description_placeholders"]
    assert shown is not None
    now = dt_util.now()
    assert shown["now"][:10] == now.strftime("%Y-%m-%d")
    assert shown["signed"][:10] == (now - timedelta(days=20)).strftime("%Y-%m-%d")
    done = await flow.async_step_confirm({})
    assert done["type"] == "create_entry"
    await async_until(lambda: "hub_clock" not in issues_of(hass), "it is over")
    await async_until(lambda: home.pending == 0, "what waited was sent")
    assert (await home.async_item(said["id"])) is not None


async def test_the_hub_ends_with_the_entry_and_comes_with_it(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    pid = hub_of(ringwatch)._process.pid
    await hass.config_entries.async_unload(ringwatch.entry_id)
    assert not await hass.async_add_executor_job(Path(f"/proc/{pid}").exists)
    await hass.config_entries.async_setup(ringwatch.entry_id)
    await async_until_connected(hass, ringwatch, hood)
    await async_until(lambda: is_on(hass, CONNECTED), "connected")


def test_what_the_hub_logs_can_break_nothing() -> None:
    read = hub_process._read_line
    assert read(b'{"level": "info", "event": "serving", "port": 1, "time": "now"}') == (20, "serving port=1")
    assert read(b'{"level": "unheard of", "event": "x"}') == (40, "x")
    assert read("Traceback\x1b[31m …\n".encode()) == (30, "Traceback\\x1b[31m \\u2026")
    assert read(b"[1]")[0] == 30
    assert len(read(b'{"level": "info", "event": "%s"}' % (b"x" * 5000))[1]) == 1000


async def test_the_public_address_is_tried_with_the_hubs_key(
    hass: HomeAssistant, ringwatch: ConfigEntry, street: ServedStreet
) -> None:
    hood = await async_host(hass, ringwatch)
    neighborhoods = ringwatch.runtime_data.neighborhoods
    running = neighborhoods.get(hood.subentry_id)
    assert await neighborhoods.async_look_from_outside(running) is None
    for url, code in (
        ("http://127.0.0.1:9", "unreachable"),
        (street.url, "other"),
        ("http://example.org", "other"),
    ):
        data = dict(hood.data) | {"hub_url": url, "allow_http": False}
        hass.config_entries.async_update_subentry(ringwatch, hood, data=data)
        await hass.async_block_till_done()
        assert await neighborhoods.async_look_from_outside(running) == code
        assert issues_of(hass) == {f"hub_outside_{code}"}
    hass.config_entries.async_update_subentry(
        ringwatch, hood, data=dict(hood.data) | {"hub_url": neighborhoods.hub.url}
    )
    await hass.async_block_till_done()
    await neighborhoods.async_look_from_outside(running)
    assert issues_of(hass) == set()


# ---- a hub elsewhere --------------------------------------------------------------------------------


def forget_the_last(placed: list[Placed]) -> list[Placed]:
    return placed[:-2]


def swap(placed: list[Placed]) -> list[Placed]:
    *rest, before, last = placed
    return [*rest, replace(last, entry=before.entry), replace(before, entry=last.entry)]


async def test_a_lie_is_told_with_what_to_do(
    hass: HomeAssistant, ringwatch: ConfigEntry, joined: ConfigSubentry, street: ServedStreet
) -> None:
    street.lie = swap
    street.post(street.host, "One")
    street.post(street.host, "Two")
    running = ringwatch.runtime_data.neighborhoods.get(joined.subentry_id)
    await hass.config_entries.async_reload(ringwatch.entry_id)
    running = ringwatch.runtime_data.neighborhoods.get(joined.subentry_id)
    await async_until(lambda: running.home.trouble, "the lie is noticed")
    assert running.home.trouble.startswith("hub_")
    [key] = issues_of(hass)
    assert key == running.home.trouble
    assert hass.states.get(UNREAD).state == "0"
    assert not is_on(hass, CONNECTED)


async def test_a_wrong_clock_is_told_and_gone_by(
    hass: HomeAssistant, ringwatch: ConfigEntry, joined: ConfigSubentry, street: ServedStreet
) -> None:
    street.ahead_s = 3600
    await hass.config_entries.async_reload(ringwatch.entry_id)
    await async_until(lambda: issues_of(hass) == {"clock_off"}, "it is told")
    said = await async_call(hass, "post", category="animal", title="A fox", with_place=False)
    await async_until(lambda: street.state.item(said["id"]), "it is posted all the same")


async def test_a_removed_member_is_told(
    hass: HomeAssistant, ringwatch: ConfigEntry, joined: ConfigSubentry, street: ServedStreet
) -> None:
    street.refuses = "removed"
    await hass.config_entries.async_reload(ringwatch.entry_id)
    await async_until(lambda: issues_of(hass) == {"removed"}, "it is told")
    running = ringwatch.runtime_data.neighborhoods.get(joined.subentry_id)
    running.trouble("hub_something_new", "what nobody has a text for")
    assert issues_of(hass) == {"hub_other"}
    running.trouble(None, "")
    assert issues_of(hass) == set()


async def test_what_the_hub_refuses_is_told_until_it_was_read(
    hass: HomeAssistant, ringwatch: ConfigEntry, joined: ConfigSubentry, street: ServedStreet, post: Any
) -> None:
    street.broken = True
    await async_until(lambda: not is_on(hass, CONNECTED), "away")
    said = await async_call(hass, "post", category="animal", title="A fox", with_place=False)
    running = ringwatch.runtime_data.neighborhoods.get(joined.subentry_id)
    await running.home.async_ask(
        lambda ledger: ledger.refuse(said["id"], "limit_reached", "20 posts in a day")
    )
    running.refused(said["id"], "limit_reached")
    await async_until(lambda: issues_of(hass) == {"refused_limit_reached"}, "it is told")
    issue_id = f"refused_{said['id']}"
    issue = ir.async_get(hass).async_get_issue(DOMAIN, issue_id)
    assert issue.translation_placeholders["title"] == "A fox"
    form = await post(handler=DOMAIN, issue_id=issue_id)
    done = await post(flow=f"/{form['flow_id']}")
    assert done["type"] == "create_entry"
    assert await running.home.async_ask(lambda ledger: ledger.refused()) == ()


# ---- what is on disk --------------------------------------------------------------------------------


async def test_for_a_backup_all_databases_are_whole_and_still(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    await async_call(hass, "post", category="animal", title="A fox")
    await backup.async_pre_backup(hass)
    assert hub_of(ringwatch).ready is None
    root = Path(hass.config.path(DOMAIN))

    def check() -> list[str]:
        logs = [
            str(path)
            for path in root.rglob("*.db-wal")
            if "catalogue" not in path.name and path.stat().st_size
        ]
        for path in (*root.rglob("hub.db"), *root.rglob("ledger.db")):
            with sqlite3.connect(path) as db:
                assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return logs

    assert await hass.async_add_executor_job(check) == []
    with pytest.raises(HomeAssistantError) as refused:
        await async_call(hass, "get_feed")
    assert refused.value.translation_key == "neighborhood_backup"
    assert hass.states.get(UNREAD).state == "unavailable"
    await backup.async_pre_backup(hass)  # twice is once
    await backup.async_post_backup(hass)
    await async_until_connected(hass, ringwatch, hood)
    await async_until(lambda: hass.states.get(UNREAD).state == "0", "back")
    async with asyncio.timeout(10):
        while len((await async_call(hass, "get_feed"))["items"]) != 1:  # noqa: ASYNC110 - nothing tells
            await asyncio.sleep(0.05)  # it may have waited in the outbox
    await backup.async_post_backup(hass)  # nothing to go on with


async def test_after_a_backup_that_never_ends_it_goes_on(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    hood = await async_host(hass, ringwatch)
    await backup.async_pre_backup(hass)
    async_fire_time_changed(hass, dt_util.utcnow() + timedelta(minutes=31))
    await async_until_connected(hass, ringwatch, hood)


async def test_a_damaged_file_of_keys_is_not_written_over(
    hass: HomeAssistant, ringwatch: ConfigEntry
) -> None:
    hood = await async_host(hass, ringwatch)
    file = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    whole = await hass.async_add_executor_job(file.read_text)
    for damaged in ("{", '{"keys": []}', '{"keys": {"a": "xyz"}}', '{"keys": {"a": "00"}}'):
        await hass.config_entries.async_unload(ringwatch.entry_id)
        await hass.async_add_executor_job(file.write_text, damaged)
        await hass.config_entries.async_setup(ringwatch.entry_id)
        assert issues_of(hass) == {"key_lost"}
        with pytest.raises(HomeAssistantError, match="written to disk"):
            await ringwatch.runtime_data.neighborhoods.keys.async_create()
        assert await hass.async_add_executor_job(file.read_text) == damaged
        assert hass.states.get(FEED).state == "unavailable"
    await hass.config_entries.async_unload(ringwatch.entry_id)
    await hass.async_add_executor_job(file.write_text, whole)
    await hass.config_entries.async_setup(ringwatch.entry_id)
    await async_until_connected(hass, ringwatch, hood)
    assert issues_of(hass) == set()


@pytest.mark.parametrize(("spoil", "code"), [("newer", "newer_copy"), ("folder", "disk")])
async def test_a_copy_that_cannot_be_opened_is_told(
    hass: HomeAssistant, ringwatch: ConfigEntry, joined: ConfigSubentry, spoil: str, code: str
) -> None:
    await hass.config_entries.async_unload(ringwatch.entry_id)
    folder = Path(hass.config.path(DOMAIN, "neighborhoods", joined.subentry_id))

    def spoil_it() -> None:
        if spoil == "newer":
            with sqlite3.connect(folder / "ledger.db") as db:
                db.execute("PRAGMA user_version = 999")
        else:
            folder.rename(folder.with_name("elsewhere"))
            folder.write_text("no folder")

    await hass.async_add_executor_job(spoil_it)
    await hass.config_entries.async_setup(ringwatch.entry_id)
    assert issues_of(hass) == {code}


# ---- and all the rest goes on -----------------------------------------------------------------------


async def test_diagnostics_and_health_say_no_names_keys_or_texts(
    hass: HomeAssistant, ringwatch: ConfigEntry, hass_client: ClientSessionGenerator
) -> None:
    hood = await async_host(hass, ringwatch)
    link = (await async_call(hass, "create_invite"))["link"]
    said = await async_call(hass, "post", category="animal", title="A fox", text="In the gardens.")
    assert await async_setup_component(hass, "diagnostics", {})
    assert await async_setup_component(hass, "system_health", {})
    await hass.async_block_till_done()
    client = await hass_client()
    answer = await client.get(f"/api/diagnostics/config_entry/{ringwatch.entry_id}")
    text = await answer.text()
    data = json.loads(text)["data"]
    assert data["hub"]["serves"]
    [told] = data["neighborhoods"]
    assert (told["hosted"], told["connected"], told["members"]) == (True, True, 1)
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    keys = json.loads(await hass.async_add_executor_job(storage.read_text))["keys"]
    secrets = ["A fox", "gardens", "Anna", link.partition("#")[2], said["id"], *keys, *keys.values()]
    told_text = json.dumps(data["neighborhoods"]) + json.dumps(data["hub"])
    assert [secret for secret in (*secrets, hood.data["hub_url"]) if secret in told_text] == []
    info = await get_system_health_info(hass, DOMAIN)
    assert (info["neighborhoods"], info["hubs_connected"], info["hub"]) == (1, 1, "ok")


async def test_logs_have_no_keys_invites_or_texts(
    hass: HomeAssistant, ringwatch: ConfigEntry, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level("DEBUG", "custom_components.ringwatch")
    await async_host(hass, ringwatch)
    link = (await async_call(hass, "create_invite"))["link"]
    async with neighbor(tmp_path, link, "Ben") as ben:
        await ben.post()
        await async_until(lambda: hass.states.get(UNREAD).state == "1", "it has come")
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    keys = json.loads(await hass.async_add_executor_job(storage.read_text))["keys"]
    ours = "\n".join(record.getMessage() for record in caplog.records if "ringwatch" in record.name)
    for secret in (*keys.values(), link.partition("#")[2], "A parcel is gone", "porch"):
        assert secret not in ours


async def test_a_hub_that_hangs_holds_nothing_up(
    hass: HomeAssistant, ringwatch: ConfigEntry, joined: ConfigSubentry, street: ServedStreet
) -> None:
    street.broken = True
    form = await async_change(hass, ringwatch, joined.subentry_id, "leave")
    began_s = asyncio.get_running_loop().time()
    await async_answer(hass, form, {})
    assert asyncio.get_running_loop().time() - began_s < 6
    assert hoods(ringwatch) == []
