"""What crosses the border of this folder: settings in, clips and news of them out."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from ..vision import Box, Zone

PRE_ROLL_S = 5.0  # a visitor is in view about 3 s before pressing
POST_ROLL_S = 5.0
MAX_ROLL_S = 30.0
MAX_PART_S = 300.0  # a file that a phone still loads and scrubs through
LOOK_BACK_S = 30.0  # 15 MB a camera at 4 Mb/s


class Trigger(StrEnum):
    """Why a clip was recorded."""

    MOTION = "motion"
    PRESS = "press"
    SAVE = "save"


@dataclass(frozen=True, slots=True)
class RecordSettings:
    """The owner's choices for one camera. Zones of other kinds than privacy don't matter here."""

    pre_roll_s: float = PRE_ROLL_S
    post_roll_s: float = POST_ROLL_S
    max_part_s: float = MAX_PART_S
    record_sound: bool = False
    look_back_s: float = LOOK_BACK_S
    zones: tuple[Zone, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what the settings page doesn't offer."""
        for name in ("pre_roll_s", "post_roll_s", "look_back_s"):
            if not 0.0 <= getattr(self, name) <= MAX_ROLL_S:
                raise ValueError(f"{name} must be 0 to {MAX_ROLL_S:.0f} seconds")
        if not 10.0 <= self.max_part_s <= 3600.0:
            raise ValueError("max_part_s must be 10 to 3600 seconds")


@dataclass(frozen=True, slots=True)
class CameraRef:
    """A camera: an id that never changes, and the name that its owner gave it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Where something moved at a time of the clip, in seconds from its start."""

    time_s: float
    boxes: tuple[Box, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """A clip is kept for the answer to a request, as long as there is room for it."""

    request: str
    since_ms: int


@dataclass(frozen=True, slots=True)
class Clip:
    """One file and what is known of it. Times are UTC.

    A recording longer than `max_part_s`, or one that a camera's absence broke, is several clips with one
    `recording` and growing `part`. `clock_offset_s` is how far this machine's clock was from true time, as
    far as known. `dropped_s` is how much is missing inside because the disk could not keep up.
    """

    id: str
    recording: str
    part: int
    camera_id: str
    camera_name: str
    start: datetime
    end: datetime
    onset: datetime | None
    utc_offset_s: int
    clock_offset_s: float | None
    triggers: frozenset[Trigger]
    zones: frozenset[str]
    score: float
    reason: Mapping[str, Any] | None
    moments: tuple[Moment, ...]
    codec: str
    width: int
    height: int
    has_sound: bool
    masked: bool
    recovered: bool = False
    dropped_s: float = 0.0
    path: str = ""  # relative to the storage folder, with slashes
    size_bytes: int = 0
    sha256: str | None = None
    protected: bool = False
    shared: tuple[str, ...] = field(default=())
    held: tuple[Hold, ...] = field(default=())

    @property
    def duration_s(self) -> float:
        """Return the length in seconds."""
        return (self.end - self.start).total_seconds()

    @property
    def thumbnail(self) -> str:
        """Return the path of the picture beside the clip."""
        return self.path.removesuffix(".mp4") + ".jpg"

    def document(self) -> dict[str, Any]:
        """Return what the file says of itself: everything but where it is and what became of it."""
        return {
            "ringwatch": 1,
            "id": self.id,
            "recording": self.recording,
            "part": self.part,
            "camera_id": self.camera_id,
            "camera_name": self.camera_name,
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "onset": self.onset.isoformat() if self.onset else None,
            "utc_offset_s": self.utc_offset_s,
            "clock_offset_s": self.clock_offset_s,
            "triggers": sorted(self.triggers),
            "zones": sorted(self.zones),
            "score": self.score,
            "reason": dict(self.reason) if self.reason else None,
            "moments": moments_document(self.moments),
            "codec": self.codec,
            "width": self.width,
            "height": self.height,
            "has_sound": self.has_sound,
            "masked": self.masked,
            "recovered": self.recovered,
            "dropped_s": self.dropped_s,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], **kept: Any) -> Self:
        """Read what a file says of itself; `kept` are the fields that it doesn't know.

        Raise ValueError if it is not what `document` wrote.
        """
        try:
            onset = document["onset"]
            clock_offset = document["clock_offset_s"]
            reason = document["reason"]
            return cls(
                id=_name(document["id"]),
                recording=_name(document["recording"]),
                part=int(document["part"]),
                camera_id=_name(document["camera_id"]),
                camera_name=str(document["camera_name"]),
                start=datetime.fromisoformat(document["start"]),
                end=datetime.fromisoformat(document["end"]),
                onset=datetime.fromisoformat(onset) if onset else None,
                utc_offset_s=int(document["utc_offset_s"]),
                clock_offset_s=None if clock_offset is None else float(clock_offset),
                triggers=frozenset(Trigger(name) for name in document["triggers"]),
                zones=frozenset(map(str, document["zones"])),
                score=float(document["score"]),
                reason=dict(reason) if reason else None,
                moments=read_moments(document["moments"]),
                codec=str(document["codec"]),
                width=int(document["width"]),
                height=int(document["height"]),
                has_sound=bool(document["has_sound"]),
                masked=bool(document["masked"]),
                recovered=bool(document["recovered"]),
                dropped_s=float(document["dropped_s"]),
                **kept,
            )
        except (KeyError, TypeError) as error:
            raise ValueError("this is not a clip's document") from error


def moments_document(moments: Iterable[Moment]) -> list[Any]:
    """Return moments as they are kept: tenths of a second, thousandths of the picture."""
    return [[round(m.time_s * 10), [[round(v * 1000) for v in box] for box in m.boxes]] for m in moments]


def read_moments(found: Any) -> tuple[Moment, ...]:
    """Return what `moments_document` made."""
    return tuple(
        Moment(at / 10, tuple((x / 1000, y / 1000, w / 1000, h / 1000) for x, y, w, h in boxes))
        for at, boxes in found
    )


def holds_document(holds: Iterable[Hold]) -> list[Any]:
    """Return holds as they are kept."""
    return [[hold.request, hold.since_ms] for hold in holds]


def read_holds(found: Any) -> tuple[Hold, ...]:
    """Return what `holds_document` made."""
    return tuple(Hold(str(request), int(since_ms)) for request, since_ms in found)


def _name(value: object) -> str:
    if not isinstance(value, str) or not value or len(value) > 64:
        raise ValueError("an id must be a short text")
    return value


@dataclass(frozen=True, slots=True)
class ClipReady:
    """A clip is whole, in its place and in the catalogue."""

    clip: Clip


@dataclass(frozen=True, slots=True)
class PacketsDropped:
    """The disk or the processor could not keep up: so much of a camera's stream is in no clip."""

    camera_id: str
    packets: int
    seconds: float


@dataclass(frozen=True, slots=True)
class RecordingBlocked:
    """Nothing is recorded any more (a stable code), or again (None). `camera_id` "" means all cameras."""

    camera_id: str
    code: str | None


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """A clip could not be written, or not all of it."""

    camera_id: str
    code: str
    detail: str


@dataclass(frozen=True, slots=True)
class HoldsEnded:
    """There was too little room for all clips that are held for answers: these are held no longer."""

    clips: tuple[Clip, ...]


@dataclass(frozen=True, slots=True)
class FilesChanged:
    """Files came, went or were moved by another hand; the catalogue follows."""


type ClipNews = ClipReady | FilesChanged | HoldsEnded | PacketsDropped | RecordingBlocked | RecordingFailed
