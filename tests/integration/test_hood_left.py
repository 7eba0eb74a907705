"""What is kept of a hosted neighborhood, and exports: what is damaged, gone, or in the way."""

from collections.abc import Callable
import json
from pathlib import Path
from typing import Any

import pytest

from custom_components.ringwatch.const import DOMAIN
from custom_components.ringwatch.hub import left
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util.file import WriteError
from tests.fixtures.clips import media
from tests.fixtures.hood import async_call, async_host, issues_of
from tests.fixtures.watching import async_until

ID = "ab" * 32


def test_only_ids_are_folders(tmp_path: Path) -> None:
    for name in ("..", "left", "AB" * 32):
        with pytest.raises(ValueError, match="digest"):
            left.set_aside(tmp_path, name)
        with pytest.raises(ValueError, match="digest"):
            left.erase(tmp_path, name)
    assert (left.carried(tmp_path / "no"), left.look(tmp_path / "no")) == ([], [])


def test_a_database_that_cant_be_read_stays_and_is_not_offered(tmp_path: Path) -> None:
    folder = tmp_path / left.LEFT / ID
    folder.mkdir(parents=True)
    (folder / "hub.db").write_bytes(b"no database" * 100)
    left.let_end(tmp_path, 2_000_000_000)
    assert left.look(tmp_path) == []
    assert left.hosts(tmp_path) == set()
    assert (folder / "hub.db").read_bytes() == b"no database" * 100
    (folder / "hub.db").write_bytes(b"")  # nothing was founded in it
    assert left.look(tmp_path) == []


async def test_without_the_keys_nothing_can_be_taken_up(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    hood = await async_host(hass, ringwatch)
    hass.config_entries.async_remove_subentry(ringwatch, hood.subentry_id)
    await hass.async_block_till_done()
    running = ringwatch.runtime_data.neighborhoods
    assert len(await running.left.async_look()) == 1
    hub_key = running.hub.folder / "hub.key"
    storage = Path(hass.config.path(".storage", "ringwatch.neighborhoods"))
    for path in (hub_key, storage):
        before = await hass.async_add_executor_job(path.read_text)
        await hass.async_add_executor_job(path.write_text, "not a key")
        assert await running.left.async_look() == []
        await hass.async_add_executor_job(path.unlink)
        assert await running.left.async_look() == []
        await hass.async_add_executor_job(path.write_text, before)
        assert len(await running.left.async_look()) == 1


async def test_what_cant_be_set_aside_is_tried_again(
    hass: HomeAssistant, ringwatch: ConfigEntry, caplog: pytest.LogCaptureFixture
) -> None:
    hood = await async_host(hass, ringwatch)
    running = ringwatch.runtime_data.neighborhoods
    in_the_way = running.hub.folder / left.LEFT
    await hass.async_add_executor_job(in_the_way.write_text, "a file")
    hass.config_entries.async_remove_subentry(ringwatch, hood.subentry_id)
    await hass.async_block_till_done()
    assert "can't be set aside" in caplog.text
    assert issues_of(hass) == set()
    await hass.async_add_executor_job(in_the_way.unlink)
    await running.async_follow()
    assert [one.name for one in await running.left.async_look()] == ["Maple Street"]
    assert issues_of(hass) == {"hub_left"}


async def test_nothing_is_erased_while_ringwatch_doesnt_run(
    hass: HomeAssistant, ringwatch: ConfigEntry, post: Callable[..., Any]
) -> None:
    hood = await async_host(hass, ringwatch)
    hass.config_entries.async_remove_subentry(ringwatch, hood.subentry_id)
    await hass.async_block_till_done()
    menu = await post(handler=DOMAIN, issue_id=f"hub_left_{hood.data['neighborhood']}")
    await hass.config_entries.async_unload(ringwatch.entry_id)
    done = await post(f"/{menu['flow_id']}", next_step_id="erase")
    assert (done["type"], done["reason"]) == ("abort", "not_loaded")


async def test_exports_that_cant_be_reached_are_left_alone_or_tried_again(
    hass: HomeAssistant,
    ringwatch: ConfigEntry,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hood = await async_host(hass, ringwatch)
    said = await async_call(hass, "post", category="animal", title="A fox", text="By the bins.")
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    await async_until(lambda: running.home.unread == 0 and not running.home.pending, "sent")
    exports = ringwatch.runtime_data.neighborhoods.exports
    names = ("whole.json", "linked.json", "folder.json")
    whole, linked, folder = (media(hass) / name for name in names)
    for path in (whole, linked, folder):
        await async_call(hass, "export_feed", filename=str(path))

    def disturb() -> None:
        linked.rename(linked.with_suffix(".kept"))
        linked.symlink_to(linked.with_suffix(".kept"))
        folder.unlink()
        folder.mkdir()

    await hass.async_add_executor_job(disturb)
    with monkeypatch.context() as broken:

        def refuse(*_: object) -> None:
            raise WriteError("the disk is full")

        broken.setattr("custom_components.ringwatch.exports.write_utf8_file_atomic", refuse)
        await async_call(hass, "withdraw_post", target=said["id"])
        await async_until(lambda: "can't be written; this is tried again" in caplog.text, "it can't be")
        await async_until(lambda: "can't be read; this is tried again" in caplog.text, "nor read")
    running.changed(())  # whatever comes next
    await async_until(lambda: "A fox" not in whole.read_text(), "now it can")
    written = json.loads(await hass.async_add_executor_job(whole.read_text))
    assert written["posts"] == [{"id": said["id"], "status": "erased"}]
    assert "A fox" in await hass.async_add_executor_job(linked.with_suffix(".kept").read_text)
    index = Path(hass.config.path(DOMAIN, "exports.json"))
    listed = json.loads(await hass.async_add_executor_job(index.read_text))
    assert set(listed["files"]) == {str(whole), str(folder)}
    await hass.async_add_executor_job(index.write_text, "[]")
    await exports.async_start()
    assert "The list of exports can't be read" in caplog.text
