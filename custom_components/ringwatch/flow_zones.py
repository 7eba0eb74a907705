"""The zones of a camera, for now as coordinates; they hold at once, and after a restart."""

from collections.abc import Iterable
import json
from typing import Any

import probatio

from homeassistant.config_entries import ConfigEntryState, SubentryFlowResult
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.selector import (
    ObjectSelector,
    ObjectSelectorConfig,
    ObjectSelectorField,
)

from .flow_base import CameraFlowBase, StepInput
from .vision import Zone, ZoneError, ZoneKind, parse_zones, zones_to_json

CONF_ZONES = "zones"

ZONES_SCHEMA = probatio.Schema(
    {
        probatio.Optional(CONF_ZONES): ObjectSelector(
            ObjectSelectorConfig(
                multiple=True,
                label_field="name",
                description_field="kind",
                translation_key="zone",
                fields={
                    "name": ObjectSelectorField(selector={"text": {}}, required=True),
                    "kind": ObjectSelectorField(
                        selector={
                            "select": {
                                "options": [str(kind) for kind in ZoneKind],
                                "translation_key": "zone_kind",
                            }
                        },
                        required=True,
                    ),
                    "points": ObjectSelectorField(selector={"text": {}}, required=True),
                },
            )
        )
    }
)


class ZonesSteps(CameraFlowBase):
    """Show and change the zones."""

    async def async_step_zones(self, user_input: StepInput = None) -> SubentryFlowResult:
        """Edit the zones; they are on disk before the flow says so."""
        entry, subentry = self._entry, self._changed
        if entry.state is not ConfigEntryState.LOADED:
            return self.async_abort(reason="not_loaded")
        settings = entry.runtime_data.settings
        errors: dict[str, str] = {}
        placeholders: dict[str, str] = {"example": "[[0, 0], [1, 0], [1, 0.2], [0, 0.2]]"}
        if user_input is not None:
            try:
                zones = parse_zones(_from_form(user_input.get(CONF_ZONES) or []))
                await settings.async_update(subentry.subentry_id, zones=zones)
            except ZoneError as err:
                errors[CONF_ZONES] = f"zone_{err.code}"
                placeholders |= err.placeholders
            except HomeAssistantError:  # the settings were not written
                errors["base"] = "not_saved"
            else:
                return self.async_abort(reason="zones_saved")
        shown: dict[str, Any] = user_input or {CONF_ZONES: _to_form(settings.get(subentry.subentry_id).zones)}
        return self.async_show_form(
            step_id="zones",
            data_schema=self.add_suggested_values_to_schema(ZONES_SCHEMA, shown),
            errors=errors,
            description_placeholders=placeholders,
        )


def _to_form(zones: Iterable[Zone]) -> list[dict[str, object]]:
    """Return the zones with their points as text: a line is easier to change than a tree of numbers."""
    return [zone | {"points": json.dumps(zone["points"])} for zone in zones_to_json(zones)]


def _from_form(zones: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the zones with their points read; what isn't JSON is left for `parse_zones` to refuse."""
    return [zone | {"points": _read_points(zone["points"])} for zone in zones]


def _read_points(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError, RecursionError:
        return text
