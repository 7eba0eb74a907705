"""The register as one table (RFC 4180). What a spreadsheet would take for a formula is text in it."""

import csv
from io import StringIO
import re
from typing import Any, Final

from .register_words import plain_when

COLUMNS: Final = (
    "section", "id", "time", "agency", "kind", "status", "from", "to", "outcome", "answers", "text",
)  # fmt: skip
# What spreadsheets begin a formula or a command with, also in the wide forms that some take for the same
_FORMULA: Final = re.compile("^[\\s\u3000]*[=+\\-@|%\uff1d\uff0b\uff0d\uff20\t\r]")
_CONTROL: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


def write(register: dict[str, Any]) -> bytes:
    """Return the file."""
    out = StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    names = {agency["id"]: agency["name"] for agency in register["agencies"]}
    for row in _rows(register, names):
        writer.writerow([_cell(row.get(column)) for column in COLUMNS])
    return out.getvalue().encode()


def _rows(register: dict[str, Any], names: dict[str, str]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    for one in register["agencies"]:
        policy = (
            f"{one['domain']}; key {one['fingerprint']}; kept {one['retention_days']} days; "
            f"sharing {one['sharing']}; face recognition {one['face_recognition']}; {one['terms']}"
        )
        rows.append(
            {
                "section": "agency",
                "id": one["id"],
                "time": plain_when(one["enrolled"]),
                "agency": one["name"],
                "kind": one["kind"],
                "status": one["standing"],
                "to": plain_when(one["hold_until"]),
                "text": policy,
            }
        )
    for one in register["partnerships"]:
        told = (
            f"code {one['code']}; {one['households']} households; "
            f"{one['cameras_given']} cameras given; {one['terms']}"
        )
        rows.append(
            {
                "section": "partnership",
                "id": one["id"],
                "time": plain_when(one["time"]),
                "agency": names.get(one["agency"]),
                "status": "replaced" if one["replaced"] else "current",
                "text": told,
            }
        )
    for one in register["requests"]:
        details = one["details"] or {}
        rows.append(
            {
                "section": "request",
                "id": one["id"],
                "time": plain_when(one["time"]),
                "agency": names.get(one["agency"]),
                "kind": one["incident"],
                "status": one["status"],
                "from": plain_when(one["from"]),
                "to": plain_when(one["to"]),
                "outcome": one["outcome"],
                "answers": one["answers"]["words"],
                "text": "; ".join(details.values()),
            }
        )
    rows += [
        {
            "section": "legal_demand",
            "id": one["id"],
            "time": plain_when(one["time"]),
            "agency": one["authority"],
            "kind": one["kind"],
            "from": plain_when(one["served"]),
            "text": f"{one['given']}; {one['told']}",
        }
        for one in register["demands"]
    ]
    rows += [
        {
            "section": "moderation",
            "id": one["item"],
            "time": plain_when(one["time"]),
            "kind": one["about"],
            "status": one["action"],
            "text": one["reason"],
        }
        for one in register["moderation"]
    ]
    return rows


def _cell(value: Any) -> str:
    text = "" if value is None else str(value)
    text = _CONTROL.sub("", text.replace("\n", " / "))
    return f"'{text}" if _FORMULA.match(text) else text
