"""Keeping the feed decent: flags, what moderators decide, and appeals against it."""

from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar, Final, Self

from ..canonical import Json
from ..fields import Fields
from ..types import Type

MAX_REASON: Final = 1_000


class FlagReason(StrEnum):
    """Why somebody flags something."""

    PRIVACY = "privacy"
    HATE = "hate"
    HARASSMENT = "harassment"
    FALSE = "false"
    SPAM = "spam"
    VIOLENCE = "violence"
    OTHER = "other"


class Action(StrEnum):
    """What a moderator decides."""

    HOLD = "hold"
    REMOVE = "remove"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True)
class Flag:
    """A member says that something should be looked at."""

    TYPE: ClassVar[Type] = Type.FLAG
    target: str
    reason: FlagReason
    text: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "flag")
        found = cls(
            fields.digest("target"),
            fields.choice("reason", FlagReason),
            fields.text("text", MAX_REASON, lines=True),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"target": self.target, "reason": self.reason.value, "text": self.text}


@dataclass(frozen=True, slots=True)
class Moderation:
    """A moderator's decision. It is public, with its reason."""

    TYPE: ClassVar[Type] = Type.MODERATION
    target: str
    action: Action
    reason: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "moderation")
        action = fields.choice("action", Action)
        found = cls(
            fields.digest("target"),
            action,
            fields.text("reason", MAX_REASON, lines=True, empty=action is Action.RESTORE),
        )
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"target": self.target, "action": self.action.value, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Appeal:
    """An author asks the moderators to look again."""

    TYPE: ClassVar[Type] = Type.APPEAL
    target: str
    text: str

    @classmethod
    def parse(cls, value: Json) -> Self:
        """Read one. Raise RecordViolation."""
        fields = Fields(value, "appeal")
        found = cls(fields.digest("target"), fields.text("text", MAX_REASON, lines=True, empty=False))
        fields.end()
        return found

    def to_json(self) -> dict[str, Json]:
        """Return how it is written."""
        return {"target": self.target, "text": self.text}
