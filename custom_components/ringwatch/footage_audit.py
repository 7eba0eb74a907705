"""The audit log as the panel and actions show it."""

from collections.abc import Iterable
from typing import Any

from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util

from .footage.audit import Line
from .footage.audit_text import in_words


async def async_entry_forms(hass: HomeAssistant, lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return lines of the log, each with a sentence that says what happened, and who did it by name."""
    names = {user.id: user.name or user.id for user in await hass.auth.async_get_users()}
    return [_form(line, names) for line in lines]


def _form(line: Line, names: dict[str, str]) -> dict[str, Any]:
    facts: dict[str, Any] = dict(line.facts)
    if by := facts.get("by"):
        facts["by_name"] = names.get(str(by), str(by))
    return {
        "n": line.n,
        "time": line.time_s,
        "when": dt_util.as_local(dt_util.utc_from_timestamp(line.time_s)).isoformat(),
        "what": line.what,
        "text": in_words(line),
        "facts": facts,
    }
