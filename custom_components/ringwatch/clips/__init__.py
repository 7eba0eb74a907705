"""Clips: from a camera's packets to files that nobody loses, and the catalogue of them. See docs/clips.md.

A `Recorder` per camera writes, one `ClipStore` for all keeps. No Home Assistant here.
"""

from .model import (
    CameraRef,
    Clip,
    ClipNews,
    ClipReady,
    Moment,
    PacketsDropped,
    RecordingBlocked,
    RecordingFailed,
    RecordSettings,
    Trigger,
)
from .naming import UnsafePathError
from .placing import Reconciled
from .queries import BadCursorError, Page, Questions, Totals
from .recorder import Recorder, RecorderState
from .retention import Limits, RetentionPolicy
from .store import ClipStore
from .wishes import Deleted

__all__ = [
    "BadCursorError",
    "CameraRef",
    "Clip",
    "ClipNews",
    "ClipReady",
    "ClipStore",
    "Deleted",
    "Limits",
    "Moment",
    "PacketsDropped",
    "Page",
    "Questions",
    "Reconciled",
    "RecordSettings",
    "Recorder",
    "RecorderState",
    "RecordingBlocked",
    "RecordingFailed",
    "RetentionPolicy",
    "Totals",
    "Trigger",
    "UnsafePathError",
]
