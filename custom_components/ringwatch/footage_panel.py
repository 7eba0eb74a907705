"""The panel "Ringwatch" in the sidebar: where requests are read, clips looked at, and answers sent."""

import hashlib
import logging
from pathlib import Path
from typing import Final

from homeassistant.components import frontend
from homeassistant.components.http import StaticPathConfig
from homeassistant.core import HomeAssistant

from .const import DOMAIN, TITLE

_LOGGER = logging.getLogger(__name__)

PANEL_URL: Final = f"/{DOMAIN}_static/panel.js"
ELEMENT: Final = f"{DOMAIN}-panel"
ICON: Final = "mdi:doorbell-video"
FILE: Final = Path(__file__).parent / "www" / "panel.js"  # built from frontend/, in the release


async def async_serve_panel(hass: HomeAssistant) -> None:
    """Serve the panel's code. Static paths can't be taken back, so this is done once."""
    if await hass.async_add_executor_job(FILE.is_file):
        await hass.http.async_register_static_paths(
            [StaticPathConfig(PANEL_URL, str(FILE), cache_headers=True)]
        )


async def async_show_panel(hass: HomeAssistant) -> None:
    """Show it in the sidebar. Everybody sees it; what it may show is asked at each command."""
    try:
        code = await hass.async_add_executor_job(FILE.read_bytes)
    except OSError:
        _LOGGER.warning("The panel isn't in this installation: %s is missing", FILE.name)
        return
    version = hashlib.sha256(code).hexdigest()[:12]
    frontend.async_register_built_in_panel(
        hass,
        component_name="custom",
        sidebar_title=TITLE,
        sidebar_icon=ICON,
        frontend_url_path=DOMAIN,
        config={
            "_panel_custom": {
                "name": ELEMENT,
                "embed_iframe": False,
                "trust_external": False,
                "module_url": f"{PANEL_URL}?v={version}",
            }
        },
        require_admin=False,
        update=True,
    )


def hide_panel(hass: HomeAssistant) -> None:
    """Take it out of the sidebar."""
    frontend.async_remove_panel(hass, DOMAIN, warn_if_unknown=False)
