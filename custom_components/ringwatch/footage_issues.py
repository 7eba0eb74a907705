"""Repair issues about footage requests: what is wrong, and what somebody can do about it."""

from typing import Final

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import DOMAIN

ISSUE_SETTINGS: Final = "footage_settings"
ISSUE_CLOSED: Final = "footage_closed"
ISSUE_LOG: Final = "footage_log"


@callback
def async_set_settings_damaged(hass: HomeAssistant, damaged: bool) -> None:
    """Say that the home's choices can't be read, or that they can."""
    if not damaged:
        ir.async_delete_issue(hass, DOMAIN, ISSUE_SETTINGS)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_SETTINGS,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE_SETTINGS,
        translation_placeholders={"file": f".storage/{DOMAIN}.footage"},
    )


@callback
def async_set_closed(hass: HomeAssistant, folder: str | None, error: str = "") -> None:
    """Say that answers can't be opened, or (None) that they can."""
    if folder is None:
        ir.async_delete_issue(hass, DOMAIN, ISSUE_CLOSED)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_CLOSED,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE_CLOSED,
        translation_placeholders={"folder": folder, "error": error},
    )


@callback
def async_set_log_changed(hass: HomeAssistant, code: str | None) -> None:
    """Say that the audit log is not as it was written, or (None) that it is."""
    if code is None:
        ir.async_delete_issue(hass, DOMAIN, ISSUE_LOG)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_LOG,
        is_fixable=False,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"{ISSUE_LOG}_{code}",
    )
