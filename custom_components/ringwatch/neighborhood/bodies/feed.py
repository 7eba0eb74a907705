"""What neighbors and officers write: posts, comments, thanks, alerts, and taking back."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

from ..canonical import Json
from ..fields import Fields, point_to_json
from ..places import Place
from ..types import Type
from ..violations import BadField

MAX_TITLE: Final = 120
MAX_TEXT: Final = 4_000
MAX_COMMENT: Final = 2_000
MAX_MEDIA: Final = 5
MAX_CLIP_BYTES: Final = 100 * 1024 * 1024
MAX_PICTURE_BYTES: Final = 8 * 1024 * 1024
MAX_CLIP_MS: Final = 10 * 60 * 1000
MAX_SIDE_PX: Final = 8_192
MAX_SPAN_S: Final = 7 * 86_400  # "some time last week" is the vaguest that helps anybody


class Category(StrEnum):
    """What a post is about. There is none for suspicious persons."""

    SAFETY = "safety"
    CRIME = "crime"
    PACKAGE = "package"
    LOST_AND_FOUND = "lost_and_found"
    ANIMAL = "animal"
    ENVIRONMENT = "environment"
    COMMUNITY = "community"


class MediaType(StrEnum):
    """What a clip or picture is."""

    MP4 = "video/mp4"
    JPEG = "image/jpeg"


@dataclass(frozen=True, slots=True)
class Media:
    """A clip or a picture, named by its SHA-256."""

    sha256: str
    size_bytes: int
    type: MediaType
    duration_ms: int  # 0 for a picture
    width: int
    height: int

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise BadField."""
        fields = Fields(value, "media")
        kind = fields.choice("type", MediaType)
        clip = kind is MediaType.MP4
        found = cls(
            sha256=fields.digest("sha256"),
            size_bytes=fields.integer("size", 1, MAX_CLIP_BYTES if clip else MAX_PICTURE_BYTES),
            type=kind,
            duration_ms=fields.integer("duration_ms", 1, MAX_CLIP_MS)
            if clip
            else fields.integer("duration_ms", 0, 0),
            width=fields.integer("width", 16, MAX_SIDE_PX),
            height=fields.integer("height", 16, MAX_SIDE_PX),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "sha256": self.sha256,
            "size": self.size_bytes,
            "type": self.type.value,
            "duration_ms": self.duration_ms,
            "width": self.width,
            "height": self.height,
        }


@dataclass(frozen=True, slots=True)
class Span:
    """When something happened: from, to. The same twice if it was a moment."""

    start_s: int
    end_s: int

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read it from its object."""
        found = cls(fields.time("from"), fields.time("to"))
        fields.end()
        if not 0 <= found.end_s - found.start_s <= MAX_SPAN_S:
            raise BadField("happened: `to` comes after `from`, at most 7 days")
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"from": self.start_s, "to": self.end_s}


@dataclass(frozen=True, slots=True)
class Post:
    """A member's or an officer's post."""

    TYPE: ClassVar[Type] = Type.POST
    category: Category
    title: str
    text: str
    place: Place | None
    happened: Span
    media: tuple[Media, ...] = ()

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "post")
        found = cls.read(fields)
        fields.end()
        return found

    @classmethod
    def read(cls, fields: Fields) -> Self:
        """Read the fields that an alert has, too."""
        media = tuple(Media.parse(item) for item in fields.items("media", 0, MAX_MEDIA))
        if len({item.sha256 for item in media}) != len(media):
            raise BadField("media: the same twice")
        return cls(
            category=fields.choice("category", Category),
            title=fields.text("title", MAX_TITLE, empty=False),
            text=fields.text("text", MAX_TEXT, lines=True),
            place=fields.optional("place", fields.place),
            happened=Span.read(fields.inner("happened")),
            media=media,
        )

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {
            "category": self.category.value,
            "title": self.title,
            "text": self.text,
            "place": point_to_json(self.place) if self.place else None,
            "happened": self.happened.to_json(),
            "media": [item.to_json() for item in self.media],
        }


@dataclass(frozen=True, slots=True)
class Alert:
    """An officer's alert: a post that holds for a time."""

    TYPE: ClassVar[Type] = Type.ALERT
    post: Post
    valid_until_s: int

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "alert")
        valid_until_s = fields.time("valid_until")
        found = cls(Post.read(fields), valid_until_s)
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return self.post.to_json() | {"valid_until": self.valid_until_s}


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment below a post or an alert."""

    TYPE: ClassVar[Type] = Type.COMMENT
    post: str
    text: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "comment")
        found = cls(fields.digest("post"), fields.text("text", MAX_COMMENT, lines=True, empty=False))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"post": self.post, "text": self.text}


@dataclass(frozen=True, slots=True)
class Thanks:
    """Thanks for a post, an alert or a comment."""

    TYPE: ClassVar[Type] = Type.THANKS
    target: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "thanks")
        found = cls(fields.digest("target"))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"target": self.target}


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Taking one's post, comment or alert back: body and media are erased everywhere."""

    TYPE: ClassVar[Type] = Type.WITHDRAW
    target: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read it. Raise RecordViolation."""
        fields = Fields(value, "withdraw")
        found = cls(fields.digest("target"))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"target": self.target}
