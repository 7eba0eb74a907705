"""Uploads: announced, sent in parts, looked at, kept. Each step is on the disk before it is acknowledged."""

import asyncio
from collections.abc import Callable
from typing import Any

from ..neighborhood.bodies.feed import Media
from . import blobs
from .blobs import PART_BYTES, Upload
from .errors import Refusal, bad_request, busy, not_found, storage_full
from .hood import Hood, quotas_of
from .media_check import MediaCheck
from .writer import is_full

CHECKS = 2  # of one member at the same time: others have their turn
ANSWER_S = 30.0  # how long the last part's answer waits for the check; then the uploader asks again


class Uploads:
    """The uploads of one neighborhood."""

    def __init__(self, hood: Hood, check: MediaCheck, keep_free_bytes: Callable[[], int]) -> None:
        self._hood = hood
        self._check = check
        self._keep_free_bytes = keep_free_bytes
        self._checking: dict[tuple[str, str], asyncio.Task[dict[str, Any]]] = {}
        self._writing: set[tuple[str, str]] = set()

    async def begin(self, media: Media, owner: str) -> tuple[int, dict[str, Any]]:
        """Announce an upload, or ask how far it is. Return status and answer."""
        now_s = self._hood.now_s()
        await self._ask_for_space(media.size_bytes)

        def job(db: Any) -> tuple[Upload, str | None]:
            return blobs.begin(db, media, owner, quotas_of(db), now_s)

        upload, token = await self._hood.writer.do(job)
        return (200 if upload.ready else 201), await self._state(upload, token)

    async def look(self, sha256: str, owner: str) -> dict[str, Any]:
        """Return how far an upload is, with a new token."""
        now_s = self._hood.now_s()

        def job(db: Any) -> tuple[Upload, str | None]:
            upload = blobs.find(db, sha256, owner)
            if upload is None:
                raise not_found()
            return upload, blobs.next_token(db, upload, now_s)

        upload, token = await self._hood.writer.do(job)
        return await self._state(upload, token)

    async def part(self, sha256: str, owner: str, token: str, offset: int, data: bytes) -> dict[str, Any]:
        """Take a part. Raise Refusal."""
        now_s = self._hood.now_s()
        key = (sha256, owner)
        if key in self._writing:
            raise Refusal(409, "offset_moved", "another part is being written", more={"offset": offset})
        self._writing.add(key)
        try:
            upload = await self._hood.read(lambda db: blobs.find(db, sha256, owner))
            if upload is None:
                raise not_found()
            if len(data) != min(PART_BYTES, upload.media.size_bytes - offset):
                raise bad_request("a part is as long as `part_bytes`, the last one as long as the rest")
            await self._ask_for_space(len(data))
            taken = await self._hood.writer.do(lambda db: blobs.take_token(db, sha256, owner, token, offset))
            await self._in_thread(self._hood.files.write_part, sha256, owner, offset, data)
            after, next_token = await self._hood.writer.do(
                lambda db: blobs.advance(db, taken, len(data), now_s)
            )
        finally:
            self._writing.discard(key)
        return await self._state(after, next_token)

    async def drop(self, sha256: str, owner: str) -> None:
        """Forget an upload. Raise Refusal: while something is done with its file, that would stay behind."""
        if (sha256, owner) in self._writing or (sha256, owner) in self._checking:
            raise busy()
        self._writing.add((sha256, owner))
        try:
            await self._drop(sha256, owner)
        finally:
            self._writing.discard((sha256, owner))

    async def _drop(self, sha256: str, owner: str) -> None:
        unwanted = await self._hood.writer.do(lambda db: blobs.drop(db, sha256, owner))
        await self._in_thread(self._hood.files.delete_part, sha256, owner)
        if unwanted:
            await self._hood.delete_unwanted([sha256])

    async def close(self) -> None:
        """End what is being looked at; it begins anew when somebody asks."""
        for task in self._checking.values():
            task.cancel()
        if self._checking:
            await asyncio.wait(list(self._checking.values()))

    async def _state(self, upload: Upload, token: str | None) -> dict[str, Any]:
        if upload.ready:
            return {"state": "ready"}
        if not upload.is_complete:
            return {"state": "open", "offset": upload.offset, "part_bytes": PART_BYTES, "token": token}
        key = (upload.media.sha256, upload.owner)
        task = self._checking.get(key)
        if task is None:
            if sum(owner == upload.owner for _, owner in self._checking) >= CHECKS:
                return {"state": "checking"}
            task = self._checking[key] = asyncio.create_task(self._finish(upload))
            task.add_done_callback(lambda _: self._checking.pop(key, None))
        done, _ = await asyncio.wait([task], timeout=ANSWER_S)
        return task.result() if done else {"state": "checking"}

    async def _finish(self, upload: Upload) -> dict[str, Any]:
        hood, media = self._hood, upload.media
        path = hood.files.part(media.sha256, upload.owner)
        try:
            found = await self._in_thread(hood.files.digest_of, path)
        except FileNotFoundError:
            return await self._begin_anew(upload)  # a kill between the move and the row, or a power cut
        try:
            await self._check.check(path, media, found)
        except Refusal as refusal:
            if refusal.status == 422:
                now_s = hood.now_s()
                await hood.writer.do(lambda db: blobs.spend(db, upload.owner, blobs.REFUSED_BYTES, now_s))
                await self._drop(media.sha256, upload.owner)
            raise
        now_s = hood.now_s()

        def job(db: Any) -> None:
            # The file goes first: a row without a file would be a lie, a file without a row is swept up.
            hood.files.keep(media.sha256, upload.owner)
            blobs.finish(db, upload, now_s)

        await hood.writer.do(job)
        return {"state": "ready"}

    async def _begin_anew(self, upload: Upload) -> dict[str, Any]:
        def job(db: Any) -> str | None:
            db.execute(
                "UPDATE uploads SET offset = 0 WHERE sha256 = ? AND owner = ?",
                (upload.media.sha256, upload.owner),
            )
            return blobs.next_token(db, Upload(upload.owner, upload.media, 0, False), self._hood.now_s())

        token = await self._hood.writer.do(job)
        return {"state": "open", "offset": 0, "part_bytes": PART_BYTES, "token": token}

    async def _ask_for_space(self, more: int) -> None:
        free = await asyncio.to_thread(self._hood.files.free_bytes)
        if free - more < self._keep_free_bytes():
            raise storage_full()

    async def _in_thread[*Args, T](self, do: Callable[[*Args], T], *args: *Args) -> T:
        try:
            return await asyncio.to_thread(do, *args)
        except OSError as error:
            if is_full(error):
                raise storage_full() from error
            raise
