"""How a camera is recorded, and where and how long clips are kept."""

from pathlib import Path
from typing import Any

import probatio

from homeassistant.config_entries import ConfigFlowResult, OptionsFlow, SubentryFlowResult
from homeassistant.helpers.selector import (
    BooleanSelector,
    NumberSelector,
    NumberSelectorConfig,
    NumberSelectorMode,
    SelectSelector,
    SelectSelectorConfig,
    SelectSelectorMode,
    TextSelector,
)

from .clips.model import MAX_ROLL_S
from .const import (
    CAMERA_DEFAULTS,
    CONF_CLIP_DAYS,
    CONF_CLIP_GB,
    CONF_FOLDER,
    CONF_KEEP_DAYS,
    CONF_KEEP_GB,
    CONF_POST_ROLL_S,
    CONF_PRE_ROLL_S,
    CONF_RECORD,
    CONF_RECORD_SOUND,
    CONF_RESERVE_GB,
    CONF_STORAGE,
    RECORD_KEYS,
    STORAGE_DEFAULTS,
)
from .flow_base import CameraFlowBase, StepInput
from .recording import media_folders

DAYS_MAX = 3650
GIGABYTES_MAX = 100_000
FOLDER_MAX_LENGTH = 200


def _number(unit: str, highest: float, step: float = 1) -> NumberSelector:
    return NumberSelector(
        NumberSelectorConfig(
            min=0, max=highest, step=step, mode=NumberSelectorMode.BOX, unit_of_measurement=unit
        )
    )


RECORDING_SCHEMA = probatio.Schema(
    {
        probatio.Required(CONF_RECORD): BooleanSelector(),
        probatio.Required(CONF_RECORD_SOUND): BooleanSelector(),
        probatio.Required(CONF_PRE_ROLL_S): _number("s", MAX_ROLL_S),
        probatio.Required(CONF_POST_ROLL_S): _number("s", MAX_ROLL_S),
        probatio.Required(CONF_CLIP_DAYS): _number("d", DAYS_MAX),
        probatio.Required(CONF_CLIP_GB): _number("GB", GIGABYTES_MAX, 0.1),
    }
)


class RecordingSteps(CameraFlowBase):
    """Change how a camera is recorded; its connection goes on."""

    async def async_step_recording(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Ask what is recorded and how long it is kept."""
        subentry = self._changed
        camera = CAMERA_DEFAULTS | subentry.data
        if user_input is not None:
            return self.async_update_and_abort(self._entry, subentry, data=dict(camera) | user_input)
        return self.async_show_form(
            step_id="recording",
            data_schema=self.add_suggested_values_to_schema(
                RECORDING_SCHEMA, {key: camera[key] for key in RECORD_KEYS}
            ),
        )


class StorageOptionsFlow(OptionsFlow):
    """Where clips are kept, and how long."""

    async def async_step_init(self, user_input: dict[str, Any] | None = None) -> ConfigFlowResult:
        """Ask for the folder and the limits."""
        folders = media_folders(self.hass)
        errors: dict[str, str] = {}
        shown = STORAGE_DEFAULTS | self.config_entry.options
        if shown[CONF_STORAGE] not in folders:
            shown |= {CONF_STORAGE: next(iter(folders))}
        if user_input is not None:
            folder = user_input.get(CONF_FOLDER, "").strip().strip("/")
            user_input = {**user_input, CONF_FOLDER: folder}
            error = _folder_error(folder) or await self.hass.async_add_executor_job(
                _prepare, folders[user_input[CONF_STORAGE]], folder
            )
            if error is None:
                return self.async_create_entry(data=user_input)
            errors[CONF_FOLDER] = error
            shown = user_input
        schema = probatio.Schema(
            {
                probatio.Required(CONF_STORAGE): SelectSelector(
                    SelectSelectorConfig(options=list(folders), mode=SelectSelectorMode.DROPDOWN)
                ),
                probatio.Optional(CONF_FOLDER): TextSelector(),
                probatio.Required(CONF_KEEP_DAYS): _number("d", DAYS_MAX),
                probatio.Required(CONF_KEEP_GB): _number("GB", GIGABYTES_MAX),
                probatio.Required(CONF_RESERVE_GB): _number("GB", GIGABYTES_MAX, 0.5),
            }
        )
        return self.async_show_form(
            step_id="init",
            data_schema=self.add_suggested_values_to_schema(schema, shown),
            errors=errors,
            description_placeholders={"example": "cameras/front"},
        )


def _folder_error(folder: str) -> str | None:
    """Refuse what would not be a folder below the one that was picked."""
    parts = folder.split("/") if folder else []
    if len(folder) > FOLDER_MAX_LENGTH or not folder.isprintable() or "\\" in folder:
        return "bad_folder"
    if any(not part.strip() or part.startswith(".") for part in parts):
        return "bad_folder"
    return None


def _prepare(media_folder: str, folder: str) -> str | None:
    """Make the folder. The media folder itself has to be there: it may be a drive that is not mounted."""
    if not folder:
        return None
    try:
        root = Path(media_folder)
        target = root / folder
        if not target.resolve().is_relative_to(root.resolve()):
            return "bad_folder"
        if not root.is_dir():
            return "folder_failed"
        target.mkdir(parents=True, exist_ok=True)
    except OSError:
        return "folder_failed"
    return None
