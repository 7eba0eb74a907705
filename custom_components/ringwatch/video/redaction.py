"""What may be said about an address: scheme, host and port.

User names and passwords sit in front of the host, in the query (Reolink's FLV), in the path (XiongMai's RTSP,
UniFi's stream key): so nothing but the host is ever kept.
"""

import re

# Up to the next white space or quote; a password may hold nearly anything else, `@` and `/` too.
_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^\s,'\"<>][^\s'\"<>]*)")
_HOST = re.compile(r"(?:\[[0-9A-Fa-f:.%]+\]|[^\s/?#:@\[\]]+)(?::\d+)?(?=$|[/?#,;)\]])")


def redact(text: str) -> str:
    """Return the text with every address in it cut down to `scheme://host:port/…`."""
    return _URL.sub(_shorten, text)


def _shorten(match: re.Match[str]) -> str:
    # The host is what follows the last `@`, wherever that is: an `@` in a path hides the host, never the
    # password.
    rest = match["rest"]
    host = _HOST.match(rest[rest.rfind("@") + 1 :])
    shown = host.group() if host else "…"
    return f"{match['scheme']}://{shown}" + ("/…" if len(rest) > len(shown) else "")
