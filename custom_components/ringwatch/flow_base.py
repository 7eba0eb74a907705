"""What every step of a camera's flow shares: the camera as filled in so far, and how it is saved.

The flow is a chain of layers, each calling only the ones below it:
menus (flow_camera) -> source (flow_entity, flow_url) -> preview -> doorbell -> this file.
"""

from collections.abc import Iterator
from typing import Any, override

from homeassistant.config_entries import (
    SOURCE_RECONFIGURE,
    ConfigEntry,
    ConfigEntryState,
    ConfigSubentry,
    ConfigSubentryFlow,
    SubentryFlowResult,
    UnknownEntry,
)
from homeassistant.core import callback
from homeassistant.data_entry_flow import AbortFlow

from .const import (
    CAMERA_DEFAULTS,
    CONF_ANALYZED_FPS,
    CONF_DECODING,
    CONF_ENTITY_ID,
    CONF_PRESS,
    CONF_PRESS_ENTITY_ID,
    CONF_SOURCE,
    CONF_URL,
    CONF_WEBHOOK_ID,
    RECORD_KEYS,
    SOURCE_ENTITY,
    SUBENTRY_CAMERA,
)
from .flow_probe import same_address
from .views_preview import async_get_previews

type StepInput = dict[str, Any] | None

# What choosing another source leaves as it was
KEPT_KEYS = RECORD_KEYS | {
    CONF_ANALYZED_FPS,
    CONF_DECODING,
    CONF_PRESS,
    CONF_PRESS_ENTITY_ID,
    CONF_WEBHOOK_ID,
}


class CameraFlowBase(ConfigSubentryFlow):
    """The camera as filled in so far. Nothing of it is saved before `_async_save`."""

    def __init__(self) -> None:
        """Start with an empty camera."""
        self._camera: dict[str, Any] = dict(CAMERA_DEFAULTS)
        self._name = ""
        self._suggested_name = ""
        self._substream = ""  # a second address that nobody typed but that works

    @callback
    @override
    def async_remove(self) -> None:
        """Forget the picture, however the flow ended."""
        async_get_previews(self.hass).async_drop(self.flow_id)

    @property
    def _entry(self) -> ConfigEntry:
        """The entry; whoever removed it meanwhile ended this flow."""
        try:
            return self._get_entry()
        except UnknownEntry as err:
            raise AbortFlow("removed") from err

    @property
    def _changed(self) -> ConfigSubentry:
        """The camera that is being changed; whoever removed it meanwhile ended this flow."""
        try:
            return self._entry.subentries[self._reconfigure_subentry_id]
        except KeyError as err:
            raise AbortFlow("removed") from err

    @property
    def _subentry(self) -> ConfigSubentry | None:
        """The camera that is being changed, None while one is being added."""
        return self._changed if self.source == SOURCE_RECONFIGURE else None

    def _abort_if_private(self) -> None:
        """Open nothing of a camera that is set up while its privacy is on, or can't be known."""
        if (subentry := self._subentry) is None:
            return
        if self._entry.state is not ConfigEntryState.LOADED:
            raise AbortFlow("not_loaded")
        if self._entry.runtime_data.settings.get(subentry.subentry_id).privacy:
            raise AbortFlow("privacy_on")

    def _set_source(self, **source: str | float | bool) -> None:
        """Replace what says where the pictures come from."""
        self._substream = ""
        self._camera |= {
            key: source.get(key, default) for key, default in CAMERA_DEFAULTS.items() if key not in KEPT_KEYS
        }

    def _other_cameras(self) -> Iterator[ConfigSubentry]:
        """Yield the cameras that are set up, except the one being changed."""
        for subentry in self._entry.get_subentries_of_type(SUBENTRY_CAMERA):
            if self._subentry is None or subentry.subentry_id != self._subentry.subentry_id:
                yield subentry

    def _is_watched(self, *, url: str = "", entity_id: str = "") -> bool:
        """Whether another camera already has this address or entity."""
        return any(
            (entity_id and entity_id == other.data[CONF_ENTITY_ID])
            or (url and other.data[CONF_URL] and same_address(url, other.data[CONF_URL]))
            for other in self._other_cameras()
        )

    @callback
    def _async_save(self) -> SubentryFlowResult:
        """Add the camera, or change it; no other camera is touched."""
        is_entity = self._camera[CONF_SOURCE] == SOURCE_ENTITY
        where = {"entity_id": self._camera[CONF_ENTITY_ID]} if is_entity else {"url": self._camera[CONF_URL]}
        if self._is_watched(**where):  # by another flow, while this one was open
            raise AbortFlow("already_configured")
        if (subentry := self._subentry) is None:
            return self.async_create_entry(title=self._name, data=self._camera)
        return self.async_update_and_abort(self._entry, subentry, title=self._name, data=self._camera)
