"""What belongs to the loaded entry."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .neighborhoods import Neighborhoods
from .recording import Recordings
from .self_check import SelfChecks
from .settings import CameraSettingsStore
from .vision import Primitives

if TYPE_CHECKING:
    from .coordinator import MotionCoordinator
    from .footage_home import Footage


@dataclass(slots=True)
class RingwatchData:
    """What belongs to the loaded entry."""

    settings: CameraSettingsStore
    primitives: Primitives  # the pixel work, with OpenCV or without
    recordings: Recordings
    self_checks: SelfChecks
    neighborhoods: Neighborhoods
    footage: Footage
    cameras: dict[str, MotionCoordinator] = field(default_factory=dict)
    platforms: list[Callable[[], None]] = field(default_factory=list)
    """Each brings its platform's entities into line with `cameras`."""
    following: asyncio.Lock = field(default_factory=asyncio.Lock)  # one change of subentries at a time
