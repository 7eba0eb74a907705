"""Texts that others wrote, as words and nothing more."""

import re
from typing import Final

# What makes a link, a picture, a heading or an address of a text
_ACTIVE: Final = re.compile(r"[\[\]()<>*_`|#!~\\{}]|://|www\.|@")


def harmless(text: str) -> str:
    """Return a text of which neither a title nor Markdown makes more than words."""
    return _ACTIVE.sub(" ", text).strip()
