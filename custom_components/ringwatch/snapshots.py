"""The pictures of a camera's last events, in memory, each under an address of its own.

The address is plain and needs a login: a notification in the Companion app can show it, and a log or a
shared automation trace that carries it gives nothing away.
"""

from collections import OrderedDict
from datetime import datetime
import secrets

from .const import DOMAIN

KEPT = 20  # about 2 MB a camera; clips keep what has to last
URL = f"/api/{DOMAIN}/snapshot/{{subentry_id}}/{{snapshot_id}}"


class Snapshots:
    """Bounded; the oldest goes first."""

    def __init__(self, subentry_id: str) -> None:
        """Begin empty."""
        self._subentry_id = subentry_id
        self._jpegs: OrderedDict[str, bytes] = OrderedDict()
        self._aside: tuple[str, bytes] | None = None
        self.taken_at: datetime | None = None

    @property
    def latest(self) -> bytes | None:
        """The newest picture."""
        return next(reversed(self._jpegs.values()), None)

    def keep(self, jpeg: bytes, taken_at: datetime) -> str:
        """Add a picture and return its address."""
        snapshot_id = f"{taken_at:%Y%m%dT%H%M%S}-{secrets.token_hex(4)}.jpg"
        self._jpegs[snapshot_id] = jpeg
        self.taken_at = taken_at
        while len(self._jpegs) > KEPT:
            self._jpegs.popitem(last=False)
        return self._path(snapshot_id)

    def keep_aside(self, jpeg: bytes) -> str:
        """Keep a picture that is no event's, in place of the one before, and return its address."""
        snapshot_id = f"{secrets.token_hex(8)}.jpg"
        self._aside = snapshot_id, jpeg
        return self._path(snapshot_id)

    def get(self, snapshot_id: str) -> bytes | None:
        """Return a picture, None if it is gone or never was."""
        if self._aside is not None and self._aside[0] == snapshot_id:
            return self._aside[1]
        return self._jpegs.get(snapshot_id)

    def has(self, path: str) -> bool:
        """Tell whether the picture of this address is still there."""
        return path.rpartition("/")[2] in self._jpegs

    def clear(self) -> None:
        """Forget all pictures."""
        self._jpegs.clear()
        self._aside = None
        self.taken_at = None

    def _path(self, snapshot_id: str) -> str:
        return URL.format(subentry_id=self._subentry_id, snapshot_id=snapshot_id)
