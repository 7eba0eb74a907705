"""What may be said about an address: scheme, host and port.

User names and passwords sit in front of the host, in the query (Reolink's FLV), in the path (XiongMai's RTSP,
UniFi's stream key): so nothing but the host is ever kept.
"""

import re

_SEPARATOR = re.compile(r"[/?#]")
# Up to the last `@` before a white space, as a password may hold quotes, and from there up to a quote.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>\S*@[^\s'\"<>]*|[^\s,'\"<>][^\s'\"<>]*)")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s/?#:@\[\]]+)(?::\d+)?(?=$|[/?#,;)\]])")


def redact(text: str) -> str:
    """Return the text with every address in it cut down to `scheme://host:port/…`."""
    return _URL.sub(_shorten, text)


def _shorten(match: re.Match[str]) -> str:
    authority, separator, path = _parts(match["rest"])
    # A later `@` may be a path's or a pasted password's (`a/b@host`): then nothing is certain but the scheme.
    host = None if "@" in path else _HOST.match(authority.rpartition("@")[2])
    if host is None:
        return f"{match['scheme']}://…"
    return f"{match['scheme']}://{host.group()}" + ("/…" if separator else "")


def _parts(rest: str) -> tuple[str, str, str]:
    found = _SEPARATOR.search(rest)
    return (rest[: found.start()], found.group(), rest[found.end() :]) if found else (rest, "", "")
