"""What the sender goes by: when receipts are asked for, and what refusals mean for an answer."""

import errno
import sqlite3
from typing import Final

from ..neighborhood.delivery import Receipt
from .answer_states import Answer, State
from .standing import Standing

# How often receipts are asked for, by how long ago the package arrived; and then no more.
POLLS: Final = ((3600, 120.0), (86_400, 900.0), (30 * 86_400, 21_600.0), (400 * 86_400, 86_400.0))
# What a hub's refusal means for an answer.
FAILS: Final = {
    "not_open": "request_closed",
    "not_found": "request_closed",
    "agency_gone": "agency_gone",
    "not_a_member": "not_a_member",
    "removed": "not_a_member",
}
WAITS: Final = {"too_many": "quota", "hub_full": "hub_full", "busy": "hub_busy", "too_slow": "hub_busy"}


def poll_s(answer: Answer, now_s: float) -> float | None:
    """Return how often an answer's receipts are asked for; None if they aren't."""
    if answer.arrival is None or answer.state not in {State.SENT, State.RECEIVED}:
        return None
    age_s = now_s - answer.changed_s
    return next((every_s for until_s, every_s in POLLS if age_s < until_s), None)


def wrong_receipt(receipt: Receipt, answer: Answer, standing: Standing) -> str | None:
    """Return why a receipt is not taken. Its own signature fits already."""
    if (receipt.delivery, receipt.request, receipt.sha256) != (
        answer.delivery,
        answer.request,
        answer.sha256,
    ):
        return "other_delivery"
    if receipt.time_s > standing.officers.get(receipt.officer, -1):
        return "not_an_officer"
    return None


def disk_problem(error: Exception) -> str:
    """Return what people are told of it."""
    full = getattr(error, "errno", None) in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    full |= getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
    return "disk_full" if full else "disk"
