"""Where clips are kept: the owner's choice, folders and disks that are away or full, a damaged catalogue."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
import shutil
import tempfile
from typing import Any

import pytest
from pytest_homeassistant_custom_component.common import MockConfigEntry

from custom_components.ringwatch import recording
from custom_components.ringwatch.backup import async_post_backup, async_pre_backup
from custom_components.ringwatch.clips import Clip, worker
from custom_components.ringwatch.const import DOMAIN
from homeassistant.config_entries import ConfigEntry, ConfigEntryState
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers import issue_registry as ir
from homeassistant.util import dt as dt_util
from tests.fixtures.clips import (
    NOBODY,
    async_ask,
    async_open,
    async_record,
    async_save,
    async_start_house,
    finished,
    furnish,
    media,
    store_of,
)
from tests.fixtures.flows import suggested
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import FRONT, async_until, async_until_state, camera, state, stored, threads

LIMITS = {"keep_days": 30, "keep_gb": 0, "reserve_gb": 0}
MOUNTED = Path("/dev/shm")
MARK = "ringwatch/.ringwatch"

type Fix = Callable[[str], Awaitable[dict[str, Any]]]


@pytest.fixture(autouse=True)
def _chores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the store look after its storage twenty times a second instead of every five."""
    monkeypatch.setattr(worker, "CHORE_S", 0.05)


@pytest.fixture
def clip(hass: HomeAssistant, socket_enabled: None) -> Clip:
    """A clip from before Home Assistant started."""
    return furnish(hass)


def issue(hass: HomeAssistant, issue_id: str = "storage") -> ir.IssueEntry | None:
    """Return an issue of ours."""
    return ir.async_get(hass).async_get_issue(DOMAIN, issue_id)


async def async_until_said(hass: HomeAssistant, key: str | None, issue_id: str = "storage") -> None:
    """Wait until an issue says this, or (None) nothing any more."""

    def said() -> bool:
        found = issue(hass, issue_id)
        return (found.translation_key if found else None) == key

    await async_until(said, f"the issue {key}")


async def async_choose(hass: HomeAssistant, entry: MockConfigEntry, **typed: Any) -> dict[str, Any]:
    """Go through the options."""
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert (form["type"], form["step_id"]) == ("form", "init")
    done = await hass.config_entries.options.async_configure(
        form["flow_id"], {"storage": "local", "folder": ""} | LIMITS | typed
    )
    await hass.async_block_till_done()
    return dict(done)


# The options


def stores_in(entry: ConfigEntry, folder: Path) -> bool:
    """Tell whether the entry has been loaded again since its folder was changed."""
    return entry.state is ConfigEntryState.LOADED and store_of(entry).storage.root == folder


async def test_another_folder_is_made_and_recorded_to(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_record(hass, live.url())
    [saved] = await async_save(hass)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert suggested(dict(form)) == {
        "storage": "local",
        "folder": "",
        "keep_days": 30.0,
        "keep_gb": 0.0,
        "reserve_gb": 0.0,
    }
    hass.config_entries.options.async_abort(form["flow_id"])
    before = finished(media(hass))

    done = await async_choose(hass, entry, folder=" cameras/front/ ")
    assert done["type"] == "create_entry"
    assert entry.options["folder"] == "cameras/front"
    await async_until(lambda: stores_in(entry, media(hass) / "cameras" / "front"))
    await async_until_state(hass, "binary_sensor.front_door_connectivity", "on")
    # Files are named by the second: two of the same name would be the same clip to the catalogue.
    later = datetime.fromisoformat(saved["start"]) + timedelta(seconds=3)
    await async_until(lambda: dt_util.utcnow() > later)
    await async_save(hass)
    assert before <= finished(media(hass))  # what was there stays there
    assert len(finished(media(hass) / "cameras" / "front")) == 2
    assert (media(hass) / "cameras" / "front" / MARK).exists()
    # The old folder has the mark of the same Ringwatch: going back is no question.
    assert (await async_choose(hass, entry))["type"] == "create_entry"
    await async_until(lambda: stores_in(entry, media(hass)))
    await hass.async_add_executor_job(store_of(entry).reconcile)
    [found] = (await async_ask(hass, "get_clips"))["clips"]
    assert found["id"] == saved["id"]
    assert issue(hass) is None


async def test_other_limits_hold_at_once_and_interrupt_nothing(hass: HomeAssistant, live: LiveCamera) -> None:
    entry = await async_record(hass, live.url())
    watching, store = threads(), store_of(entry)
    assert (await async_choose(hass, entry, keep_days=7, keep_gb=1.5, reserve_gb=3))["type"] == "create_entry"
    assert store_of(entry) is store
    assert (store.policy.overall.days, store.policy.overall.size_bytes) == (7.0, 1_500_000_000)
    assert store.policy.reserve_bytes == 3_000_000_000
    assert threads() == watching


async def test_a_bad_folder_is_refused_and_another_can_be_given(
    hass: HomeAssistant, socket_enabled: None, tmp_path: Path
) -> None:
    entry = await async_start_house(hass)
    (media(hass) / "out").symlink_to(tmp_path)
    (media(hass) / "file").write_bytes(b"")
    form = await hass.config_entries.options.async_init(entry.entry_id)
    result = dict(form)
    for folder, error in (
        ("..", "bad_folder"),
        ("a/../../b", "bad_folder"),
        (".hidden", "bad_folder"),
        ("a//b", "bad_folder"),
        ("a\\b", "bad_folder"),
        ("a\nb", "bad_folder"),
        ("x" * 201, "bad_folder"),
        ("out/below", "bad_folder"),
        ("file", "folder_failed"),
        ("file/below", "folder_failed"),
    ):
        typed = {"storage": "local", "folder": folder} | LIMITS
        result = dict(await hass.config_entries.options.async_configure(form["flow_id"], typed))
        assert result["errors"] == {"folder": error}, folder
        assert suggested(result)["folder"] == folder.strip("/")
    shutil.rmtree(media(hass))
    typed = {"storage": "local", "folder": "new"} | LIMITS
    result = dict(await hass.config_entries.options.async_configure(form["flow_id"], typed))
    assert result["errors"] == {"folder": "folder_failed"}
    assert not media(hass).exists()  # a drive that is not mounted is not made
    media(hass).mkdir()
    result = dict(await hass.config_entries.options.async_configure(form["flow_id"], typed))
    assert result["type"] == "create_entry"
    await hass.async_block_till_done()
    assert (media(hass) / "new" / MARK).exists()


async def test_the_folder_of_a_media_folder_that_is_no_more_is_chosen_anew(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    entry = await async_start_house(hass, storage="nas", folder="clips")
    assert entry.runtime_data.recordings.root == media(hass) / "clips"
    await async_until_said(hass, "storage_missing")
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert suggested(dict(form))["storage"] == "local"
    done = await async_choose(hass, entry, folder="clips")
    assert done["type"] == "create_entry"
    await async_until_said(hass, None)

    hass.config.media_dirs = {}
    await hass.config_entries.async_reload(entry.entry_id)
    form = await hass.config_entries.options.async_init(entry.entry_id)
    assert suggested(dict(form))["storage"] == "local"
    assert entry.runtime_data.recordings.root == Path(hass.config.path("media", "clips"))


async def test_home_assistants_own_media_folder_is_made_where_nobody_used_it(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    media(hass).rmdir()
    await async_start_house(hass)
    assert (media(hass) / MARK).exists()


# Storage that is away, somebody else's, full


async def test_a_folder_that_vanishes_is_said_and_recorded_to_again_when_it_is_back(
    hass: HomeAssistant, live: LiveCamera
) -> None:
    entry = await async_record(hass, live.url())
    [saved] = await async_save(hass)
    away = media(hass).with_name("unplugged")
    media(hass).rename(away)
    await async_until_said(hass, "storage_missing")
    with pytest.raises(HomeAssistantError, match="Nothing of Front door could be recorded"):
        await async_save(hass)
    media(hass).mkdir()  # the mount point, empty
    with pytest.raises(HomeAssistantError, match="Nothing of Front door could be recorded"):
        await async_save(hass)
    found = issue(hass)
    assert found
    assert found.is_fixable
    assert found.translation_placeholders == {"name": "Ringwatch", "folder": str(media(hass))}
    assert not list(media(hass).iterdir())
    assert store_of(entry).questions.get(saved["id"])  # nothing is forgotten

    media(hass).rmdir()
    away.rename(media(hass))
    await async_until_said(hass, None)
    await async_save(hass)
    assert len(finished(media(hass))) == 4


async def test_what_was_said_of_another_folder_does_not_stay(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    entry = await async_start_house(hass, stored(camera(NOBODY)))
    (media(hass) / MARK).unlink()
    await async_until_said(hass, "storage_missing")
    assert (await async_choose(hass, entry, folder="new"))["type"] == "create_entry"
    await async_until_said(hass, None)


async def test_a_foreign_folder_is_taken_over_when_the_owner_says_so(
    hass: HomeAssistant, clip: Clip, post: Callable[..., Any]
) -> None:
    (media(hass) / MARK).write_text("another")
    entry = await async_open(hass)
    await async_until_said(hass, "storage_foreign")
    assert store_of(entry).blocked("") == "storage_foreign"

    form = await post(handler=DOMAIN, issue_id="storage")
    assert form["step_id"] == "confirm"
    assert form["description_placeholders"]["folder"] == str(media(hass))
    await hass.config_entries.async_unload(entry.entry_id)
    refused = await post(f"/{form['flow_id']}")
    assert (refused["type"], refused["reason"]) == ("abort", "not_loaded")

    await hass.config_entries.async_setup(entry.entry_id)
    await async_until_said(hass, "storage_foreign")
    form = await post(handler=DOMAIN, issue_id="storage")
    await hass.async_add_executor_job(store_of(entry).stop)
    refused = await post(f"/{form['flow_id']}")
    assert (refused["type"], refused["reason"]) == ("abort", "storage_error")

    await hass.config_entries.async_reload(entry.entry_id)
    await async_until_said(hass, "storage_foreign")
    form = await post(handler=DOMAIN, issue_id="storage")
    assert (await post(f"/{form['flow_id']}"))["type"] == "create_entry"
    assert issue(hass) is None
    assert store_of(entry).blocked("") is None
    assert store_of(entry).questions.get(clip.id)


async def test_an_emptied_folder_is_begun_anew_when_the_owner_says_so(
    hass: HomeAssistant, clip: Clip, post: Callable[..., Any]
) -> None:
    entry = await async_open(hass)
    await hass.async_add_executor_job(store_of(entry).reconcile)
    await hass.config_entries.async_unload(entry.entry_id)
    shutil.rmtree(media(hass) / "ringwatch")
    await hass.config_entries.async_setup(entry.entry_id)
    await async_until_said(hass, "storage_missing")
    assert hass.states.get("sensor.front_door_storage_used").state != "0.0"  # type: ignore[union-attr]
    form = await post(handler=DOMAIN, issue_id="storage")
    assert form["description_placeholders"]["folder"] == str(media(hass))
    assert (await post(f"/{form['flow_id']}"))["type"] == "create_entry"
    assert issue(hass) is None
    await async_until_state(hass, "sensor.front_door_storage_used", "0.0")
    assert (await async_ask(hass, "get_clips"))["clips"] == []


async def test_during_a_backup_clips_are_not_changed(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass)
    await async_pre_backup(hass)
    with pytest.raises(HomeAssistantError, match="A backup is being made"):
        await async_ask(hass, "delete_clips", clips=[clip.id])
    await async_post_backup(hass)
    assert (await async_ask(hass, "delete_clips", clips=[clip.id]))["deleted"] == [clip.id]
    assert store_of(entry).questions.get(clip.id) is None


async def test_a_full_disk_is_said_until_there_is_room(hass: HomeAssistant, socket_enabled: None) -> None:
    entry = await async_start_house(hass, stored(camera(NOBODY)), reserve_gb=1e6)
    await async_until_said(hass, "disk_full")
    hass.config_entries.async_update_entry(entry, options={"reserve_gb": 0.0})
    await async_until_said(hass, None)


async def test_the_limit_of_one_camera_is_said_of_it_alone(hass: HomeAssistant, clip: Clip) -> None:
    entry = await async_open(hass, stored(camera(NOBODY, clip_gb=1e-6)))
    await async_until(lambda: not finished(media(hass)), "deleting by size")
    assert issue(hass, f"recording_{FRONT}") is None
    await hass.config_entries.async_unload(entry.entry_id)

    clip = furnish(hass)
    hass.config_entries.async_update_subentry(entry, entry.subentries[FRONT], data=camera(NOBODY))
    await hass.config_entries.async_setup(entry.entry_id)
    await async_ask(hass, "protect_clips", clips=[clip.id])
    hass.config_entries.async_update_subentry(
        entry, entry.subentries[FRONT], data=camera(NOBODY, clip_gb=1e-6)
    )
    await hass.async_block_till_done()
    await hass.async_add_executor_job(store_of(entry).protect, [clip.id])  # looks at the limits at once
    await async_until_said(hass, "recording_limit_reached", f"recording_{FRONT}")
    found = issue(hass, f"recording_{FRONT}")
    assert found
    assert (found.translation_placeholders or {})["name"] == "Front door"
    assert issue(hass) is None
    assert clip.path in finished(media(hass))


def device(path: Path) -> int:
    """Return the file system that a path is on."""
    return path.stat().st_dev if path.exists() else 0


@pytest.mark.skipif(device(MOUNTED) in {0, device(Path("/"))}, reason="no second file system here")
async def test_storage_inside_the_container_is_said(
    hass: HomeAssistant, socket_enabled: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recording, "is_docker_env", lambda: True)
    with tempfile.TemporaryDirectory(dir=MOUNTED) as config:
        hass.config.config_dir = config  # as /config is mounted and /media is not
        entry = await async_start_house(hass)
        inside = device(media(hass)) == device(Path("/"))
        assert (issue(hass, "storage_in_container") is not None) == inside
        hass.config.media_dirs = {"local": f"{config}/media"}
        await hass.config_entries.async_reload(entry.entry_id)
        assert issue(hass, "storage_in_container") is None
        await hass.config_entries.async_unload(entry.entry_id)


# The catalogue


async def test_a_damaged_catalogue_is_rebuilt_and_said_once(
    hass: HomeAssistant, clip: Clip, post: Callable[..., Any]
) -> None:
    database = media(hass).parent / DOMAIN / "catalogue.db"
    database.write_bytes(b"not a database at all" * 1000)
    entry = await async_open(hass)
    await async_until(lambda: store_of(entry).questions.get(clip.id), "the rebuilt row")
    assert issue(hass, "catalogue_rebuilt")
    assert [path.name for path in database.parent.iterdir() if ".damaged-" in path.name]
    form = await post(handler=DOMAIN, issue_id="catalogue_rebuilt")
    assert form["description_placeholders"]["error"]
    assert (await post(f"/{form['flow_id']}"))["type"] == "create_entry"
    await async_ask(hass, "rebuild_catalogue")  # counts anew
    await hass.async_block_till_done()
    assert issue(hass, "catalogue_rebuilt") is None
    await async_until_state(hass, "sensor.front_door_storage_used", str(clip.size_bytes / 1e9))


async def test_without_a_catalogue_the_rest_works(
    hass: HomeAssistant, live: LiveCamera, caplog: pytest.LogCaptureFixture
) -> None:
    (media(hass).parent / DOMAIN).write_bytes(b"a file, where a folder should be")
    entry = await async_record(hass, live.url())
    await async_until_said(hass, "catalogue_unusable")
    assert state(hass, "sensor.front_door_clips_today") == "0"
    with pytest.raises(HomeAssistantError, match="The clips can't be reached"):
        await async_ask(hass, "get_clips")
    with pytest.raises(HomeAssistantError, match="The clips can't be reached"):
        await async_ask(hass, "delete_clips", clips=["x"])
    with pytest.raises(HomeAssistantError, match="The clips can't be reached"):
        await async_save(hass)
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_removing_the_entry_leaves_the_clips_and_no_issue(hass: HomeAssistant, clip: Clip) -> None:
    (media(hass) / MARK).write_text("another")
    entry = await async_open(hass)
    await async_until_said(hass, "storage_foreign")
    await hass.config_entries.async_remove(entry.entry_id)
    assert not ir.async_get(hass).issues
    assert {clip.path, clip.thumbnail} <= finished(media(hass))


async def test_an_unfinished_clip_without_a_picture_is_told(
    hass: HomeAssistant, clip: Clip, caplog: pytest.LogCaptureFixture
) -> None:
    (media(hass) / "ringwatch" / ".recording" / "left.mp4").write_bytes(b"half a box")
    await async_open(hass)
    await async_until(lambda: "Ringwatch: a clip was not written (no_picture" in caplog.text)
    assert finished(media(hass)) == {clip.path, clip.thumbnail}
