"""`script/agency`: an agency's keys, profile and officers.

An agency begins with `init`, publishes what `well-known` prints at
https://<domain>/.well-known/ringwatch-agency.json, and gives `profile.json` to the neighborhood's host. Once
the host has enrolled it, the host's link (https://hub.example/hub#1...) goes into `certify`.

Passphrases are typed, or come from a file: never from the command line.
"""

import argparse
import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
import json
from pathlib import Path
import sys
import time
from typing import Any, Final

from script.lib.agency_folder import (
    PROFILE,
    AgencyError,
    Folder,
    passphrase,
    read_jurisdiction,
    signing_key,
    write_sealed,
)  # fmt: skip
from script.lib.agency_hub import async_say
from script.lib.core import load_core

load_core()

from ringwatch.footage.age_file import generate_identity, recipient_of
from ringwatch.neighborhood.bodies import Body, Officer, Partnership
from ringwatch.neighborhood.bodies.agencies import (
    MAX_RETENTION_DAYS,
    MAX_TERMS,
    Agency,
    AgencyKind,
    FaceRecognition,
    OfficerAction,
    Sharing,
    sign_profile,
)  # fmt: skip
from ringwatch.neighborhood.bodies.partnership import MAX_AGREEMENT, MAX_SEED_CAMERAS
from ringwatch.neighborhood.bodies.people import MAX_NAME
from ringwatch.neighborhood.enrolment import PATH, EnrolmentError, check_local, well_known
from ringwatch.neighborhood.hub_link import HubLink, parse_hub_link
from ringwatch.neighborhood.key_file import KeyFile
from ringwatch.neighborhood.keys import PrivateKey, fingerprint, is_public_key
from ringwatch.neighborhood.limits import DAY_S
from ringwatch.neighborhood.text import clean
from ringwatch.neighborhood.violation import Violation

KINDS: Final = [kind for kind in AgencyKind if kind not in {AgencyKind.FEDERAL, AgencyKind.IMMIGRATION}]
CERTIFIED_DAYS: Final = 365
MAX_CERTIFIED_DAYS: Final = 399  # the rules allow 400, and clocks differ
_MAX_FILE_BYTES: Final = 64 * 1024


def main(arguments: Sequence[str]) -> int:
    """Do what is asked; return the exit status."""
    given = _parser().parse_args(arguments)
    try:
        given.run(given)
    except (AgencyError, EnrolmentError, Violation) as error:
        print(f"script/agency: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt, EOFError:
        print("script/agency: stopped, nothing was changed", file=sys.stderr)
        return 1
    return 0


def _say(words: str = "") -> None:
    """Tell a person; standard output is for what is handed on."""
    print(words, file=sys.stderr)


# ---- the agency ----------------------------------------------------------------------------------------


def _init(given: argparse.Namespace) -> None:
    folder = Folder(given.folder)
    folder.make()
    identity, key = generate_identity(), PrivateKey.generate()
    profile = _profile_of(given, key, identity.recipient)
    check_local(profile)
    secret = passphrase("New passphrase of the agency's key", given.passphrase_file, new=True)
    folder.keep(KeyFile(profile.name, None, key.seed, identity.secret), secret)
    folder.keep_profile(profile)
    _tell(folder, profile)


def _profile_of(given: argparse.Namespace, key: PrivateKey, recipient: str) -> Agency:
    return _checked(
        key,
        Agency(
            name=clean(given.name, MAX_NAME),
            key=key.public,
            age_recipient=recipient,
            domain=given.domain.lower(),
            kind=AgencyKind(given.kind),
            jurisdiction=read_jurisdiction(given.jurisdiction),
            retention_days=given.retention_days,
            sharing=Sharing(given.sharing),
            face_recognition=FaceRecognition(given.face_recognition),
            terms=_text_of(given.terms, MAX_TERMS) if given.terms else "",
            replaces=None,
            issued_s=int(time.time()),
        ),
    )


def _checked(key: PrivateKey, profile: Agency) -> Agency:
    """Sign a profile, and read it as everybody else will. Raise RecordViolation."""
    return Agency.parse(sign_profile(key, profile).to_json())


def _profile(given: argparse.Namespace) -> None:
    folder = Folder(given.folder)
    before = folder.profile()
    changes: dict[str, Any] = {
        name: value
        for name, value in (
            ("name", given.name and clean(given.name, MAX_NAME)),
            ("domain", given.domain and given.domain.lower()),
            ("kind", given.kind and AgencyKind(given.kind)),
            ("jurisdiction", given.jurisdiction and read_jurisdiction(given.jurisdiction)),
            ("retention_days", given.retention_days),
            ("sharing", given.sharing and Sharing(given.sharing)),
            ("face_recognition", given.face_recognition and FaceRecognition(given.face_recognition)),
            ("terms", given.terms and _text_of(given.terms, MAX_TERMS)),
        )
        if value is not None
    }
    if not changes:
        print((folder.path / PROFILE).read_text("utf-8"), end="")
        return
    opened = folder.open(passphrase("Passphrase of the agency's key", given.passphrase_file, new=False))
    changed = replace(before, issued_s=max(int(time.time()), before.issued_s + 1), **changes)
    profile = _checked(signing_key(opened), changed)
    check_local(profile)
    folder.keep_profile(profile)
    _tell(folder, profile)


def _rotate(given: argparse.Namespace) -> None:
    folder = Folder(given.folder)
    before = folder.profile()
    secret = passphrase("Passphrase of the agency's key", given.passphrase_file, new=False)
    opened = folder.open(secret)
    identity, key = generate_identity(), PrivateKey.generate()
    changed = replace(
        before,
        key=key.public,
        age_recipient=identity.recipient,
        issued_s=max(int(time.time()), before.issued_s + 1),
    )
    profile = _checked(key, changed)
    aside = folder.exchange(KeyFile(opened.agency, None, key.seed, identity.secret), secret)
    folder.keep_profile(profile)
    _say(f"The key before is in {aside}: keep it as long as you want to open what was sent until now.")
    _say(
        "Hosts enroll the new profile in place of the old one; nothing is delivered for 72 hours after that."
    )
    _say("Then certify your officers anew, and give them key files with the new reading key.")
    _tell(folder, profile)


def _well_known(given: argparse.Namespace) -> None:
    print(json.dumps(well_known(Folder(given.folder).profile()), indent=1))


def _tell(folder: Folder, profile: Agency) -> None:
    _say(f"{profile.name}: {folder.path / PROFILE} is for hosts.")
    _say(f"Fingerprint, which they compare with you: {fingerprint(profile.key)}")
    _say(f"Publish what `script/agency well-known` prints at https://{profile.domain}{PATH}")


# ---- officers ------------------------------------------------------------------------------------------


def _keyfile(given: argparse.Namespace) -> None:
    folder = Folder(given.folder)
    opened = folder.open(passphrase("Passphrase of the agency's key", given.passphrase_file, new=False))
    if recipient_of(opened.age_identity) != folder.profile().age_recipient:
        raise AgencyError("the profile names another reading key than agency.key holds")
    hub = _link(given).link if given.hub else None
    key = None if given.reading_only else PrivateKey.generate()
    secret = passphrase("New passphrase of the officer's key file", given.officer_passphrase_file, new=True)
    content = KeyFile(opened.agency, hub, key.seed if key else None, opened.age_identity)
    write_sealed(given.output, content, secret)
    if key is None:
        _say(f"{given.output} opens what is sent to the agency. It signs nothing.")
        return
    _say(f"{given.output} signs for one officer and opens what is sent to the agency.")
    _say("Certify its key:")
    print(key.public)


def _certify(given: argparse.Namespace) -> None:
    expires_s = int(time.time()) + given.days * DAY_S
    name = clean(given.name, MAX_NAME)
    _send(given, lambda _: Officer(OfficerAction.CERTIFY, given.key, name, expires_s))
    _say(f"{name} is certified for {given.days} days.")


def _revoke(given: argparse.Namespace) -> None:
    def make(names: dict[str, str]) -> Body:
        name = names.get(given.key, "Officer")
        return Officer(OfficerAction.REVOKE, given.key, name, int(time.time()))

    _send(given, make)
    _say("The officer's key is revoked.")


def _partnership(given: argparse.Namespace) -> None:
    body = Partnership.parse(
        Partnership(
            _text_of(given.terms, MAX_AGREEMENT), given.code, given.seed_cameras, given.replaces
        ).to_json()
    )
    print(_send(given, lambda _: body))


def _send(given: argparse.Namespace, make: Callable[[dict[str, str]], Body]) -> str:
    link = _link(given)
    folder = Folder(given.folder)
    opened = folder.open(passphrase("Passphrase of the agency's key", given.passphrase_file, new=False))
    return asyncio.run(async_say(link, signing_key(opened), make))


def _link(given: argparse.Namespace) -> HubLink:
    return parse_hub_link(given.hub, allow_http=given.allow_http)


# ---- the command line ----------------------------------------------------------------------------------


def _text_of(path: Path, limit: int) -> str:
    try:
        data = path.read_bytes()
        text = data[: _MAX_FILE_BYTES + 1].decode()
    except (OSError, UnicodeDecodeError) as error:
        raise AgencyError(f"{path} can't be read as text") from error
    found = clean(text, _MAX_FILE_BYTES, lines=True)
    if not 0 < len(found) <= limit:
        raise AgencyError(f"{path}: 1 to {limit} characters, not {len(found)}")
    return found


def _public_key(text: str) -> str:
    if not is_public_key(text):
        raise argparse.ArgumentTypeError("a public key has 64 hexadecimal digits")
    return text


def _number(most: int, least: int = 0) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not least <= int(text) <= most:
            raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}")
        return int(text)

    return read


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="script/agency", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def add(name: str, run: Callable[[argparse.Namespace], None], words: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=words, description=words)
        found.set_defaults(run=run)
        found.add_argument("--folder", type=Path, required=True, help="the agency's folder")
        if name != "well-known":
            found.add_argument(
                "--passphrase-file",
                type=Path,
                help="read the passphrase of the agency's key from a file's first line (- is standard input)",
            )
        return found

    _profile_options(add("init", _init, "make the agency's keys and its profile"), needed=True)
    _profile_options(add("profile", _profile, "print the profile, or sign a changed one"), needed=False)
    add("well-known", _well_known, "print what the agency's website publishes")
    keyfile = add("keyfile", _keyfile, "write an officer's key file, with a new key")
    keyfile.add_argument("--output", type=Path, required=True, help="the file, which is not there yet")
    keyfile.add_argument("--reading-only", action="store_true", help="without a signing key")
    keyfile.add_argument("--officer-passphrase-file", type=Path, help="--passphrase-file of the new file")
    _hub_options(keyfile, needed=False)
    certify = add("certify", _certify, "tell a hub that a key is an officer's")
    certify.add_argument("--key", type=_public_key, required=True, help="the officer's public key")
    certify.add_argument("--name", required=True, help="as neighbors will read it: Sgt. Reyes")
    certify.add_argument(
        "--days", type=_number(MAX_CERTIFIED_DAYS, 1), default=CERTIFIED_DAYS, help="(default: %(default)s)"
    )
    _hub_options(certify, needed=True)
    revoke = add("revoke", _revoke, "tell a hub that a key is an officer's no longer")
    revoke.add_argument("--key", type=_public_key, required=True, help="the officer's public key")
    _hub_options(revoke, needed=True)
    partnership = add("partnership", _partnership, "offer a neighborhood an agreement; prints its id")
    partnership.add_argument("--terms", type=Path, required=True, help="a text file with all of it")
    partnership.add_argument("--code", required=True, help="4 to 12 capital letters and digits")
    partnership.add_argument("--seed-cameras", type=_number(MAX_SEED_CAMERAS), default=MAX_SEED_CAMERAS)
    partnership.add_argument("--replaces", help="the id of the agreement before")
    _hub_options(partnership, needed=True)
    add("rotate", _rotate, "make new keys in place of the agency's; the old ones are kept beside")
    return parser


def _profile_options(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    parser.add_argument("--name", required=needed, help="as neighbors know it")
    parser.add_argument("--domain", required=needed, help="of its own website: police.example.gov")
    parser.add_argument("--kind", choices=KINDS, required=needed)
    parser.add_argument("--jurisdiction", type=Path, required=needed, help="GeoJSON with one polygon")
    parser.add_argument(
        "--retention-days", type=_number(MAX_RETENTION_DAYS), required=needed, help="how long footage is kept"
    )
    parser.add_argument("--sharing", choices=list(Sharing), required=needed, help="of footage, with whom")
    parser.add_argument("--face-recognition", choices=list(FaceRecognition), required=needed)
    parser.add_argument("--terms", type=Path, help="a text file: what else neighbors should know")


def _hub_options(parser: argparse.ArgumentParser, *, needed: bool) -> None:
    parser.add_argument("--hub", required=needed, help="the host's link: https://hub.example/hub#1...")
    parser.add_argument("--allow-http", action="store_true", help="for a hub on this machine")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
