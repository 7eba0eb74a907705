"""Making the files of an answer ready: these bytes are looked at, confirmed and sent.

Every clip goes through redaction, an untouched one too: what cameras write between pictures doesn't leave.
The original stays where it is; only its digest goes along. Where faces are to be hidden and can't be found,
nothing is made.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
import errno
import hashlib
from pathlib import Path
import shutil
from typing import Final

from ..clips import Clip
from ..clips.redact import Redacted, RedactError, Redaction, redact
from ..neighborhood.text import clean
from ..vision import Box
from .answer_states import Answer, Prepared, Selection
from .blurring import BlurringStoppedError, Find, blur_faces
from .custody import MAX_CAMERA, Changes, Clock, CustodyClip, Original
from .limits import MAX_BYTES, MAX_CLIPS, MAX_DURATION_S
from .parties import IdentityKind

MAX_BOXES: Final = 50
CLOCK: Final = "home_assistant"
HOW_MEASURED: Final = "compared with a time server by the computer that recorded"
HOW_UNKNOWN: Final = "the clock of the computer that recorded; not compared with another one"
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

type FileOf = Callable[[Clip], Path]


class PrepareError(Exception):
    """Files can't be made ready; `code` says why and stays.

    clip_gone, nothing_left, unreadable, no_face_model, bad_selection, too_many_clips, too_long, too_large,
    disk_full, cancelled.
    """

    def __init__(self, code: str, clip_id: str | None = None) -> None:
        """Keep both; `clip_id` is of the clip that it is about."""
        super().__init__(code)
        self.code = code
        self.clip_id = clip_id


@dataclass(frozen=True, slots=True)
class Workshop:
    """What preparing needs: where clips are, how faces are found (None: they can't be), when to stop."""

    file_of: FileOf
    find: Find | None = None
    stopped: Callable[[], bool] = lambda: False


def prepare(
    answer: Answer, clips: Mapping[str, Clip], folder: Path, workshop: Workshop
) -> tuple[Prepared, ...]:
    """Make an answer's files in `folder`, anew. Blocks, for minutes. Raise PrepareError or OSError."""
    wanted = [(one, _clip(one, clips)) for one in answer.selections]
    check(answer.selections, clips)
    if workshop.find is None and any(one.blur_faces for one in answer.selections):
        raise PrepareError("no_face_model")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(mode=0o700, parents=True)
    try:
        return tuple(_files(wanted, _labels(answer, wanted), folder, workshop))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def check(selections: tuple[Selection, ...], clips: Mapping[str, Clip]) -> None:
    """Raise PrepareError for what no answer may hold, as far as that shows before the work."""
    if not 0 < len(selections) <= MAX_CLIPS:
        raise PrepareError("too_many_clips" if selections else "nothing_left")
    seconds = 0.0
    for one in selections:
        duration_s = _clip(one, clips).duration_s
        end_s = duration_s if one.end_s is None else min(one.end_s, duration_s)
        boxes = (*one.boxes, *((one.keep_only,) if one.keep_only else ()))
        if not 0 <= one.start_s < end_s or len(one.boxes) > MAX_BOXES or not all(map(_is_box, boxes)):
            raise PrepareError("bad_selection", one.clip_id)
        seconds += end_s - one.start_s
    if seconds > MAX_DURATION_S:
        raise PrepareError("too_long")


def _labels(answer: Answer, wanted: list[tuple[Selection, Clip]]) -> dict[str, str]:
    """Return what cameras are called, by their ids. Owners' own names for them often say who lives where."""
    if answer.identity.kind is IdentityKind.ADDRESS:
        return {clip.camera_id: clean(clip.camera_name, MAX_CAMERA) for _, clip in wanted}
    cameras = dict.fromkeys(clip.camera_id for _, clip in wanted)
    return {camera: f"Camera {number}" for number, camera in enumerate(cameras, 1)}


def _files(
    wanted: list[tuple[Selection, Clip]], labels: Mapping[str, str], folder: Path, workshop: Workshop
) -> list[Prepared]:
    found: list[Prepared] = []
    size = 0
    for number, (selection, clip) in enumerate(wanted, 1):
        if workshop.stopped():
            raise PrepareError("cancelled")
        try:
            file = folder / f"clip-{number:02}.mp4"
            made = _make(selection, clip, labels[clip.camera_id], file, workshop)
        except RedactError as error:
            raise PrepareError(error.code, clip.id) from error
        except BlurringStoppedError as error:
            raise PrepareError("cancelled") from error
        except FileNotFoundError as error:
            raise PrepareError("clip_gone", clip.id) from error
        except OSError as error:
            if error.errno in DISK_FULL:
                raise PrepareError("disk_full") from error
            raise
        size += made.clip.size_bytes
        if size > MAX_BYTES:
            raise PrepareError("too_large")
        found.append(made)
    return found


def _make(selection: Selection, clip: Clip, label: str, target: Path, workshop: Workshop) -> Prepared:
    source = workshop.file_of(clip)
    with source.open("rb") as file:
        original_sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        original_bytes = file.tell()
    redaction = Redaction(
        start_s=selection.start_s,
        end_s=selection.end_s,
        mute=selection.mute,
        blur=selection.boxes,
        keep_only=selection.keep_only,
    )
    redacted = _redact(selection, source, target, redaction, workshop)
    target.chmod(0o600)
    start_ms = _ms(clip.start)
    sent_ms = start_ms + round(selection.start_s * 1000)
    offset_s = clip.clock_offset_s
    return Prepared(
        clip.id,
        CustodyClip(
            file=target.name,
            sha256=redacted.sha256,
            size_bytes=redacted.size_bytes,
            camera=label,
            start_ms=sent_ms,
            end_ms=sent_ms + round(redacted.duration_s * 1000),
            clock=Clock(
                CLOCK,
                None if offset_s is None else round(offset_s * 1000),
                HOW_UNKNOWN if offset_s is None else HOW_MEASURED,
            ),
            original=Original(original_sha256, original_bytes, start_ms, max(start_ms, _ms(clip.end))),
            changes=Changes(
                trimmed=_is_trimmed(selection, clip),
                muted=clip.has_sound and not redacted.has_sound,
                faces_blurred=selection.blur_faces,
                boxes=len(selection.boxes),
                keep_only=selection.keep_only is not None,
                encoded=redacted.encoded,
                masked=clip.masked,
            ),
        ),
    )


def _redact(
    selection: Selection, source: Path, target: Path, redaction: Redaction, workshop: Workshop
) -> Redacted:
    if selection.blur_faces and workshop.find is not None:
        return blur_faces(source, target, redaction, workshop.find, stopped=workshop.stopped).redacted
    return redact(source, target, redaction)


def _clip(selection: Selection, clips: Mapping[str, Clip]) -> Clip:
    clip = clips.get(selection.clip_id)
    if clip is None:
        raise PrepareError("clip_gone", selection.clip_id)
    return clip


def _is_trimmed(selection: Selection, clip: Clip) -> bool:
    return selection.start_s > 0 or (selection.end_s is not None and selection.end_s < clip.duration_s)


def _is_box(box: Box) -> bool:
    left, top, right, bottom = box
    return 0 <= left < right <= 1 and 0 <= top < bottom <= 1


def _ms(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
