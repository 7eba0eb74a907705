"""An agency's website on this machine, for the demo's street: HTTPS, certified by an authority of its own.

Anna's Home Assistant asks the website for the agency's key as it asks any: the certificate, the file and the
key are really checked. What the demo tells it is only where the website stands, as no directory of names
can: a small integration of the demo's own, in the throw-away config folder, gives the check its
address and port. Ringwatch itself has no such setting, and calls public addresses only.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
import json
from pathlib import Path
import ssl
import textwrap

from aiohttp import web
import certifi
import trustme

from script.lib.hass import HassProcess

PATH = "/.well-known/ringwatch-agency.json"
TOWN = "street_town"
MANIFEST = {
    "domain": TOWN,
    "name": "Where the demo's website stands",
    "after_dependencies": ["ringwatch"],
    "codeowners": [],
    "documentation": "https://example.com",
    "requirements": [],
    "version": "1.0.0",
}
INTEGRATION = '''
    """Made by script/demo --street: the website of the demo's agency stands on this machine."""

    from functools import partial
    import socket

    from aiohttp.abc import AbstractResolver
    from custom_components.ringwatch import agency_enrolling


    class Here(AbstractResolver):
        async def resolve(self, host, port=0, family=socket.AF_INET):
            where = {{"hostname": host, "host": "127.0.0.1", "port": port}}
            return [where | {{"family": socket.AF_INET, "proto": 0, "flags": 0}}]

        async def close(self):
            """Nothing is open."""


    async def async_setup(hass, config):
        agency_enrolling.async_check_domain = partial(
            agency_enrolling.async_check_domain, resolver=Here(), port={port}, only_public=False
        )
        return True
'''


@dataclass(slots=True)
class Website:
    """The website, which has nothing on it at first."""

    domain: str
    port: int
    authorities: Path  # all that browsers trust, and the demo's own
    pages: dict[str, bytes] = field(default_factory=dict)

    def publish(self, profile: bytes) -> None:
        """Put the agency's key onto it."""
        self.pages[PATH] = profile

    def tell(self, hass: HassProcess) -> None:
        """Have a Home Assistant that hasn't been started yet find the website."""
        folder = hass.config / "custom_components" / TOWN
        folder.mkdir()
        (folder / "manifest.json").write_text(json.dumps(MANIFEST))
        (folder / "__init__.py").write_text(textwrap.dedent(INTEGRATION.format(port=self.port)).lstrip())
        with (hass.config / "configuration.yaml").open("a") as configuration:
            configuration.write(f"\n{TOWN}:\n")
        hass.environment["REQUESTS_CA_BUNDLE"] = str(self.authorities)


@asynccontextmanager
async def open_website(folder: Path, domain: str) -> AsyncIterator[Website]:
    """Serve it on 127.0.0.1 until the block ends."""
    authority = trustme.CA(organization_name="script/demo --street")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(domain).configure_cert(context)
    authorities = folder / "authorities.pem"
    authorities.write_text(certifi.contents() + authority.cert_pem.bytes().decode())
    pages: dict[str, bytes] = {}

    async def answer(request: web.Request) -> web.Response:
        found = pages.get(request.path)
        if found is None:
            return web.Response(status=404)
        return web.Response(body=found, content_type="application/json")

    app = web.Application()
    app.router.add_get("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield Website(domain, runner.addresses[0][1], authorities, pages)
    finally:
        await runner.cleanup()
