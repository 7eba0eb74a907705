"""The neighbors' page: one HTML file, served with a policy that lets nothing run but what is in it."""

from base64 import b64encode
import hashlib
from pathlib import Path
import re
from typing import Final

MAX_BYTES: Final = 4 * 1024 * 1024
_INLINE: Final = re.compile(rb"<(script|style)\b[^>]*>(.*?)</\1\s*>", re.DOTALL | re.IGNORECASE)


class Page:
    """The file and its headers. Reading blocks."""

    def __init__(self, path: Path) -> None:
        """Read it. Raise OSError."""
        with path.open("rb") as file:
            self.body = file.read(MAX_BYTES + 1)
        if len(self.body) > MAX_BYTES:
            raise OSError("the page is too large")
        hashes: dict[str, list[str]] = {"script": [], "style": []}
        for kind, text in _INLINE.findall(self.body):
            hashes[kind.decode().lower()].append(
                f"'sha256-{b64encode(hashlib.sha256(text).digest()).decode()}'"
            )
        scripts, styles = (" ".join(hashes[kind]) or "'none'" for kind in ("script", "style"))
        self.headers = {
            "Content-Security-Policy": (
                f"default-src 'none'; script-src {scripts}; style-src {styles}; connect-src 'self';"
                " img-src blob: data:; media-src blob:; base-uri 'none'; form-action 'none';"
                " frame-ancestors 'none'"
            ),
            "Cache-Control": "no-cache",
            "Referrer-Policy": "no-referrer",
            "X-Frame-Options": "DENY",
            "Cross-Origin-Opener-Policy": "same-origin",
            "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
        }
