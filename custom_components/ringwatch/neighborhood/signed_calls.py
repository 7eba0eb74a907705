"""Calls that carry their caller's signature: no cookie, no password, nothing to replay elsewhere.

Signed are the words `ringwatch/request/v1`, the neighborhood, the hub's key, method, path (as sent, with its
query), the
body's digest and the time. Reads can be repeated within the window and give the same; records are the same by
their id.
A caller whose clock is wrong is told the hub's time, signed, and goes by that from then on.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
import hashlib
import re
from typing import Final

from .canonical import Json, encode
from .fields import MAX_TIME_S, Fields
from .keys import PrivateKey, is_public_key, is_signature, verify
from .limits import DAY_S
from .violations import BadCall, RecordViolation, WrongTime

CALL_CONTEXT: Final = "ringwatch/request/v1"
TIME_CONTEXT: Final = "ringwatch/time/v1"
KEY_HEADER: Final = "Ringwatch-Key"
TIME_HEADER: Final = "Ringwatch-Time"
SIGNATURE_HEADER: Final = "Ringwatch-Signature"
WINDOW_S: Final = 120  # either way: a slow line and a clock that drifts
TRUST_S: Final = DAY_S  # how far from a home's own clock a hub's times may end things
FAR_OFF_S: Final = 300  # then people should hear that a clock is wrong
_PATH: Final = re.compile(r"/[\x21-\x7e]{0,1023}")
_METHOD: Final = re.compile(r"[A-Z]{3,7}")
_TIME: Final = re.compile(r"0|[1-9][0-9]{0,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Call:
    """A call whose signature is right and whose time is now. Who may do what is the next question."""

    key: str
    time_s: int


def sign_call(
    key: PrivateKey, *, neighborhood: str, hub_key: str, method: str, path: str, body: bytes, time_s: int
) -> dict[str, str]:
    """Return the headers that a call needs."""
    digest = _digest((neighborhood, hub_key, method, path, hashlib.sha256(body).hexdigest(), str(time_s)))
    return {
        KEY_HEADER: key.public,
        TIME_HEADER: str(time_s),
        SIGNATURE_HEADER: key.sign(CALL_CONTEXT, digest),
    }


def verify_call(
    headers: Mapping[str, str],
    *,
    neighborhood: str,
    hub_key: str,
    method: str,
    path: str,
    body_digest: str,
    now_s: int,
) -> Call:
    """Check a call. Raise BadCall, or WrongTime if only that is wrong: answer it with `refuse_time`."""
    key, time, sig = (headers.get(name, "") for name in (KEY_HEADER, TIME_HEADER, SIGNATURE_HEADER))
    if not is_public_key(key) or not is_signature(sig) or not _TIME.fullmatch(time):
        raise BadCall("the headers of a signed call are missing or malformed")
    time_s = int(time)
    digest = _digest((neighborhood, hub_key, method, path, body_digest, time))
    if not verify(key, CALL_CONTEXT, digest, sig):
        raise BadCall("the signature doesn't fit this call")
    if abs(time_s - now_s) > WINDOW_S:
        raise WrongTime(f"signed {time_s - now_s} s from the hub's time")
    return Call(key, time_s)


def _digest(lines: tuple[str, str, str, str, str, str]) -> bytes:
    _, _, method, path, _, _ = lines
    if not _METHOD.fullmatch(method) or not _PATH.fullmatch(path):
        raise BadCall("a method or a path that can't be signed")
    return hashlib.sha256("\n".join(lines).encode()).digest()


def refuse_time(hub: PrivateKey, *, neighborhood: str, signature: str, now_s: int) -> dict[str, Json]:
    """Return what to answer to a call with a wrong time: the hub's, signed for this call's signature only."""
    sig = hub.sign(TIME_CONTEXT, _time_digest(neighborhood, signature, now_s))
    return {"code": WrongTime.code, "time": now_s, "sig": sig}


def read_time_refusal(value: Json, *, neighborhood: str, hub_key: str, signature: str) -> int:
    """Return the hub's time from its answer to the call with this signature. Raise BadCall."""
    try:
        fields = Fields(value, "refusal")
        code, time_s, sig = fields.string("code"), fields.time("time"), fields.signature("sig")
        fields.end()
    except RecordViolation as error:
        raise BadCall("not a refusal for time") from error
    digest = _time_digest(neighborhood, signature, time_s)
    if code != WrongTime.code or not verify(hub_key, TIME_CONTEXT, digest, sig):
        raise BadCall("the hub's time is not signed by the hub")
    return time_s


def _time_digest(neighborhood: str, signature: str, time_s: int) -> bytes:
    signed: dict[str, Json] = {"neighborhood": neighborhood, "request": signature, "time": time_s}
    return hashlib.sha256(encode(signed)).digest()


class HubClock:
    """The hub's time, as far as this home knows."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock  # seconds since 1970
        self.offset_s = 0

    def now_s(self) -> int:
        """Return the hub's time."""
        return min(max(int(self._clock()) + self.offset_s, 0), MAX_TIME_S)

    def judging_s(self) -> int:
        """Return the time that what the hub dates is compared with: its own, but near to this home's clock.

        A hub may put a home's clock anywhere. It must not have texts and clips end early by that.
        """
        own_s = int(self._clock())
        return own_s + max(-TRUST_S, min(TRUST_S, self.offset_s))

    def correct(self, hub_time_s: int) -> None:
        """Go by the hub's time from now on."""
        self.offset_s = hub_time_s - int(self._clock())

    @property
    def is_far_off(self) -> bool:
        """Whether the two clocks differ so much that people should look after them."""
        return abs(self.offset_s) > FAR_OFF_S
