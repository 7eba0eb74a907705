"""What can go wrong with a source, each with a type and a stable code (the key of its translation).

Every message is cut down by `redact`: no user name, password or stream key gets into a log or an answer.
"""

# ruff: noqa: N818 - these are the names of the contract: what happened, not "error" thirteen times

import errno
from typing import ClassVar

import av.error

from .redaction import redact


class SourceError(Exception):
    """Why a source cannot be read."""

    code: ClassVar[str] = "unknown"

    def __init__(self, message: str) -> None:
        super().__init__(redact(message))


class InvalidUrl(SourceError):
    """The address is not one that can be opened."""

    code = "invalid_url"


class Unreachable(SourceError):
    """Nobody answers at that address, or it refuses connections."""

    code = "unreachable"


class WrongCredentials(SourceError):
    """The camera wants another user name or password."""

    code = "wrong_credentials"


class NotFound(SourceError):
    """The host answers, but has no such stream or file."""

    code = "not_found"


class NoVideo(SourceError):
    """It opens, but there is no picture in it."""

    code = "no_video"


class UnsupportedCodec(SourceError):
    """There is a picture in a coding that this machine cannot decode."""

    code = "unsupported_codec"


class TimedOut(SourceError):
    """Opening took too long."""

    code = "timed_out"


class Stalled(SourceError):
    """The connection is open, but no picture has come for too long."""

    code = "stalled"


class EndOfStream(SourceError):
    """The file is at its end, or the camera closed the connection."""

    code = "end_of_stream"


class TlsFailed(SourceError):
    """No encrypted connection, or a certificate that is not trusted."""

    code = "tls_failed"


class BrokenStream(SourceError):
    """What comes is not a stream that can be followed."""

    code = "broken_stream"


class Stopped(SourceError):
    """The stop event was set: not a failure."""

    code = "stopped"


_BY_ERRNO: dict[int, type[SourceError]] = {
    errno.ECONNREFUSED: Unreachable,
    errno.EHOSTUNREACH: Unreachable,
    errno.ENETUNREACH: Unreachable,
    errno.EHOSTDOWN: Unreachable,
    errno.EADDRNOTAVAIL: Unreachable,
    errno.ETIMEDOUT: TimedOut,
    errno.ENOENT: NotFound,
    errno.EISDIR: NoVideo,
    errno.EPROTONOSUPPORT: InvalidUrl,
}


def from_ffmpeg(error: Exception, shown: str) -> SourceError:
    """Turn an error of PyAV or the system into ours. `shown` names the source without credentials.

    The original's text is not taken over: PyAV puts the whole address into it.
    """
    if isinstance(error, SourceError):
        return error
    match error:
        case av.error.HTTPUnauthorizedError() | av.error.HTTPForbiddenError():
            return WrongCredentials(f"{shown} does not accept the user name or password")
        case av.error.HTTPNotFoundError():
            return NotFound(f"{shown} has no such stream")
        case av.error.HTTPError():
            return BrokenStream(f"{shown} refuses to play the stream ({error.strerror})")
        case av.error.ExitError():
            return TimedOut(f"{shown} did not start a stream in time")
        case av.error.EOFError():
            return EndOfStream(f"{shown} ended the stream")
        case av.error.DecoderNotFoundError():
            return UnsupportedCodec(f"{shown} sends a coding that cannot be decoded here")
        case av.error.DemuxerNotFoundError() | av.error.ProtocolNotFoundError():
            return InvalidUrl(f"{shown} is of a kind that cannot be opened")
        case av.error.InvalidDataError():
            return NoVideo(f"{shown} is not a video")
        case OSError():
            kind = _BY_ERRNO.get(error.errno or 0, BrokenStream)
            return kind(f"{shown}: {error.strerror or type(error).__name__}")
    return BrokenStream(f"{shown}: {type(error).__name__}")
