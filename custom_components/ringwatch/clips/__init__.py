"""Clips: from a camera's packets to files that nobody loses, and the catalogue of them. See docs/clips.md.

A `Recorder` per camera writes, one `ClipStore` for all keeps. No Home Assistant here.
"""

from .model import (
    CameraRef,
    Clip,
    ClipNews,
    ClipReady,
    FilesChanged,
    Hold,
    HoldsEnded,
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
from .worker import PausedError, StoppedError

__all__ = [
    "BadCursorError",
    "CameraRef",
    "Clip",
    "ClipNews",
    "ClipReady",
    "ClipStore",
    "Deleted",
    "FilesChanged",
    "Hold",
    "HoldsEnded",
    "Limits",
    "Moment",
    "PacketsDropped",
    "Page",
    "PausedError",
    "Questions",
    "Reconciled",
    "RecordSettings",
    "Recorder",
    "RecorderState",
    "RecordingBlocked",
    "RecordingFailed",
    "RetentionPolicy",
    "StoppedError",
    "Totals",
    "Trigger",
    "UnsafePathError",
]
