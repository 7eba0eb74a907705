"""The host's call that gives the hub back what it has forgotten: `restoring.py`."""

from typing import Final

from aiohttp import web

from .call import Call
from .callers import only_host
from .errors import Refusal
from .messages import answer

PACKED: Final = "application/octet-stream"
MAX_BYTES: Final = 8 * 1024 * 1024  # a thousand records take some 500 kB, with long texts up to 5 MB


async def restore(call: Call) -> web.Response:
    """Take the records behind the newest one here, a thousand at most, packed as a segment is."""
    only_host(call.caller)
    call.target.only()
    if call.request.content_type != PACKED:
        raise Refusal(415, "unsupported_type", f"records are sent as {PACKED}")
    position = await call.hood.restore(call.body)
    return answer({"position": {"number": position.number, "head": position.head}})
