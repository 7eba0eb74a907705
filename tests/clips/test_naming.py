"""Whatever a camera is called, its clips stay in their folder and can be read on any computer."""

from dataclasses import replace
from pathlib import Path

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.clips import UnsafePathError
from custom_components.ringwatch.clips.model import Clip, Trigger
from custom_components.ringwatch.clips.naming import clip_path, folder_name, safe_path
from script.lib.many_clips import START

CLIP = Clip(
    id="a", recording="b", part=1, camera_id="c", camera_name="d", start=START, end=START, onset=None,
    utc_offset_s=0, clock_offset_s=None, triggers=frozenset({Trigger.MOTION}), zones=frozenset(), score=0.0,
    reason=None, moments=(), codec="h264", width=1, height=1, has_sound=False, masked=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        ("Front door", "Front door"),
        ("Haustür „Süd“", "Haustür „Süd“"),
        ("玄関", "玄関"),
        ("../../etc/passwd", "etc passwd"),
        ("..", "camera"),
        ("", "camera"),
        (".recording", "recording"),
        ("con", "camera con"),
        ("COM1.mp4", "camera COM1.mp4"),
        ("a\x00b\nc\u202ed", "a b c d"),
        ("Café", "Café"),
        ("back\\slash / and: more", "back slash and more"),
        ("dot at the end. ", "dot at the end"),
    ],
)
def test_names_of_cameras_become_names_of_folders(name: str, folder: str) -> None:
    assert folder_name(name, set()) == folder


@given(st.lists(st.text(max_size=200), max_size=8))
def test_any_names_give_different_safe_folders(names: list[str]) -> None:
    taken: set[str] = set()
    for name in names:
        folder = folder_name(name, taken)
        assert folder.casefold() not in {other.casefold() for other in taken}
        assert 0 < len(folder.encode()) <= 100
        assert folder.isprintable()
        assert not set(folder) & set('<>:"/\\|?*')
        assert not folder.startswith(".")
        assert not folder.endswith((".", " "))
        path = clip_path(folder, CLIP)
        assert safe_path(Path("/media"), path) == Path("/media") / path
        taken.add(folder)


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "ringwatch/../../../etc/passwd",
        "ringwatch/a/../b.mp4",
        "ringwatch/a/b/c/d.mp4",
        "other/a/b/c.mp4",
        "ringwatch/.recording/b/c.mp4",
        "ringwatch/a/b/.c.mp4",
        "ringwatch/a/b/c\x00.mp4",
        "ringwatch/a/b/..\\..\\c.mp4",
        "",
    ],
)
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(UnsafePathError):
        safe_path(Path("/media"), path)


def test_a_link_that_leads_elsewhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "media" / "ringwatch").mkdir(parents=True)
    (tmp_path / "secret" / "day").mkdir(parents=True)
    (tmp_path / "media" / "ringwatch" / "Front").symlink_to(tmp_path / "secret")
    with pytest.raises(UnsafePathError):
        safe_path(tmp_path / "media", "ringwatch/Front/day/clip.mp4")


def test_a_clip_is_named_after_its_local_time_and_what_matters_most() -> None:
    clip = replace(CLIP, utc_offset_s=-18000, part=2, triggers=frozenset({Trigger.MOTION, Trigger.PRESS}))
    assert clip_path("Front", clip) == "ringwatch/Front/2024-12-31/2024-12-31 19-00-00 press part 2.mp4"
    assert clip_path("Front", clip, 3).endswith(" (3).mp4")
