"""Repair issues of a camera: what is wrong, which camera, what to do about it."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers import issue_registry as ir

from .const import (
    CONF_DETECT_URL,
    DOMAIN,
    ISSUE_CATALOGUE_REBUILT,
    ISSUE_CREDENTIALS,
    ISSUE_FALLING_BEHIND,
    ISSUE_RECORDING,
    ISSUE_RESTLESS_AREA,
    ISSUE_SETTINGS_LOST,
    ISSUE_STORAGE,
    ISSUE_STORAGE_IN_CONTAINER,
    ISSUE_UNREACHABLE,
)
from .vision import Proposal

if TYPE_CHECKING:
    from .coordinator import MotionCoordinator

OWNER_DECIDES = frozenset({"storage_foreign", "storage_missing"})  # whether it is the right folder

TROUBLE = (ISSUE_CREDENTIALS, ISSUE_FALLING_BEHIND, ISSUE_RECORDING, ISSUE_SETTINGS_LOST, ISSUE_UNREACHABLE)
CAMERA_ISSUES = (*TROUBLE, ISSUE_RESTLESS_AREA)


@callback
def async_set_credentials(hass: HomeAssistant, coordinator: MotionCoordinator) -> None:
    """The camera refuses the user name or password."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{ISSUE_CREDENTIALS}_{coordinator.subentry_id}",
        data={
            "entry_id": coordinator.config_entry.entry_id,
            "subentry_id": coordinator.subentry_id,
            "name": coordinator.title,
        },
        is_fixable=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE_CREDENTIALS,
        translation_placeholders={"name": coordinator.title},
    )


@callback
def async_set_unreachable(hass: HomeAssistant, coordinator: MotionCoordinator, error: str) -> None:
    """The camera has been away for an hour."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{ISSUE_UNREACHABLE}_{coordinator.subentry_id}",
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_UNREACHABLE,
        translation_placeholders={"name": coordinator.title, "error": error},
    )


@callback
def async_set_falling_behind(
    hass: HomeAssistant, coordinator: MotionCoordinator, dropped: float | None
) -> None:
    """Say whether the machine keeps up with the camera: `dropped` is the share dropped, None if it does."""
    issue_id = f"{ISSUE_FALLING_BEHIND}_{coordinator.subentry_id}"
    if dropped is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    has_detect_source = bool(coordinator.camera[CONF_DETECT_URL])
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=f"{ISSUE_FALLING_BEHIND}_{'lower' if has_detect_source else 'sub_stream'}",
        translation_placeholders={"name": coordinator.title, "percent": str(round(100 * dropped))},
    )


@callback
def async_set_restless_area(
    hass: HomeAssistant, coordinator: MotionCoordinator, proposal: Proposal | None
) -> None:
    """Offer a zone to ignore, or (None) take the offer back."""
    issue_id = f"{ISSUE_RESTLESS_AREA}_{coordinator.subentry_id}"
    if proposal is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    xs, ys = zip(*proposal.zone.points, strict=True)
    sides = {"left": min(xs), "right": max(xs), "top": min(ys), "bottom": max(ys)}
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        data={"entry_id": coordinator.config_entry.entry_id, "subentry_id": coordinator.subentry_id},
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_RESTLESS_AREA,
        translation_placeholders={
            "name": coordinator.title,
            "days": str(proposal.days),
            "minutes": f"{proposal.minutes_a_day:.0f}",
            **{side: f"{100 * value:.0f}" for side, value in sides.items()},
        },
    )


@callback
def async_set_settings_lost(hass: HomeAssistant, subentry_id: str, name: str) -> None:
    """Nobody knows any more what the owner wanted hidden, so everything is."""
    ir.async_create_issue(
        hass,
        DOMAIN,
        f"{ISSUE_SETTINGS_LOST}_{subentry_id}",
        is_fixable=False,
        is_persistent=True,
        severity=ir.IssueSeverity.ERROR,
        translation_key=ISSUE_SETTINGS_LOST,
        translation_placeholders={"name": name},
    )


@callback
def async_set_recording(
    hass: HomeAssistant, camera_id: str, name: str, code: str | None, folder: str
) -> None:
    """Say why nothing is recorded, of one camera or ("") of all; None: recording goes on."""
    issue_id = f"{ISSUE_RECORDING}_{camera_id}" if camera_id else ISSUE_STORAGE
    if code is None:
        ir.async_delete_issue(hass, DOMAIN, issue_id)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        issue_id,
        is_fixable=code in OWNER_DECIDES,
        severity=ir.IssueSeverity.ERROR,
        translation_key=f"{ISSUE_RECORDING}_{code}" if camera_id else code,
        translation_placeholders={"name": name, "folder": folder},
    )


@callback
def async_set_storage_in_container(hass: HomeAssistant, folder: str | None) -> None:
    """Say that clips are lost with the container, or (None) that they are not."""
    if folder is None:
        ir.async_delete_issue(hass, DOMAIN, ISSUE_STORAGE_IN_CONTAINER)
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_STORAGE_IN_CONTAINER,
        is_fixable=False,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_STORAGE_IN_CONTAINER,
        translation_placeholders={"folder": folder},
    )


@callback
def async_set_catalogue_rebuilt(hass: HomeAssistant, reason: str | None) -> None:
    """Say that the catalogue was damaged, if it was, until the owner has read it."""
    if reason is None:
        return
    ir.async_create_issue(
        hass,
        DOMAIN,
        ISSUE_CATALOGUE_REBUILT,
        is_fixable=True,
        severity=ir.IssueSeverity.WARNING,
        translation_key=ISSUE_CATALOGUE_REBUILT,
        translation_placeholders={"error": reason},
    )


@callback
def async_clear_recording(hass: HomeAssistant, cameras: Iterable[str]) -> None:
    """Drop what was said of the recording, of all cameras and of each: the store starts anew."""
    for issue_id in (ISSUE_STORAGE, *(f"{ISSUE_RECORDING}_{camera_id}" for camera_id in cameras)):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_clear_storage(hass: HomeAssistant) -> None:
    """Drop whatever was said of all clips together."""
    for issue_id in (ISSUE_STORAGE, ISSUE_STORAGE_IN_CONTAINER, ISSUE_CATALOGUE_REBUILT):
        ir.async_delete_issue(hass, DOMAIN, issue_id)


@callback
def async_clear_settings_lost(hass: HomeAssistant, subentry_id: str) -> None:
    """The owner has decided anew."""
    ir.async_delete_issue(hass, DOMAIN, f"{ISSUE_SETTINGS_LOST}_{subentry_id}")


@callback
def async_clear_connection(hass: HomeAssistant, subentry_id: str) -> None:
    """The camera delivers."""
    for issue in (ISSUE_CREDENTIALS, ISSUE_UNREACHABLE):
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{subentry_id}")


@callback
def async_clear_trouble(hass: HomeAssistant, subentry_id: str) -> None:
    """Drop what was said of a camera's present state: it is opened anew, or not at all."""
    for issue in TROUBLE:
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{subentry_id}")


@callback
def async_clear(hass: HomeAssistant, subentry_id: str) -> None:
    """Drop whatever was said of a camera."""
    for issue in CAMERA_ISSUES:
        ir.async_delete_issue(hass, DOMAIN, f"{issue}_{subentry_id}")
