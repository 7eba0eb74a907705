"""The one entry "Ringwatch"."""

from custom_components.ringwatch.const import DOMAIN
from homeassistant.config_entries import SOURCE_USER, ConfigEntry, ConfigEntryState, FlowType
from homeassistant.core import HomeAssistant
from homeassistant.data_entry_flow import FlowResultType


async def test_there_is_nothing_to_fill_in_and_the_first_camera_comes_next(
    hass: HomeAssistant, socket_enabled: None
) -> None:
    form = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert form["type"] is FlowResultType.FORM
    assert form["step_id"] == "user"
    assert form["data_schema"].schema == {}

    created = await hass.config_entries.flow.async_configure(form["flow_id"], {})
    await hass.async_block_till_done()
    assert created["type"] is FlowResultType.CREATE_ENTRY
    assert created["title"] == "Ringwatch"
    entry = created["result"]
    assert entry.state is ConfigEntryState.LOADED
    assert not entry.data

    kind, flow_id = created["next_flow"]
    assert kind is FlowType.CONFIG_SUBENTRIES_FLOW
    assert hass.config_entries.subentries.async_get(flow_id)["handler"] == (entry.entry_id, "camera")
    assert await hass.config_entries.async_unload(entry.entry_id)


async def test_a_second_entry_is_refused(hass: HomeAssistant, ringwatch: ConfigEntry) -> None:
    second = await hass.config_entries.flow.async_init(DOMAIN, context={"source": SOURCE_USER})
    assert second["type"] is FlowResultType.ABORT
    assert second["reason"] == "single_instance_allowed"
