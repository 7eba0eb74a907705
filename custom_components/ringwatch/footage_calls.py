"""What actions and the panel's commands share: which clips are meant, how they are cut, what is refused."""

from collections.abc import Mapping, Sequence
import math
from typing import Any, Final

import probatio

from homeassistant.auth.models import User
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError

from .clip_views import async_may, async_recordings, find_clip
from .footage.answer_states import AnswerError, Selection
from .posting import refused

# What can go wrong with an answer and has a sentence of its own.
CODES: Final = frozenset(
    {
        "agency_on_hold",
        "clip_gone",
        "contents_changed",
        "disk_full",
        "no_face_model",
        "no_ncnn",
        "nothing_left",
        "not_open",
        "too_large",
        "too_long",
        "too_many_clips",
        "unknown_answer",
        "unreadable",
        "wrong_state",
    }
)


def _box(value: Any) -> tuple[float, float, float, float]:
    if not isinstance(value, list | tuple) or len(value) != 4:
        raise probatio.Invalid("a box is left, top, right, bottom")
    left, top, right, bottom = (float(edge) for edge in value)
    if not (0 <= left < right <= 1 and 0 <= top < bottom <= 1):
        raise probatio.Invalid("a box is left, top, right, bottom, each from 0 to 1")
    return left, top, right, bottom


def _seconds(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number) or number < 0:
        raise probatio.Invalid("seconds from the clip's start")
    return number


BOX: Final = _box
SELECTION: Final = probatio.Schema(
    {
        probatio.Required("id"): probatio.All(str, probatio.Length(min=1, max=64)),
        probatio.Optional("start_s", default=0.0): _seconds,
        probatio.Optional("end_s", default=None): probatio.Any(None, _seconds),
        probatio.Optional("mute", default=True): bool,
        probatio.Optional("blur_faces", default=True): bool,
        probatio.Optional("boxes", default=list): probatio.All([_box], probatio.Length(max=20)),
        probatio.Optional("keep_only", default=None): probatio.Any(None, _box),
    }
)


async def selections_of(
    hass: HomeAssistant, user: User | None, wanted: Sequence[Mapping[str, Any]]
) -> tuple[Selection, ...]:
    """Return what is to be sent of which clips. Raise HomeAssistantError for one that isn't there."""
    recordings = async_recordings(hass)
    if recordings is None:
        raise refused(translation_key="not_loaded")
    chosen = []
    for one in wanted:
        found = await hass.async_add_executor_job(find_clip, recordings, one["id"], True)
        if found is None or (user is not None and not async_may(hass, user, found[0].camera_id)):
            raise refused(translation_key="footage_clip_gone")
        end_s = one["end_s"]
        if end_s is not None and end_s <= one["start_s"]:
            raise refused(translation_key="end_before_start")
        chosen.append(
            Selection(
                clip_id=found[0].id,
                start_s=one["start_s"],
                end_s=end_s,
                mute=one["mute"],
                blur_faces=one["blur_faces"],
                boxes=tuple(one["boxes"]),
                keep_only=one["keep_only"],
            )
        )
    return tuple(chosen)


def refused_answer(error: AnswerError) -> HomeAssistantError:
    """Return what a person is told of what went wrong with an answer."""
    return answer_failed(error.code)


def answer_failed(code: str) -> HomeAssistantError:
    """Return what a person is told of a code."""
    if code in CODES:
        return refused(translation_key=f"footage_{code}")
    return refused(translation_key="footage_failed", code=code)
