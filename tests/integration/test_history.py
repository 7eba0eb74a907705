"""What the recorder keeps."""

from datetime import timedelta
from typing import Any

import pytest
from pytest_homeassistant_custom_component.components.recorder.common import async_wait_recording_done
from pytest_homeassistant_custom_component.typing import RecorderInstanceContextManager

from homeassistant.components.recorder import Recorder, history
from homeassistant.core import HomeAssistant, State
from homeassistant.util import dt as dt_util
from tests.fixtures.live import LiveCamera
from tests.fixtures.watching import async_until, async_watch

EVENT = "event.front_door_motion"


@pytest.fixture
async def mock_recorder_before_hass(async_test_recorder: RecorderInstanceContextManager) -> None:
    """Prepare a recorder; it has to be there before Home Assistant is."""


async def test_what_an_event_carries_is_not_in_the_history(
    recorder_mock: Recorder, hass: HomeAssistant, live: LiveCamera
) -> None:
    await async_watch(hass, live.url())
    live.moving = True
    await async_until(lambda: hass.states.get(EVENT).attributes["event_type"] == "started")
    live.moving = False
    await async_until(lambda: hass.states.get(EVENT).attributes["event_type"] == "ended")
    await async_wait_recording_done(hass)

    def recorded() -> list[State | dict[str, Any]]:
        start = dt_util.utcnow() - timedelta(minutes=5)
        return history.get_significant_states(
            hass, start, entity_ids=[EVENT], significant_changes_only=False
        )[EVENT]

    states = await recorder_mock.async_add_executor_job(recorded)
    kept = [found.attributes for found in states if isinstance(found, State)]
    assert {attributes.get("event_type") for attributes in kept} == {None, "started", "ended"}
    details = {"start", "end", "duration_s", "box", "zones", "score", "reason", "snapshot"}
    assert all(details.isdisjoint(attributes) for attributes in kept)
    assert details <= hass.states.get(EVENT).attributes.keys()
