"""Repair issues about neighborhoods: what happened, and what somebody can do about it."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import (
    DOMAIN,
    HUB_CLOCK,
    ISSUE_HUB,
    ISSUE_HUB_CLOCK,
    ISSUE_HUB_LEFT,
    ISSUE_NEIGHBORHOOD,
    ISSUE_OUTSIDE,
    ISSUE_REFUSED,
)
from .plain_text import harmless

# Why a neighborhood doesn't work, each with a text of its own. The lies begin with hub_.
TROUBLES: Final = frozenset(
    {
        "clock_off",
        "disk",
        "hub_bad_segment",
        "hub_body_withheld",
        "hub_order_broken",
        "hub_order_forked",
        "hub_order_gap",
        "hub_order_rewound",
        "hub_order_unsigned",
        "hub_record_refused",
        "hub_time_backwards",
        "hub_wrong_record",
        "key_lost",
        "newer_copy",
        "removed",
    }
)
LASTING: Final = frozenset({"clock_off", "hub_body_withheld"})  # it works all the same
# Why something is refused, where people can do something about it; any other is "other".
REFUSED: Final = frozenset({"limit_reached", "media_refused", "outside_area", "quota_exceeded"})


@callback
def async_set_hub(hass: HomeAssistant, code: str | None, folder: str, port: int) -> None:
    """Say why the hub doesn't run here, or (None) that it does."""
    for issue_id, stays in ((ISSUE_HUB, code not in {None, HUB_CLOCK}), (ISSUE_HUB_CLOCK, code == HUB_CLOCK)):
        if not stays:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
    if code is None:
        return
    if code == HUB_CLOCK:
        ir.async_create_issue(
            hass,
            DOMAIN,
            ISSUE_HUB_CLOCK,
            is_fixable=True,
            severity=ir.IssueSeverity.ERROR,
            translation_key=ISSUE_HUB_CLOCK,
        )
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_HUB,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"{ISSUE_HUB}_{code}",
        translation_placeholders={"folder": folder, "port": str(port)},
    )


@callback
def async_set_outside(hass: HomeAssistant, subentry_id: str, name: str, url: str, code: str | None) -> None:
    """Say that the hub isn't what answers at its public address, or (None) that it is."""
    issue_id = f"{ISSUE_OUTSIDE}_{subentry_id}"
    if code is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=f"{ISSUE_OUTSIDE}_{code}",
        translation_placeholders={"name": harmless(name), "url": url},
    )


@callback
def async_set_trouble(
    hass: HomeAssistant, subentry_id: str, name: str, code: str | None, about: str = ""
) -> None:
    """Say what is wrong with a neighborhood, or (None) that nothing is."""
    issue_id = f"{ISSUE_NEIGHBORHOOD}_{subentry_id}"
    if code is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING if code in LASTING else ir.IssueSeverity.ERROR,
        translation_key=code if code in TROUBLES else "hub_other",
        translation_placeholders={"name": harmless(name), "about": harmless(about)},
    )


@callback
def async_set_refused(
    hass: HomeAssistant, subentry_id: str, name: str, *, record_id: str, code: str, title: str
) -> None:
    """Say that something written here will not be in the neighborhood, until somebody has read it."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{ISSUE_REFUSED}_{record_id}",
        data={"subentry_id": subentry_id, "record_id": record_id},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=f"{ISSUE_REFUSED}_{code if code in REFUSED else 'other'}",
        translation_placeholders={"name": harmless(name), "title": harmless(title), "code": code},
    )


@callback
def async_set_hub_left(hass: HomeAssistant, neighborhood: str, name: str, folder: str) -> None:
    """Say what is still on the disk of a neighborhood that isn't hosted any more."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{ISSUE_HUB_LEFT}_{neighborhood}",
        data={"neighborhood": neighborhood},
        is_fixable=True,
        is_persistent=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_HUB_LEFT,
        translation_placeholders={"name": harmless(name), "folder": folder},
    )


@callback
def async_clear_hub_left(hass: HomeAssistant, neighborhood: str) -> None:
    """Drop what was said of one: it is hosted again, or erased."""
    ir.async_delete_issue(hass, DOMAIN, f"{ISSUE_HUB_LEFT}_{neighborhood}")


@callback
def async_clear_neighborhood(hass: HomeAssistant, subentry_id: str) -> None:
    """Drop whatever was said of a neighborhood."""
    for issue in (ISSUE_NEIGHBORHOOD, ISSUE_OUTSIDE):
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{subentry_id}")
    registry = ir.async_get(hass)
    for (domain, issue_id), issue_entry in list(registry.issues.items()):
        data = issue_entry.data or {}
        if domain == DOMAIN and data.get("subentry_id") == subentry_id and "record_id" in data:
            ir.async_delete_issue(hass, DOMAIN, issue_id)
