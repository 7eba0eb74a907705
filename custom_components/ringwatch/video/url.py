"""Addresses of cameras: checked, and taken apart into an address without and with credentials.

People paste passwords as they are, so `rtsp://admin:p@ss/w#rd@10.0.0.5/live` has to be understood as well as
its percent-encoded form.
"""

import re
from urllib.parse import quote, unquote, urlsplit

from .errors import InvalidUrl
from .redaction import redact

__all__ = ["NETWORK_SCHEMES", "redact", "split_credentials", "validate_url", "with_credentials"]

NETWORK_SCHEMES = frozenset({"rtsp", "rtsps", "http", "https"})
MAX_URL_LENGTH = 2048  # characters; longer than any camera's, and what Home Assistant's own fields take

_SCHEME = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>.*)", re.DOTALL)
_HOST_PORT = re.compile(r"(?:\[[0-9A-Fa-f:.]+(?:%25[\w.-]+)?\]|[^\s/?#:@\[\]\\]+)(?::(?P<port>\d{0,5}))?")
# An IP address, or a name with a dot: what cameras have.
_CERTAIN_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|localhost|[\w-]+(?:\.[\w-]+)+)(?::\d{1,5})?")
_SEPARATOR = re.compile(r"[/?#]")
_QUERY_PAIR = re.compile(r"[?&][\w.-]+=")


def is_network(source: str) -> bool:
    """Tell an address from the path of a file."""
    return _SCHEME.fullmatch(source) is not None


def split_credentials(url: str) -> tuple[str, str, str]:
    """Return the address without credentials, the user name and the password, both decoded."""
    match = _SCHEME.fullmatch(url)
    if not match:
        return url, "", ""
    rest = match["rest"]
    end = _authority_end(rest)
    userinfo, at, host = rest[:end].rpartition("@")
    if not at:
        return url, "", ""
    name, _, password = userinfo.partition(":")
    return f"{match['scheme']}://{host}{rest[end:]}", unquote(name), unquote(password)


def _authority_end(rest: str) -> int:
    """Return where host and port end.

    Normally at the first `/`, `?` or `#`. But pasted passwords have those too, and `@`: where what stands
    there does not look like a camera's host, and what follows a later `@` does, that one is meant.
    """
    first = _next_separator(rest, 0)
    if _CERTAIN_HOST.fullmatch(rest[:first].rpartition("@")[2]) or ":" not in rest[:first]:
        return first
    at = rest.rfind("@", first)
    if at < 0 or _QUERY_PAIR.search(rest[:at]):
        return first
    end = _next_separator(rest, at + 1)
    return end if _CERTAIN_HOST.fullmatch(rest[at + 1 : end]) else first


def _next_separator(text: str, start: int) -> int:
    found = _SEPARATOR.search(text, start)
    return found.start() if found else len(text)


def with_credentials(url: str, username: str, password: str) -> str:
    """Return the address with credentials in it, percent-encoded. Without a user name it stays as it is."""
    if not username and not password:
        return url
    bare, _, _ = split_credentials(url)
    match = _SCHEME.fullmatch(bare)
    if not match:
        return url
    return f"{match['scheme']}://{quote(username, safe='')}:{quote(password, safe='')}@{match['rest']}"


def validate_url(url: str, allow_files: bool = False) -> str:
    """Return the address, trimmed. Raise InvalidUrl saying what would be right."""
    url = url.strip()
    if not url:
        raise InvalidUrl("The address is empty; it should look like rtsp://192.168.1.20:554/stream1")
    if len(url) > MAX_URL_LENGTH:
        raise InvalidUrl(f"The address is longer than {MAX_URL_LENGTH} characters")
    if any(ord(char) < 0x20 or ord(char) == 0x7F or char == " " for char in url) and is_network(url):
        raise InvalidUrl("The address has a space or a control character in it")
    match = _SCHEME.fullmatch(url)
    if not match:
        if allow_files and "\0" not in url:
            return url
        raise InvalidUrl(
            "The address has no scheme; it should begin with rtsp://, rtsps://, http:// or https://"
        )
    scheme = match["scheme"].lower()
    if scheme not in NETWORK_SCHEMES:
        raise InvalidUrl(f"{scheme}:// is not supported; use rtsp://, rtsps://, http:// or https://")
    bare, _, _ = split_credentials(url)
    authority = bare.partition("://")[2]
    authority = authority[: _authority_end(authority)]
    host = _HOST_PORT.fullmatch(authority)
    if not host:
        raise InvalidUrl("The address has no valid host; it should look like rtsp://192.168.1.20:554/stream1")
    if host["port"] and not 0 < int(host["port"]) < 65536:
        raise InvalidUrl(f"{host['port']} is not a port; it should be between 1 and 65535")
    return scheme + url[len(scheme) :]


def host_and_port(url: str) -> tuple[str, int]:
    """Return host and port, the scheme's own port where none is given."""
    parts = urlsplit(url)
    default = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}.get(parts.scheme, 0)
    return parts.hostname or "", parts.port or default
