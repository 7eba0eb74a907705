"""The police of the demo's street: made with script/agency, enrolled by Anna's action, with one officer."""

import asyncio
from dataclasses import dataclass
import json
from pathlib import Path
import secrets
import shutil

from script.lib.core import ROOT, load_core
from script.lib.hass import HassError
from script.lib.street import LATITUDE, LONGITUDE, Say, Street, StreetError, check, until
from script.lib.street_website import Website

load_core()

from ringwatch.neighborhood.hub_link import parse_hub_link

AGENCY = "Springfield Police Department"
DOMAIN = "police.springfield.example"
OFFICER = "Sgt. Maria Reyes"
REACH = 0.1  # degrees: a jurisdiction of about 20 km
TERMS = "Deleted when the case is closed. Questions: records@police.springfield.example.\n"


@dataclass(frozen=True, slots=True)
class Precinct:
    """What an officer sits down with."""

    page: Path  # the officer's page, on the officer's own disk
    key_file: Path
    passphrase: str
    fingerprint: str
    register: str  # the public one, of the neighborhood


async def enroll(street: Street, website: Website, folder: Path, say: Say) -> Precinct:
    """Make the agency, have Anna enroll it, certify an officer."""
    own, officers = folder / "agency-passphrase.txt", folder / "officer-passphrase.txt"
    passphrase = secrets.token_urlsafe(12)
    await asyncio.to_thread(_write, folder, {own: secrets.token_urlsafe(12), officers: passphrase})
    agency = ("--folder", folder / "agency")
    with_key = (*agency, "--passphrase-file", own)
    await _async_agency(
        *("init", *with_key, "--name", AGENCY, "--domain", DOMAIN, "--kind", "municipal_police"),
        *("--jurisdiction", folder / "town.geojson", "--retention-days", 90, "--sharing", "courts"),
        *("--face-recognition", "never", "--terms", folder / "terms.txt"),
    )
    profile = await asyncio.to_thread((folder / "agency" / "profile.json").read_text)
    published = await _async_agency("well-known", *agency)
    fingerprint = str(json.loads(published)["fingerprint"])
    say(f"script/agency made {AGENCY}: {fingerprint}")

    anna = street.anna.client
    try:
        await anna.ask("enroll_agency", profile=profile)
    except HassError as err:
        check("has no file /.well-known/" in str(err), f"it is said what is missing: {err}")
    else:
        raise StreetError("an agency was looked at whose website has no key")
    website.publish(published.encode())
    seen = await anna.ask("enroll_agency", profile=profile)
    check(not seen["enrolled"] and seen["fingerprint"] == fingerprint, f"shown, not enrolled: {seen}")
    done = await anna.ask("enroll_agency", profile=profile, fingerprint=fingerprint)
    check(done["enrolled"], f"enrolled: {done}")

    async def is_enrolled() -> bool:
        return any(one["domain"] == DOMAIN for one in (await anna.ask("get_agencies"))["agencies"])

    await until(is_enrolled, "the hub has the agency")
    say(
        f"Anna enrolled it: the key stands on https://{DOMAIN} (HTTPS with a certificate, on this machine for"
        " the demo), and the fingerprint is what the agency said"
    )

    hub = ("--hub", (await anna.ask("get_agencies"))["hub_link"], "--allow-http")
    key_file = folder / "officer.key"
    key = await _async_agency(
        *("keyfile", *with_key, "--output", key_file, "--officer-passphrase-file", officers, *hub)
    )
    await _async_agency("certify", *with_key, "--key", key.strip(), "--name", OFFICER, *hub)
    page = folder / "officer.html"
    await asyncio.to_thread(shutil.copy, ROOT / "custom_components/ringwatch/www/officer.html", page)
    say(f"the agency certified {OFFICER}, who has a key file and the officer's page")
    link = parse_hub_link(str(hub[1]), allow_http=True)
    return Precinct(page, key_file, passphrase, fingerprint, f"{link.url}/register/{link.neighborhood}")


def _write(folder: Path, passphrases: dict[Path, str]) -> None:
    folder.mkdir(mode=0o700)
    for path, passphrase in passphrases.items():
        path.write_text(passphrase + "\n")
        path.chmod(0o600)
    west, east, south, north = LONGITUDE - REACH, LONGITUDE + REACH, LATITUDE - REACH, LATITUDE + REACH
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    (folder / "town.geojson").write_text(json.dumps({"type": "Polygon", "coordinates": [ring]}))
    (folder / "terms.txt").write_text(TERMS)


async def _async_agency(*arguments: object) -> str:
    """Run script/agency; return what it says on standard output."""
    process = await asyncio.create_subprocess_exec(
        ROOT / "script" / "agency",
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    said, told = await process.communicate()
    if process.returncode:
        raise StreetError(f"script/agency {arguments[0]}: {told.decode(errors='replace')}")
    return said.decode()
