"""What a court demanded of a hub: the host records it, and the member it concerns is told once."""

from datetime import timedelta
from pathlib import Path

from pytest_homeassistant_custom_component.common import async_fire_time_changed

from custom_components.ringwatch.footage_told import EVERY
from homeassistant.components import persistent_notification
from homeassistant.config_entries import ConfigEntry
from homeassistant.core import HomeAssistant
from homeassistant.util import dt as dt_util
from tests.fixtures.hood import async_call, async_host
from tests.fixtures.watching import async_until


async def test_a_member_is_told_once_of_a_demand(
    hass: HomeAssistant, ringwatch: ConfigEntry, tmp_path: Path
) -> None:
    hood = await async_host(hass, ringwatch)
    running = ringwatch.runtime_data.neighborhoods.get(hood.subentry_id)
    me = await running.home.async_ask(lambda ledger: ledger.state.subject_of(running.home.public_key).id)
    said = await async_call(
        hass,
        "record_legal_demand",
        kind="subpoena",
        authority="County court",
        served=(dt_util.utcnow() - timedelta(days=2)).isoformat(),
        given="The log of connections of one day.",
        told="The member concerned.",
        members=[me],
        notice="Your *connections* of May 3 were given.",
    )
    assert said["told"] == 1
    agencies = await async_call(hass, "get_agencies")
    assert [one["authority"] for one in agencies["legal_demands"]] == ["County court"]
    assert agencies["hub_link"].startswith(running.hub_url)

    notices = persistent_notification._async_get_or_create_notifications(hass)
    name = f"ringwatch_demand_{said['id']}"
    async_fire_time_changed(hass, dt_util.utcnow() + EVERY + timedelta(minutes=5))
    await async_until(lambda: name in notices, "the member is told")
    assert "Your \\*connections\\* of May 3 were given" in notices[name]["message"].replace("\\ ", " ")
    persistent_notification.async_dismiss(hass, name)
    await ringwatch.runtime_data.footage._demands.async_look()
    assert name not in notices
