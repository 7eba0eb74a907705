"""Making an answer's package on disk: ciphertext only, and it has its name only when it is whole."""

import os
from pathlib import Path
import threading

from ..neighborhood.keys import PrivateKey
from .answer_states import Answer
from .custody import Custody
from .package import PackageError, PackagePlan, Sealed, write_package
from .parties import IdentityKind
from .standing import Standing


class PackingStoppedError(Exception):
    """The package is no longer wanted."""


def plan_package(
    answer: Answer,
    standing: Standing,
    *,
    folder: Path,
    delivery: PrivateKey,
    member: PrivateKey,
    own_recipient: str,
    software: str,
) -> PackagePlan:
    """Return what goes into an answer's package. The member's key is in it only if a name was ticked."""
    named = answer.identity.kind is not IdentityKind.ANONYMOUS
    return PackagePlan(
        custody=Custody(
            neighborhood=answer.neighborhood,
            request=answer.request,
            recipient=standing.recipient,
            delivery_key=delivery.public,
            created_s=standing.now_s,
            software=software,
            identity=answer.identity,
            member_key=member.public if named else None,
            clips=tuple(one.clip for one in answer.prepared),
        ),
        folder=folder,
        delivery=delivery,
        member=member if named else None,
        certificates=standing.certificates,
        own_recipient=own_recipient,
    )


def pack(plan: PackagePlan, part: Path, stopped: threading.Event) -> Sealed:
    """Write a package and have it on disk. Raise PackageError, PackingStoppedError or OSError."""
    out = _Out(part, stopped)
    try:
        return write_package(out, plan)
    except FileNotFoundError as error:
        raise PackageError("changed", "a clip is gone") from error
    finally:
        out.close()


class _Out:
    """A file that stops being written when nobody wants it any more."""

    def __init__(self, path: Path, stopped: threading.Event) -> None:
        self._file = path.open("wb")
        self._stopped = stopped

    def write(self, data: bytes) -> int:
        if self._stopped.is_set():
            raise PackingStoppedError
        return self._file.write(data)

    def close(self) -> None:
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
        finally:
            self._file.close()
