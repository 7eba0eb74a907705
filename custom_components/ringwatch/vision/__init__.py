"""Vision: frames in, motion out. NumPy, and OpenCV where it is installed; no I/O and no clock."""

from .detector import Detector
from .explain import Explanation, Shown
from .primitives import Primitives, resize_mask, select_primitives
from .self_check import Activity, Proposal, SelfCheck
from .sight import Sight
from .stills import StillsDetector
from .types import (
    DEFAULT_SENSITIVITY,
    Box,
    DetectorSettings,
    EngineError,
    FrameResult,
    MotionEnd,
    MotionStart,
    Reason,
)
from .zones import Zone, ZoneError, ZoneKind, parse_zones, zone_mask, zones_to_json

__all__ = [
    "DEFAULT_SENSITIVITY",
    "Activity",
    "Box",
    "Detector",
    "DetectorSettings",
    "EngineError",
    "Explanation",
    "FrameResult",
    "MotionEnd",
    "MotionStart",
    "Primitives",
    "Proposal",
    "Reason",
    "SelfCheck",
    "Shown",
    "Sight",
    "StillsDetector",
    "Zone",
    "ZoneError",
    "ZoneKind",
    "parse_zones",
    "resize_mask",
    "select_primitives",
    "zone_mask",
    "zones_to_json",
]
