"""A real Home Assistant that watches real streams: a camera that goes away, and a power cut."""

import asyncio
import io
import socket
import time

import numpy as np
from PIL import Image
import pytest

from script.lib.hass_client import HassClient
from tests.fixtures.house import HEIGHT, WIDTH, House, until

pytestmark = [pytest.mark.hass_process, pytest.mark.xdist_group("house")]

GATE = {"name": "Gate", "kind": "watch", "points": [[0, 0.3], [1, 0.3], [1, 1], [0, 1]]}
NEIGHBOR = {"name": "Neighbor", "kind": "privacy", "points": [[0, 0], [0.5, 0], [0.5, 0.5], [0, 0.5]]}


async def picture(client: HassClient, camera: str) -> np.ndarray:
    """Return what the camera entity shows, RGB."""
    jpeg = await client.get_bytes(f"/api/camera_proxy/{camera}")
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as image:
        return np.array(image.convert("RGB"))


async def test_motion_goes_on_and_off_with_a_picture_of_it(house: House) -> None:
    motion, image = (
        house.entities["Porch"]["binary_sensor.motion"],
        house.entities["Porch"]["image.last_event"],
    )
    async with house.client() as client:
        before = await client.state(image)
        await until(client, motion, "off")
        await until(client, motion, "on")
        await until(client, motion, "off")
        after = await client.state(image)
        assert before
        assert after
        assert after["state"] not in {before["state"], "unknown", "unavailable"}
        jpeg = await client.get_bytes(f"/api/image_proxy/{image}")
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as taken:
        assert taken.size == (WIDTH, HEIGHT)


async def test_a_camera_that_goes_away_comes_back_by_itself(house: House) -> None:
    porch, drive = house.entities["Porch"], house.entities["Drive"]
    watched = ("binary_sensor.motion", "camera.camera", "event.motion_event")
    async with house.client() as client:
        for key in watched:
            state = await client.state(porch[key])
            assert state
            assert state["state"] != "unavailable"
        threads, said = house.threads(), len(house.logged())
        house.porch.kill()
        for key in watched:
            await until(client, porch[key], "unavailable", within_s=10)
        await until(client, porch["binary_sensor.connectivity"], "off", within_s=3)
        await until(client, drive["binary_sensor.connectivity"], "on", within_s=0)
        await asyncio.sleep(2)  # the first attempt to reconnect is refused
        house.porch.start()
        await until(client, porch["binary_sensor.connectivity"], "on", within_s=20)
        await until(client, porch["binary_sensor.motion"], "on", "off", within_s=3)
    deadline_s = time.monotonic() + 5  # Home Assistant writes its log in a thread of its own
    while len(lines := house.logged()[said:]) < 2 and time.monotonic() < deadline_s:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    assert len(lines) == 2, lines
    assert lines[0].startswith("Porch is not connected: ")
    assert lines[1] == "Porch is connected again"
    deadline_s = time.monotonic() + 5
    while house.threads() != threads:
        assert time.monotonic() < deadline_s, (threads, house.threads())
        await asyncio.sleep(0.1)


async def test_what_the_owner_chose_survives_a_power_cut(house: House) -> None:
    """Privacy on: the still is the card, no address is handed out, and nobody even connects to the camera."""
    porch, drive = house.entities["Porch"], house.entities["Drive"]
    async with house.client() as client:
        await client.call("number", "set_value", entity_id=drive["number.sensitivity"], value=73)
        await client.call("ringwatch", "set_zones", entity_id=drive["camera.camera"], zones=[GATE, NEIGHBOR])
        await client.call("switch", "turn_on", entity_id=porch["switch.privacy"])
        house.hass.kill()
    house.porch.stop()
    with socket.create_server(("127.0.0.1", house.porch.port)) as trap:
        trap.setblocking(False)
        await asyncio.to_thread(house.hass.start)
        async with house.client() as client:
            await client.started()
            await until(client, porch["switch.privacy"], "on")
            card = await picture(client, porch["camera.camera"])
            assert card.shape == (720, 1280, 3)
            assert np.ptp(card[:100], axis=(0, 1)).max() < 8  # plain above the sign, not a scene
            can = await client.command("camera/capabilities", entity_id=porch["camera.camera"])
            assert can["frontend_stream_types"] == []
            for key in ("binary_sensor.motion", "image.last_event"):
                await until(client, porch[key], "unavailable", within_s=1)

            await until(client, drive["binary_sensor.connectivity"], "on")
            await until(client, drive["number.sensitivity"], "73", within_s=0)
            names = await client.camera_entities(house.entry_id, "Drive")
            await until(client, names["binary_sensor.zone_Gate"], "on", "off", within_s=5)
            masked = await picture(client, drive["camera.camera"])
            assert masked[: HEIGHT // 2, : WIDTH // 2].max() < 20
            assert masked[: HEIGHT // 2, WIDTH // 2 + 10 :].min() > 20
            with pytest.raises(BlockingIOError):
                trap.accept()
    house.porch.start()
    async with house.client() as client:
        await client.call("switch", "turn_off", entity_id=porch["switch.privacy"])
        await until(client, porch["binary_sensor.connectivity"], "on")
        assert (await picture(client, porch["camera.camera"])).shape == (HEIGHT, WIDTH, 3)
        await client.call("ringwatch", "set_zones", entity_id=drive["camera.camera"], zones=[])
        await client.call("number", "set_value", entity_id=drive["number.sensitivity"], value=50)


def test_nobody_complained(house: House) -> None:
    assert house.complaints() == []
