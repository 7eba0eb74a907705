"""The address of a neighborhood on its hub, as a link for agencies and officers. Nothing in it is secret.

The link is https://hub.example/hub#1. and the canonical {"h": hub key, "n": neighborhood} as base64url.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
import binascii
from dataclasses import dataclass
from typing import Final

from .canonical import encode, parse
from .fields import Fields
from .invites import check_hub_url
from .violations import BadLink, RecordViolation

MAX_LINK: Final = 1_000
_MARK: Final = "/hub#1."


@dataclass(frozen=True, slots=True)
class HubLink:
    """Where a neighborhood's hub is, and which key is its."""

    url: str
    neighborhood: str
    hub_key: str

    @property
    def link(self) -> str:
        """The link."""
        packed = encode({"h": self.hub_key, "n": self.neighborhood})
        return f"{self.url}{_MARK}{urlsafe_b64encode(packed).decode().rstrip('=')}"


def parse_hub_link(text: str, *, allow_http: bool = False) -> HubLink:
    """Read a link. Raise BadLink."""
    if len(text) > MAX_LINK:
        raise BadLink("too long")
    address, mark, packed = text.strip().partition(_MARK)
    if not mark:
        raise BadLink("not a hub's link, or a part of it is missing")
    url = check_hub_url(address, allow_http=allow_http)
    try:
        data = urlsafe_b64decode(packed + "=" * (-len(packed) % 4))
        fields = Fields(parse(data, MAX_LINK), "link")
        found = HubLink(url, fields.digest("n"), fields.key("h"))
        fields.end()
    except (binascii.Error, RecordViolation, ValueError) as error:
        raise BadLink("damaged: ask for it again") from error
    if not found.link.endswith(f"{_MARK}{packed}"):  # other characters that unpack to the same
        raise BadLink("damaged: ask for it again")
    return found
