"""Answers and their log in backups, restarts and removals: whole, still, confirmed anew where in doubt."""

from collections.abc import Iterator
import contextlib
from pathlib import Path
import shutil
import sqlite3

import pytest

from custom_components.ringwatch import backup
from custom_components.ringwatch.footage.audit import AuditLog
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.fixtures.asked import Panel, Street
from tests.fixtures.hood import async_call, async_until_connected, issues_of
from tests.fixtures.watching import async_until

ANSWERS = "ringwatch/footage"


@contextlib.contextmanager
def database(folder: Path) -> Iterator[sqlite3.Connection]:
    with contextlib.closing(sqlite3.connect(f"file:{folder / 'footage.db'}?mode=ro", uri=True)) as db:
        yield db


def times(folder: Path) -> dict[str, int]:
    """Return when each file was written last."""
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir() if path.is_file()}


def files(folder: Path) -> list[Path]:
    """Return what is about footage in a folder."""
    return [path for path in folder.rglob("*") if "footage" in path.name]


async def _confirmed(street: Street, panel: Panel) -> tuple[str, str]:
    """Have an answer that waits for its time to undo to be over."""
    request = await street.desk.ask()
    await street.until_open(request)
    answer = await panel.prepared(request)
    assert (await panel.sent(answer))["state"] == "confirmed"
    return request, answer["id"]


async def test_in_a_backup_answers_and_log_are_whole(
    hass: HomeAssistant, street: Street, panel: Panel, tmp_path: Path
) -> None:
    _, answer = await _confirmed(street, panel)
    said = await street.lines()
    folder = Path(hass.config.path(ANSWERS))
    await backup.async_pre_backup(hass)
    before = times(folder)
    assert before.keys() >= {"audit.jsonl", "backup", "footage.db"}
    copy = tmp_path / "copy"
    shutil.copytree(folder, copy)
    assert not list(copy.glob("*-wal"))
    with database(copy) as db:
        assert db.execute("SELECT id, state FROM answers").fetchall() == [(answer, "confirmed")]
    log = AuditLog(copy)
    assert log.verify(street.footage.anchor) is None
    assert [line.what for line in log.all()] == said
    log.close()
    for action, data in (("get_audit_log", {}), ("export_audit_log", {"filename": "/media/log.txt"})):
        with pytest.raises(HomeAssistantError):
            await async_call(hass, action, **data)
    assert await panel.refused("undo", answer=answer) == "footage_unknown_answer"  # its neighborhood rests
    assert times(folder) == before
    await backup.async_post_backup(hass)
    await async_until(lambda: street.footage.running_of(street.footage.answer(answer)), "it runs again")
    assert not (folder / "backup").exists()
    assert street.footage.answer(answer).state == "confirmed"
    assert (await panel.ask("undo", answer=answer))["answer"]["state"] == "awaiting_confirmation"
    assert (await panel.ask("audit"))["intact"]


async def test_what_a_restored_backup_says_was_confirmed_has_to_be_confirmed_anew(
    hass: HomeAssistant, street: Street, panel: Panel, tmp_path: Path
) -> None:
    request, answer = await _confirmed(street, panel)
    folder = Path(hass.config.path(ANSWERS))
    await backup.async_pre_backup(hass)
    shutil.copytree(folder, tmp_path / "copy")
    await backup.async_post_backup(hass)
    await async_until(lambda: street.footage.running_of(street.footage.answer(answer)), "it runs again")
    await panel.ask("undo", answer=answer)  # which the backup doesn't know

    assert await hass.config_entries.async_unload(street.entry.entry_id)
    shutil.rmtree(folder)
    shutil.copytree(tmp_path / "copy", folder)
    assert await hass.config_entries.async_setup(street.entry.entry_id)
    await async_until_connected(hass, street.entry, street.hood)
    found = street.footage.answer(answer)
    assert (str(found.state), found.code) == ("stale", "restored")
    assert "restored from a backup" in (street.notice(f"ringwatch_answer_{answer}") or "")
    said = await street.lines()
    assert said[said.index("log_cut") :] == ["log_cut", "restored_backup", "stale"]
    assert await street.desk.deliveries(request) == []
    # Only this folder was restored, not the file that knows how far the log had come: that is told.
    assert "footage_log_truncated" in issues_of(hass)


async def test_a_backup_waits_for_no_files_and_they_are_made_after_it(
    hass: HomeAssistant, street: Street, panel: Panel
) -> None:
    request = await street.desk.ask()
    await street.until_open(request)
    wanted = [{"id": street.clip.id, "blur_faces": False, "boxes": [[0.1, 0.1, 0.5, 0.5]]}]
    begun = await panel.about("prepare", request, clips=wanted, identity="anonymous")
    answer = begun["answer"]["id"]
    await backup.async_pre_backup(hass)
    assert not street.footage.is_preparing(answer)
    await backup.async_post_backup(hass)
    await street.until(answer, "awaiting_confirmation")


async def test_what_was_confirmed_before_a_restart_is_sent_after_it(
    hass: HomeAssistant, street: Street, panel: Panel
) -> None:
    request, answer = await _confirmed(street, panel)
    release_s = street.footage.answer(answer).release_s
    assert await hass.config_entries.async_unload(street.entry.entry_id)
    folder = Path(hass.config.path(ANSWERS))
    with contextlib.closing(sqlite3.connect(folder / "footage.db", autocommit=True)) as db:
        # The time to undo went by meanwhile.
        (document,) = db.execute("SELECT document FROM answers").fetchone()
        assert str(release_s) in document
        db.execute("UPDATE answers SET document = ?", (document.replace(str(release_s), "1700000000"),))
    assert await hass.config_entries.async_setup(street.entry.entry_id)
    await street.until(answer, "sent")
    await async_until_connected(hass, street.entry, street.hood)
    _, delivery = await street.desk.open(request)
    await street.desk.receive(delivery)

    assert await hass.config_entries.async_reload(street.entry.entry_id)  # between upload and receipt
    await async_until_connected(hass, street.entry, street.hood)
    street.footage.wake()
    await street.until(answer, "received")
    assert len(await street.desk.deliveries(request)) == 1


async def test_removing_ringwatch_removes_answers_and_log(
    hass: HomeAssistant, street: Street, panel: Panel, hass_config_dir: str
) -> None:
    await _confirmed(street, panel)
    folder = Path(hass_config_dir)
    assert {path.name for path in files(folder)} >= {"footage", "ringwatch.footage"}
    await hass.config_entries.async_remove(street.entry.entry_id)
    await hass.async_block_till_done()
    assert not files(folder)
