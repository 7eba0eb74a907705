"""An agency's profile as a file, which the agency makes and gives to hosts."""

from dataclasses import replace
import json
from typing import Final

from .bodies.agencies import Agency
from .canonical import Json
from .fields import Fields
from .violations import BadField
from .violations_requests import NotProved

FORMAT: Final = "ringwatch-agency/1"
MAX_BYTES: Final = 64 * 1024


def write_profile(profile: Agency) -> bytes:
    """Return the file, for people to read as well."""
    content: dict[str, Json] = {
        "format": FORMAT,
        "profile": replace(profile, replaces=None).to_json(),
    }
    return (json.dumps(content, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def parse_profile(data: bytes) -> Agency:
    """Read a file and check the agency's signature. Raise RecordViolation."""
    if len(data) > MAX_BYTES:
        raise BadField("an agency's file has 64 KiB at most")
    try:
        content = json.loads(data)
    except ValueError as error:
        raise BadField("not an agency's file: no JSON") from error
    fields = Fields(content, "agency file")
    if fields.string("format") != FORMAT:
        raise BadField(f"not an agency's file of the form {FORMAT}")
    profile = Agency.parse(fields.take("profile"))
    fields.end()
    if not profile.is_proved:
        raise NotProved("the agency's key has not signed this profile")
    return profile
