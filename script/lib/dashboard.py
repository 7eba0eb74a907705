"""The demo's dashboard: a column for each camera, live, with what it saw and its switches."""

from typing import Any

from script.lib.hass_client import HassClient

DASHBOARD = "ringwatch-demo"
# What a column shows below the live picture, by domain and key; what a camera lacks is left out.
TILES = (
    "binary_sensor.motion",
    "event.doorbell",
    "sensor.last_motion",
    "switch.detection",
    "switch.privacy",
    "number.sensitivity",
    "number.hold",
)


async def show_dashboard(client: HassClient, cameras: dict[str, dict[str, str]], doorbell: str) -> None:
    """Make the dashboard, and open it first after signing in."""
    await client.command(
        "lovelace/dashboards/create",
        url_path=DASHBOARD,
        title="Ringwatch",
        icon="mdi:doorbell-video",
        show_in_sidebar=True,
        require_admin=False,
    )
    sections = [_column(name, entities) for name, entities in cameras.items()]
    sections[0]["cards"].append(
        {
            "type": "tile",
            "entity": doorbell,
            "name": "Ring the bell",
            "tap_action": {
                "action": "perform-action",
                "perform_action": "input_button.press",
                "target": {"entity_id": doorbell},
            },
        }
    )
    view = {
        "title": "Cameras",
        "type": "sections",
        "max_columns": max(2, len(sections)),
        "sections": sections,
    }
    await client.command("lovelace/config/save", url_path=DASHBOARD, config={"views": [view]})
    await client.command("frontend/set_system_data", key="core", value={"default_panel": DASHBOARD})


def _column(name: str, entities: dict[str, str]) -> dict[str, Any]:
    bare = {"type": "picture-entity", "show_name": False, "show_state": False}
    wide = {"grid_options": {"columns": "full"}}
    camera = next(entity for key, entity in entities.items() if key.startswith("camera."))
    cards: list[dict[str, Any]] = [
        {"type": "heading", "heading": name, "icon": "mdi:cctv"},
        {**bare, "entity": camera, "camera_view": "live", **wide},
    ]
    short = {"type": "tile", "name": {"type": "entity"}}  # without the camera's name, which is above
    cards += [{**short, "entity": entities[key]} for key in TILES if key in entities]
    if picture := entities.get("image.last_event"):
        # Without a picture the frontend would wait for one with a turning wheel.
        shown = {"condition": "state", "entity": picture, "state_not": ["unavailable", "unknown"]}
        cards.append({**bare, "entity": picture, **wide, "visibility": [shown]})
    return {"type": "grid", "cards": cards}
