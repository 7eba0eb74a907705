"""Long-polls: a bounded number, one for each member, woken in small groups: nobody else has to wait."""

import asyncio
from collections import OrderedDict
from typing import Final

GROUP: Final = 4  # answering one and checking its next call takes most of a millisecond
PAUSE_S: Final = 0.006  # a thousand in 1.5 s, 0.7 MB: three quarters of a 20 Mbit/s uplink are left to others


class Waiters:
    """Callers that wait for the next record of one neighborhood."""

    def __init__(self) -> None:
        self._waiting: OrderedDict[str, asyncio.Future[None]] = OrderedDict()
        self._ringing: asyncio.Task[None] | None = None
        self._again = False

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, who: str, seconds: float) -> None:
        """Wait until something is new, or that long, or until the same caller waits again."""
        if before := self._waiting.pop(who, None):
            _end(before)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[who] = future
        timer = asyncio.get_running_loop().call_later(seconds, _end, future)
        try:
            await future
        finally:
            timer.cancel()
            if self._waiting.get(who) is future:
                del self._waiting[who]

    def ring(self) -> None:
        """Wake everybody, in groups, longest waiting first."""
        if self._ringing and not self._ringing.done():
            self._again = True
        else:
            self._ringing = asyncio.create_task(self._ring())

    async def _ring(self) -> None:
        while True:
            self._again = False
            asleep = list(self._waiting.values())
            for start in range(0, len(asleep), GROUP):
                if start:
                    await self._pause()
                for future in asleep[start : start + GROUP]:
                    _end(future)
            if not self._again:
                return

    async def _pause(self) -> None:
        """Leave the loop to others: as long again as it was late, so that it never has a queue from this."""
        loop = asyncio.get_running_loop()
        due_s = loop.time() + PAUSE_S
        await asyncio.sleep(PAUSE_S)
        if (late_s := loop.time() - due_s) > PAUSE_S / 2:
            await asyncio.sleep(late_s)

    def end(self) -> None:
        """Wake everybody now: the hub stops."""
        for future in list(self._waiting.values()):
            _end(future)


def _end(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
