"""Refusals: what a caller is told, with a stable code. None of them repeats what the caller sent."""

from collections.abc import Mapping
from typing import Any, Final

from ..neighborhood.violations import CallViolation, RecordViolation, TooLarge, Violation

PROTOCOL: Final = 1


class Refusal(Exception):  # noqa: N818 - most are nobody's error
    """A call that is not answered as it wished."""

    def __init__(
        self,
        status: int,
        code: str,
        about: str,
        *,
        retry_after_s: int | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(f"{code}: {about}")
        self.status = status
        self.code = code
        self.about = about
        self.retry_after_s = retry_after_s
        self.more = more or {}

    def to_json(self) -> dict[str, Any]:
        """Return the answer's body."""
        return {"code": self.code, "about": self.about, **self.more}


def bad_request(about: str) -> Refusal:
    """Return the refusal of a call that is not formed as it should be."""
    return Refusal(400, "bad_request", about)


def not_found() -> Refusal:
    """Return the refusal for what isn't there, or isn't there for this caller: nobody can tell which."""
    return Refusal(404, "not_found", "there is no such thing, or not for you")


def forbidden(code: str, about: str) -> Refusal:
    """Return the refusal of a caller."""
    return Refusal(403, code, about)


def busy(retry_after_s: int = 5) -> Refusal:
    """Return the refusal of a call that is welcome later."""
    return Refusal(503, "busy", "too much at once, try again", retry_after_s=retry_after_s)


def storage_full() -> Refusal:
    """Return the refusal of a hub without space."""
    return Refusal(507, "storage_full", "the hub's disk is full")


def rate_limited(retry_after_s: float) -> Refusal:
    """Return the refusal of somebody who calls too often."""
    return Refusal(429, "rate_limited", "too many calls", retry_after_s=max(1, round(retry_after_s + 0.5)))


def quota_exceeded(what: str, retry_after_s: int) -> Refusal:
    """Return the refusal of somebody who has used up a quota."""
    return Refusal(429, "quota_exceeded", f"the quota of {what} is used up", retry_after_s=retry_after_s)


def media_refused(reason: str) -> Refusal:
    """Return the refusal of a clip or picture that isn't what it should be."""
    return Refusal(
        422, "media_refused", "the file is not what was announced, or may not be", more={"reason": reason}
    )


def of_violation(violation: Violation) -> Refusal:
    """Return what a violation of the protocol is as an answer."""
    status = 422
    if isinstance(violation, CallViolation) or (
        isinstance(violation, RecordViolation) and violation.forbidden
    ):
        status = 403
    elif isinstance(violation, TooLarge):
        status = 413
    return Refusal(status, violation.code, violation.about)
