"""The picture of the demo for the README: the demo's own dashboard, taken while somebody is at the door."""

import argparse
import asyncio
import io
from pathlib import Path
import secrets
import tempfile
import time

from PIL import Image

from script.lib.browser import open_browser
from script.lib.core import ROOT
from script.lib.dashboard import DASHBOARD
from script.lib.demo import DOORBELL, SETTINGS, set_up
from script.lib.demo_footage import own_footage
from script.lib.drawn_scene import LENGTH_S
from script.lib.hass import HassProcess
from script.lib.hass_client import HassClient
from script.lib.servers import RtspServer

DEFAULT = ROOT / "docs" / "images" / "demo.png"
AT_THE_DOOR_S = 18.3  # of the drawn scene
LIVE_LAG_S = 4.0  # that the live view lags behind
COLORS = 256  # a palette keeps the file a third as large, and nobody sees it


def main() -> None:
    """Take the picture."""
    parser = argparse.ArgumentParser(prog="script/screenshot", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("file", type=Path, nargs="?", default=DEFAULT)
    file: Path = parser.parse_args().file
    file.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ringwatch-demo-") as folder:
        asyncio.run(_take(file, Path(folder)))
    print(f"{file}: {file.stat().st_size / 1000:.0f} kB")


async def _take(file: Path, folder: Path) -> None:
    footage = own_footage()[0]
    loops = {f"camera{number}": path for number, path in enumerate(footage.values(), start=1)}
    server = RtspServer(loops, SETTINGS)
    began_s = time.monotonic()
    with server, HassProcess(folder, name="Home") as hass:
        async with HassClient(hass.url) as client:
            await set_up(client, server, list(footage), secrets.token_urlsafe(9), is_new=True)
            await client.call("input_button", "press", entity_id=DOORBELL)
            async with open_browser(hass.url, client.tokens) as page:
                await page.goto(f"{hass.url}/{DASHBOARD}")
                await page.locator("video").nth(1).wait_for()
                played_s = time.monotonic() - began_s
                await asyncio.sleep((AT_THE_DOOR_S + LIVE_LAG_S - played_s) % LENGTH_S)
                _save(await page.screenshot(), file)


def _save(png: bytes, file: Path) -> None:
    with Image.open(io.BytesIO(png)) as picture:
        full = picture.convert("RGB")
    palette = full.quantize(COLORS, Image.Quantize.MAXCOVERAGE)  # the others lose the few colorful icons
    full.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG).save(file, optimize=True)


if __name__ == "__main__":
    main()
