"""What a person does in the browser, without the browser: for the demo and the tests with a real hass.

Makes the first user, signs in, calls the REST and websocket interfaces, and goes through Ringwatch's own flow
to add a camera.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
import json
import time
from typing import Any, Self

import aiohttp

from script.lib.hass import HassError

CLIENT_ID = "http://127.0.0.1/"
ENTITIES = {"binary_sensor.motion", "image.last_event", "number.hold"}  # when these are there, all are
READY_S = 120.0  # the longest that Home Assistant takes for what it does in the background


class HassClient:
    """What a person does in the browser, through the same interfaces."""

    def __init__(self, url: str) -> None:
        """Talk to the Home Assistant at an address."""
        self.url = url
        self.tokens: dict[str, Any] = {}
        self._session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60))

    async def __aenter__(self) -> Self:
        """Do nothing: connections are made when they are needed."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close connections."""
        await self._session.close()

    async def onboard(self, username: str, password: str) -> None:
        """Make the first user, and sign in as that one."""
        user = {"name": username.title(), "username": username, "password": password}
        created = await self.post("/api/onboarding/users", user | {"client_id": CLIENT_ID, "language": "en"})
        await self._trade(created["auth_code"])

    async def sign_in(self, username: str, password: str) -> None:
        """Sign in with a password."""
        start = {"client_id": CLIENT_ID, "handler": ["homeassistant", None], "redirect_uri": CLIENT_ID}
        flow = await self.post("/auth/login_flow", start)
        login = {"client_id": CLIENT_ID, "username": username, "password": password}
        done = await self.post(f"/auth/login_flow/{flow['flow_id']}", login)
        if done["type"] != "create_entry":
            raise HassError(f"Home Assistant refused the password of {username}")
        await self._trade(done["result"])

    async def _trade(self, code: str) -> None:
        form = {"client_id": CLIENT_ID, "grant_type": "authorization_code", "code": code}
        async with self._session.post(f"{self.url}/auth/token", data=form) as response:
            self.tokens = await response.json()

    async def get(self, path: str) -> Any:
        """Return the JSON at a path."""
        return json.loads(await self.get_bytes(path))

    async def get_bytes(self, path: str) -> bytes:
        """Return what is at a path."""
        async with self._session.get(self.url + path, headers=self._headers()) as response:
            body = await response.read()
            if response.status >= 400:
                raise HassError(f"GET {path}: {response.status} {body[:200]!r}")
            return body

    async def post(self, path: str, data: object = None) -> Any:
        """Send JSON, return the JSON that comes back."""
        async with self._session.post(self.url + path, json=data, headers=self._headers()) as response:
            body = await response.read()
            if response.status >= 400:
                raise HassError(f"POST {path}: {response.status} {body[:200]!r}")
            return json.loads(body) if body else None

    def _headers(self) -> dict[str, str]:
        token = self.tokens.get("access_token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    async def command(self, kind: str, **fields: object) -> Any:
        """Send one websocket command, return its result."""
        async with self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket_:
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": self.tokens["access_token"]})
            await socket_.receive_json()
            await socket_.send_json({"id": 1, "type": kind} | fields)
            answer = await socket_.receive_json()
            if not answer.get("success"):
                raise HassError(f"{kind}: {answer.get('error')}")
            return answer["result"]

    @asynccontextmanager
    async def changes(self) -> AsyncIterator[asyncio.Queue[dict[str, Any]]]:
        """Listen to the states that change; each new one is put into the queue, with its attributes."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        async with self._session.ws_connect(f"{self.url}/api/websocket", max_msg_size=0) as socket_:
            await socket_.receive_json()
            await socket_.send_json({"type": "auth", "access_token": self.tokens["access_token"]})
            await socket_.receive_json()
            await socket_.send_json({"id": 1, "type": "subscribe_events", "event_type": "state_changed"})
            await socket_.receive_json()

            async def listen() -> None:
                while True:
                    said = await socket_.receive_json()
                    if state := said.get("event", {}).get("data", {}).get("new_state"):
                        queue.put_nowait(state)

            listening = asyncio.create_task(listen())
            try:
                yield queue
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def ask(self, action: str, **data: object) -> dict[str, Any]:
        """Call one of Ringwatch's actions and return its answer."""
        said = await self.post(f"/api/services/ringwatch/{action}?return_response", data)
        return dict(said["service_response"])

    async def state(self, entity_id: str) -> dict[str, Any] | None:
        """Return an entity's state and attributes, None if there is no such entity."""
        async with self._session.get(
            f"{self.url}/api/states/{entity_id}", headers=self._headers()
        ) as response:
            return dict(await response.json()) if response.status < 400 else None

    async def call(self, domain: str, service: str, **data: object) -> Any:
        """Call an action."""
        return await self.post(f"/api/services/{domain}/{service}", data)

    async def started(self) -> None:
        """Wait until every integration is set up."""
        deadline_s = time.monotonic() + READY_S
        while (await self.get("/api/config"))["state"] != "RUNNING":
            if time.monotonic() > deadline_s:
                raise HassError("Home Assistant is still starting")
            await asyncio.sleep(0.2)

    async def add_ringwatch(self) -> tuple[str, str]:
        """Add the integration; return its entry, and the first camera's flow, which it opens by itself."""
        flow = await self.post("/api/config/config_entries/flow", {"handler": "ringwatch"})
        done = await self._step("flow", flow, {})
        _expect(done, "create_entry")
        return done["result"]["entry_id"], done["next_flow"][1]

    async def add_camera(
        self, entry_id: str, name: str, url: str, *, flow_id: str = "", press_entity_id: str = ""
    ) -> dict[str, str]:
        """Add a camera by its address as a person does; return its entities by domain and key."""
        if not flow_id:
            start = {"handler": [entry_id, "camera"]}
            flow_id = (await self.post("/api/config/config_entries/subentries/flow", start))["flow_id"]
        flow = {"flow_id": flow_id}
        _expect(await self._step("subentries/flow", flow, {"next_step_id": "url"}), "form", "url")
        source = {"url": url, "advanced": {"rtsp_transport": "tcp", "verify_ssl": True}}
        seen = await self._step("subentries/flow", flow, source)
        _expect(seen, "form", "preview", "preview_large")
        press = "entity" if press_entity_id else "none"
        saved = await self._step(
            "subentries/flow", flow, {"name": name, "press": press, "advanced": {}, "go_back": False}
        )
        if press_entity_id:
            _expect(saved, "form", "press_entity")
            saved = await self._step("subentries/flow", flow, {"press_entity_id": press_entity_id})
        _expect(saved, "create_entry")
        return await self.camera_entities(entry_id, name)

    async def camera_entities(self, entry_id: str, name: str) -> dict[str, str]:
        """Return a camera's entities: {"binary_sensor.motion": "binary_sensor.front_yard_motion", ...}."""
        deadline_s = time.monotonic() + READY_S
        while time.monotonic() < deadline_s:
            subentries = await self.command("config_entries/subentries/list", entry_id=entry_id)
            subentry_id = next(s["subentry_id"] for s in subentries if s["title"] == name)
            entities = {}
            for entity in await self.command("config/entity_registry/list"):
                owner, _, key = entity["unique_id"].partition("_")
                if entity["platform"] == "ringwatch" and owner == subentry_id:
                    entities[f"{entity['entity_id'].partition('.')[0]}.{key}"] = entity["entity_id"]
            if entities.keys() >= ENTITIES:
                return entities
            await asyncio.sleep(0.2)
        raise HassError(f"the camera {name} got no entities")

    async def add_neighborhood(self, entry_id: str, *steps: tuple[str, dict[str, Any]]) -> dict[str, Any]:
        """Go through the flow of a neighborhood, each step with what is filled in; return its end."""
        flow = await self.post(
            "/api/config/config_entries/subentries/flow", {"handler": [entry_id, "neighborhood"]}
        )
        for step, filled_in in steps:
            if flow["step_id"] != step:
                raise HassError(f"the flow went another way: expected {step}, got {flow}")
            flow = await self._step("subentries/flow", flow, filled_in)
        _expect(flow, "create_entry")
        return dict(flow)

    async def _step(self, kind: str, flow: dict[str, Any], data: dict[str, Any]) -> dict[str, Any]:
        return dict(await self.post(f"/api/config/config_entries/{kind}/{flow['flow_id']}", data))


def _expect(result: dict[str, Any], kind: str, *steps: str) -> None:
    """Raise unless a flow's result is of a kind, without errors, and one of some steps if it is a form."""
    if result["type"] != kind or result.get("errors") or (steps and result["step_id"] not in steps):
        shown = {key: result[key] for key in ("type", "step_id", "errors", "reason") if result.get(key)}
        raise HassError(f"the flow went another way: expected {kind} {' or '.join(steps)}, got {shown}")
