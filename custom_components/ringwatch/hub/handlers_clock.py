"""Calls of the host alone about the hub itself: its clock."""

from aiohttp import web

from ..neighborhood.fields import MAX_TIME_S
from .call import Call
from .callers import only_host
from .errors import Refusal
from .messages import answer


async def get_clock(call: Call) -> web.Response:
    """Say whether the hub's clock is believed, what it says, and what was signed last."""
    only_host(call.caller)
    call.target.only()
    return _clock(call)


async def confirm_clock(call: Call) -> web.Response:
    """Believe the clock: the host has looked at it. The time that was seen is said, in case it has jumped."""
    only_host(call.caller)
    call.target.only()
    time_s = call.fields(lambda fields: fields.integer("time", 0, MAX_TIME_S))
    if not call.hood.guard.agrees(time_s):
        raise Refusal(409, "clock_differs", "the hub's clock says another time than was confirmed")
    call.hood.guard.believe()
    return _clock(call)


def _clock(call: Call) -> web.Response:
    signed_s = call.hood.now_s()
    guard = call.hood.guard
    return answer({"held": guard.is_held, "time": int(guard.now_s()), "signed": signed_s})
