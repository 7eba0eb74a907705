"""How an answer is kept on disk: one JSON document."""

from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import asdict
import json
from typing import Any

from ..neighborhood.delivery import Arrival, Receipt
from ..vision import Box
from .answer_states import Answer, Prepared, Selection, State
from .custody import CustodyClip
from .parties import Identity, IdentityKind, Recipient


def write(answer: Answer) -> str:
    """Return the document."""
    seed = answer.delivery_seed
    return json.dumps(
        {
            **{name: getattr(answer, name) for name in _PLAIN},
            "state": answer.state.value,
            "selections": [asdict(one) for one in answer.selections],
            "identity": asdict(answer.identity),
            "recipient": asdict(answer.recipient) if answer.recipient else None,
            "prepared": [[one.clip_id, one.clip.to_json()] for one in answer.prepared],
            "delivery_seed": b64encode(seed).decode() if seed else None,
            "arrival": answer.arrival.to_json() if answer.arrival else None,
            "receipts": [receipt.to_json() for receipt in answer.receipts],
        }
    )


def read(document: str) -> Answer:
    """Return what `write` was given."""
    found: dict[str, Any] = json.loads(document)
    seed, arrival, recipient = found["delivery_seed"], found["arrival"], found["recipient"]
    return Answer(
        **{name: found[name] for name in _PLAIN},
        state=State(found["state"]),
        selections=tuple(_selection(one) for one in found["selections"]),
        identity=Identity(**found["identity"] | {"kind": IdentityKind(found["identity"]["kind"])}),
        recipient=Recipient(**recipient) if recipient else None,
        prepared=tuple(Prepared(clip_id, CustodyClip.parse(clip)) for clip_id, clip in found["prepared"]),
        delivery_seed=b64decode(seed) if seed else None,
        arrival=Arrival.parse(arrival) if arrival else None,
        receipts=tuple(Receipt.parse(receipt) for receipt in found["receipts"]),
    )


_PLAIN = (
    "id",
    "neighborhood",
    "request",
    "created_s",
    "changed_s",
    "revision",
    "folder",
    "contents",
    "confirmed_s",
    "confirmed_by",
    "release_s",
    "code",
    "problem",
    "delivery",
    "sha256",
    "size_bytes",
    "uploaded_bytes",
)


def _selection(found: Mapping[str, Any]) -> Selection:
    keep_only = found["keep_only"]
    return Selection(
        **{
            **found,
            "boxes": tuple(map(_box, found["boxes"])),
            "keep_only": _box(keep_only) if keep_only else None,
        }
    )


def _box(found: list[float]) -> Box:
    left, top, right, bottom = found
    return left, top, right, bottom
