"""A street: two real Home Assistants, Anna's with a camera and the hub, and Ben's, who joins with her invite.

For `script/demo --street` and for the tests. `walk` goes the whole way by itself: found, invite, join, post a
real clip, see it arrive, comment, thank, flag, hide, appeal, withdraw, erased everywhere.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
import hashlib
from pathlib import Path
import random
import re
import time
from typing import Any

from script.lib.hass import HassError, HassProcess, is_free
from script.lib.hass_client import HassClient
from script.lib.servers import MediaServer

NAME = "Maple Street"
FEED = "event.maple_street_feed"
HUB = "binary_sensor.maple_street_hub"
CAMERA = "camera.porch"
EVENT_S = 2.0  # from the tap on Send to the neighbor's event
PATIENCE_S = 60.0
LOOK_S = 0.1
LATITUDE, LONGITUDE = 40.0, -75.0  # as script/lib/hass.py configures it
BLURRED = [0.0, 0.0, 0.3, 0.3]

# What nobody should log: errors (but for a library that this machine lacks), calls that block, wrong use
COMPLAINT = re.compile(
    r" ERROR (?!.*TurboJPEG)| \[homeassistant\.(helpers\.frame|util\.loop|block_async_io)\] "
)

type Say = Callable[[str], None]


@dataclass(slots=True)
class Home:
    """One of the two."""

    hass: HassProcess
    client: HassClient
    entry_id: str = ""


class StreetError(RuntimeError):
    """Something did not happen as it should."""


@dataclass(slots=True)
class Street:
    """Both, and what they need."""

    anna: Home
    ben: Home
    camera: MediaServer
    hub_port: int

    @property
    def clips(self) -> list[Path]:
        """Every clip or picture of the neighborhood that is on a disk: of the hub, and of both homes."""
        folders = [home.hass.config / "ringwatch" for home in (self.anna, self.ben)]
        return [
            path
            for folder in folders
            for part in ("hub", "neighborhoods")
            for path in (folder / part).rglob("*")
            if len(path.name) == 64 and path.is_file()
        ]


@asynccontextmanager
async def open_street(
    folder: Path,
    camera: MediaServer,
    username: str,
    password: str,
    *,
    offline: bool = False,
    prepare: Callable[[HassProcess], None] | None = None,
) -> AsyncIterator[Street]:
    """Start both, with Ringwatch in them and Anna's camera, and no neighborhood yet.

    `prepare` gets Anna's before it is started.
    """
    made = [
        HassProcess(folder / name.lower(), name=f"{name}'s home", offline=offline) for name in ("Anna", "Ben")
    ]
    if prepare is not None:
        prepare(made[0])
    for hass in made:
        hass.launch()
    camera.start()
    try:
        async with HassClient(made[0].url) as first, HassClient(made[1].url) as second:
            homes = [Home(hass, client) for hass, client in zip(made, (first, second), strict=True)]
            for home in homes:
                await _async_until_answering(home.hass)
                await home.client.onboard(username, password)
                await home.client.started()
            anna, ben = homes
            anna.entry_id, flow_id = await first.add_ringwatch()
            await first.add_camera(anna.entry_id, "Porch", camera.url("porch"), flow_id=flow_id)
            ben.entry_id, _ = await second.add_ringwatch()
            yield Street(anna, ben, camera, quiet_port())
    finally:
        for hass in made:
            await asyncio.to_thread(hass.stop)
        camera.stop()


async def walk(street: Street, say: Say) -> None:
    """Go the whole way. Raise StreetError or HassError where it is not as it should be."""
    anna, ben = street.anna.client, street.ben.client
    await settle(street, say)
    async with ben.changes() as seen, anna.changes() as heard:
        clip = await record(anna)
        say(f"Anna's camera has recorded {clip['duration_s']:.0f} s")
        ready = await anna.ask(
            "post_clip",
            clip=clip["id"],
            category="package",
            title="A parcel was taken",
            text="In the afternoon.",
            blur=[BLURRED],
        )
        video = next(one for one in ready["media"] if one["type"] == "video/mp4")
        check(ready["id"] is None and not video["has_sound"], f"it waits, muted: {ready}")
        preview = await anna.get_bytes(video["preview"])
        check(hashlib.sha256(preview).hexdigest() == video["sha256"], "the preview is what would go")
        say(f"ready to post: {video['size_bytes'] / 1e6:.1f} MB, muted, a part blurred, at {ready['place']}")

        began_s = time.monotonic()
        post = (await anna.ask("confirm_post", pending=ready["pending"]))["id"]
        event = await event_of(seen, "post", post)
        took_s = time.monotonic() - began_s
        say(f"Anna sent it; Ben's event came {took_s:.2f} s later: {event['title']!r} by {event['author']}")
        check(took_s <= EVENT_S, f"the event took {took_s:.2f} s, more than {EVENT_S:.0f}")
        served = await ben.get_bytes(event["clip"])
        check(served == preview, "Ben has the very bytes that Anna looked at")
        say(f"Ben has the clip, {len(served)} bytes, the same as Anna saw")

        comment = (await ben.ask("comment", post=post, text="I saw the van."))["id"]
        await event_of(heard, "comment", comment)
        say("Ben commented; Anna was told")
        await ben.ask("thank", target=post)
        await ben.ask("flag", target=post, reason="false", text="Or was it a delivery?")
        await event_of(heard, "moderation", post, action="flagged")
        [found] = (await anna.ask("get_feed", post=post))["items"]
        check((found["thanks"], found["flags"], found["comments"]) == (1, 1, 1), f"all is counted: {found}")
        say("Ben thanked and flagged; Anna was told")

        bens = (await ben.ask("post", category="community", title="Street party", text="On Sunday."))["id"]
        await event_of(heard, "post", bens)
        await anna.ask("moderate", target=bens, decision="hold", reason="Which Sunday?")
        await event_of(seen, "moderation", bens, action="held")
        check(not await _async_sees(anna, bens, "visible"), "it is hidden")
        await ben.ask("appeal", target=bens, text="The next one.")
        await event_of(heard, "moderation", bens, action="appealed")
        await anna.ask("moderate", target=bens, decision="restore")
        await event_of(seen, "moderation", bens, action="restored")
        say("Anna hid Ben's post, Ben appealed, Anna let it be seen again")

        check(len(await asyncio.to_thread(lambda: street.clips)) >= 4, "clips are at the hub and at homes")
        await anna.ask("withdraw_post", target=post)
        await until(lambda: _async_is_erased(street, post), "erased everywhere")
        say("Anna withdrew her post: text, clip and picture are gone at the hub and in both homes")


def check_logs(street: Street) -> None:
    """Raise StreetError if one of the homes complains."""
    for home in (street.anna, street.ben):
        lines = home.hass.log.read_text(errors="replace").splitlines()
        complaints = [line for line in lines if COMPLAINT.search(line)]
        check(not complaints, f"nobody complains: {complaints[:3]}")


async def settle(street: Street, say: Say) -> None:
    """Found the neighborhood at Anna's, and have Ben join it."""
    anna, ben = street.anna.client, street.ben.client
    began_s = time.monotonic()
    await found(anna, street.anna.entry_id, street.hub_port)
    say(f"Anna founded {NAME}; its hub answers on port {street.hub_port}")
    link = (await anna.ask("create_invite"))["link"]
    say(f"Anna's invite: {link[:60]}...")
    joined = await ben.add_neighborhood(
        street.ben.entry_id,
        ("user", {"next_step_id": "join"}),
        ("join", {"link": link, "allow_http": True}),
        ("look", {"handle": "Ben"}),
    )
    check(joined["title"] == NAME, f"Ben joined {NAME}: {joined}")
    await connected(ben)
    await until(lambda: is_state(anna, "sensor.maple_street_members", "2"), "two members")
    say(f"Ben joined with it, {time.monotonic() - began_s:.1f} s after Anna began")


async def found(client: HassClient, entry_id: str, hub_port: int) -> None:
    """Host a neighborhood, and wait until its hub answers."""
    await client.add_neighborhood(
        entry_id,
        ("user", {"next_step_id": "host"}),
        (
            "host",
            {
                "name": NAME,
                "handle": "Anna",
                "location": {"latitude": LATITUDE, "longitude": LONGITUDE, "radius": 1609},
                "moderation": "after",
                "rules": "Be kind.",
            },
        ),
        ("network", {"hub_url": f"http://127.0.0.1:{hub_port}", "port": hub_port, "tls": "none"}),
        ("reached", {"agree": True}),
    )
    await connected(client)


async def record(client: HassClient) -> dict[str, Any]:
    """Have the camera record a clip, and return it."""
    await until(lambda: is_state(client, "binary_sensor.porch_connectivity", "on"), "the camera is there")
    said = await client.ask("save_clip", entity_id=CAMERA, look_back=0, length=3)
    [clip] = said[CAMERA]["clips"]
    return dict(clip)


async def event_of(
    states: asyncio.Queue[dict[str, Any]], kind: str, item_id: str, entity_id: str = FEED, **also: str
) -> dict[str, Any]:
    """Wait for an event about an item."""
    try:
        async with asyncio.timeout(PATIENCE_S):
            while True:
                state = await states.get()
                told = state["attributes"]
                about = (state["entity_id"], told.get("event_type"), told.get("id"))
                if about == (entity_id, kind, item_id) and also.items() <= told.items():
                    return dict(told)
    except TimeoutError as err:
        raise StreetError(f"no event {kind} {also or ''} about {item_id}") from err


async def is_state(client: HassClient, entity_id: str, wanted: str) -> bool:
    """Tell whether an entity is in a state."""
    state = await client.state(entity_id)
    return state is not None and state["state"] == wanted


async def connected(client: HassClient) -> None:
    """Wait until the hub answers."""
    await until(lambda: is_state(client, HUB, "on"), "the hub answers")


async def _async_sees(client: HassClient, post: str, status: str) -> bool:
    items = (await client.ask("get_feed"))["items"]
    return any(item["id"] == post and item["status"] == status for item in items)


async def _async_is_erased(street: Street, post: str) -> bool:
    for home in (street.anna, street.ben):
        items = (await home.client.ask("get_feed"))["items"]
        if any(item["id"] == post for item in items):
            return False
    return not await asyncio.to_thread(lambda: street.clips)


async def until(holds: Callable[[], Any], what: str) -> None:
    """Wait until something holds. Raise StreetError."""
    deadline_s = time.monotonic() + PATIENCE_S
    while not await holds():
        if time.monotonic() > deadline_s:
            raise StreetError(f"not within {PATIENCE_S:.0f} s: {what}")
        await asyncio.sleep(LOOK_S)


async def _async_until_answering(hass: HassProcess) -> None:
    while not hass.answers():
        if hass.exit_code() is not None:
            raise HassError(f"Home Assistant did not start. The end of its log:\n{hass.log_tail()}")
        await asyncio.sleep(0.2)


def quiet_port() -> int:
    """Return a free port below those that outgoing connections take: the hub starts later."""
    while True:
        port = random.randrange(20_000, 32_000)
        if is_free(port):
            return port


def check(holds: bool, what: str) -> None:
    """Raise StreetError unless something holds."""
    if not holds:
        raise StreetError(f"this does not hold: {what}")
