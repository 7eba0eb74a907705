"""Taking part in "did anybody record?": off, until the owner and the host say otherwise."""

import asyncio
import json
from pathlib import Path
import time
from typing import Any

import pytest
from pytest_homeassistant_custom_component.typing import WebSocketGenerator

from custom_components.ringwatch.footage.asking_store import NAME
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import ServiceValidationError
from tests.fixtures.asked import Street
from tests.fixtures.hood import async_call
from tests.fixtures.watching import async_until


async def _held(street: Street, kind: str) -> list[dict[str, Any]]:
    """Return what the hub holds of a kind."""
    running = street.entry.runtime_data.neighborhoods.get(street.hood.subentry_id)
    exported: bytes = await running.home.async_demand_export({}, 10**7)
    found = [json.loads(line) for line in exported.splitlines()]
    return [one for one in found if one.get("kind") == kind]


async def _set(hass: HomeAssistant, client: Any, value: bool) -> None:
    await client.send_json_auto_id({"type": "ringwatch/footage/set_options", "availability": value})
    assert (await client.receive_json())["success"]
    await hass.async_block_till_done()


async def test_a_home_takes_part_when_its_owner_says_so_and_no_longer(
    street: Street, hass_ws_client: WebSocketGenerator
) -> None:
    hass = street.hass
    running = street.entry.runtime_data.neighborhoods.get(street.hood.subentry_id)
    file = Path(street.footage.keeping.folder) / NAME
    client = await hass_ws_client(hass)
    await client.send_json_auto_id({"type": "ringwatch/footage/overview"})
    assert (await client.receive_json())["result"]["settings"]["availability"] is False
    assert not await _held(street, "takes_part")
    assert not await hass.async_add_executor_job(file.exists)

    await _set(hass, client, True)
    deadline_s = time.monotonic() + 15
    while not (found := await _held(street, "takes_part")):
        assert time.monotonic() < deadline_s
        await asyncio.sleep(0.05)
    state = await running.home.async_ask(lambda ledger: ledger.state.subject_of(running.home.public_key))
    assert [one["subject"] for one in found] == [state.id]

    await _set(hass, client, False)

    def forgotten() -> bool:
        return json.loads(file.read_text())["consents"] == []

    await async_until(forgotten, "the hub has no consent")
    assert not await _held(street, "takes_part")


async def test_the_host_allows_it(street: Street) -> None:
    hass = street.hass
    running = street.entry.runtime_data.neighborhoods.get(street.hood.subentry_id)
    for allowed in (True, False):
        assert await async_call(hass, "allow_availability", allowed=allowed) == {"allowed": allowed}
        answer = await running.home._client.get("/availability/settings")
        assert answer.json() == {"on": allowed}


async def test_nobody_else_allows_it(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    running = street.entry.runtime_data.neighborhoods.get(street.hood.subentry_id)
    monkeypatch.setattr(type(running), "hosted", False)
    with pytest.raises(ServiceValidationError) as refused:
        await async_call(street.hass, "allow_availability", allowed=True)
    assert refused.value.translation_key == "not_the_host"
