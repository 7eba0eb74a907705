"""MPEG-TS over HTTP: plays loops as live cameras at http://127.0.0.1:PORT/NAME, where no RTSP server is.

One muxer per camera, which runs while somebody watches; everybody gets the same bytes, in real time, with
time stamps that go on for ever (and wrap after 26.5 h, as MPEG-TS does). Like the RTSP server it goes on by
the clock, prints "ready PORT" and ends when its standard input does.
"""

import argparse
import asyncio
from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
import heapq
from pathlib import Path
import secrets
import sys
import time
from typing import cast

from aiohttp import ClientConnectionResetError, encode_basic_auth, web
from aiohttp.typedefs import Handler, Middleware
import av
from av.audio.stream import AudioStream
from av.container import OutputContainer
from av.video.stream import VideoStream

from script.lib.packets import SECOND_NS, LoopPacket, Track, in_step, read_tracks

QUEUE = 256  # chunks that a client may lag behind (about 8 s); then it is dropped, as a camera would
MPEGTS_HZ = 90_000
CODECS = ("h264", "h265", "aac")


class _Chunks:
    """The muxer's file: keeps what was written until it is taken."""

    def __init__(self) -> None:
        self._data = bytearray()

    def write(self, data: bytes) -> int:
        """Take bytes from the muxer."""
        self._data += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last call."""
        data = bytes(self._data)
        self._data.clear()
        return data


class Camera:
    """One path of the server."""

    def __init__(self, loop: Path, started_s: float) -> None:
        """Read the loop. `started_s` is when the server's scene began, by the monotonic clock."""
        self._tracks = read_tracks(loop)
        for track in self._tracks:
            if track.codec not in CODECS:
                raise SystemExit(f"{loop}: {track.codec} is not one of {', '.join(CODECS)}")
        self._started_s = started_s
        self._clients: set[asyncio.Queue[bytes]] = set()
        self._task: asyncio.Task[None] | None = None

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Send one client the stream until it leaves or lags."""
        response = web.StreamResponse(headers={"Content-Type": "video/mp2t", "Cache-Control": "no-store"})
        await response.prepare(request)
        queue: asyncio.Queue[bytes] = asyncio.Queue(QUEUE)
        self._clients.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._play())
        with suppress(ClientConnectionResetError):  # how clients leave
            while chunk := await queue.get():
                await response.write(chunk)
        self._clients.discard(queue)
        return response

    async def _play(self) -> None:
        began_s = time.monotonic()
        chunks = _Chunks()
        with av.open(chunks, "w", format="mpegts", options={"flush_packets": "1"}) as output:
            streams = [_add_stream(output, track) for track in self._tracks]
            for index, packet in _interleave(self._tracks, began_s - self._started_s):
                await asyncio.sleep(began_s + packet.time_ns / SECOND_NS - time.monotonic())
                if not self._clients:
                    return
                muxed = av.Packet(packet.data)
                muxed.stream = streams[index]
                muxed.time_base = Fraction(1, MPEGTS_HZ)
                muxed.pts = muxed.dts = round(packet.time_ns * MPEGTS_HZ / SECOND_NS)
                muxed.is_keyframe = packet.is_key
                output.mux(muxed)
                self._send(chunks.take())

    def _send(self, chunk: bytes) -> None:
        for queue in tuple(self._clients):
            if queue.full():
                self._clients.discard(queue)
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(b"")
            elif chunk:
                queue.put_nowait(chunk)


def _interleave(tracks: list[Track], phase_s: float) -> Iterator[tuple[int, LoopPacket]]:
    """Yield (track's index, packet) of all tracks in order of time."""
    phase_ns = in_step(tracks, round(phase_s * SECOND_NS))

    def play(index: int, track: Track) -> Iterator[tuple[int, LoopPacket]]:
        return ((index, packet) for packet in track.play(phase_ns))

    return heapq.merge(*(play(i, track) for i, track in enumerate(tracks)), key=lambda item: item[1].time_ns)


def _add_stream(output: OutputContainer, track: Track) -> VideoStream | AudioStream:
    if track.is_video:
        video = output.add_mux_stream(
            track.codec.replace("h265", "hevc"), rate=round(track.fps), width=track.width, height=track.height
        )
        return cast(VideoStream, video)
    sound = cast(AudioStream, output.add_stream(track.codec, rate=track.rate))  # carries the extradata
    sound.codec_context.layout = "mono"
    sound.codec_context.extradata = bytes.fromhex(track.config)
    return sound


def _login_needed(user: str, password: str) -> Middleware:
    """Return a middleware that asks for HTTP's basic authentication."""
    expected = encode_basic_auth(user, password)

    @web.middleware
    async def middleware(request: web.Request, handler: Handler) -> web.StreamResponse:
        if secrets.compare_digest(request.headers.get("Authorization", ""), expected):
            return await handler(request)
        raise web.HTTPUnauthorized(headers={"WWW-Authenticate": 'Basic realm="camera"'})

    return middleware


async def _serve(options: argparse.Namespace) -> None:
    middlewares = [_login_needed(options.user, options.password)] if options.user else []
    app = web.Application(middlewares=middlewares)
    for item in options.loops:
        name, _, path = item.partition("=")
        app.router.add_get(f"/{name}", Camera(Path(path), options.start or time.monotonic()).serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", options.port, reuse_address=True)
    await site.start()
    print("ready", runner.addresses[0][1], flush=True)
    ended = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin.fileno(), ended.set)
    await ended.wait()
    await runner.cleanup()


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--start", type=float, default=0.0, help="when the scene began (monotonic clock)")
    parser.add_argument("loops", nargs="+", metavar="NAME=LOOP")
    asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
