"""A real RTSP server (GStreamer's) that plays loops as live cameras at rtsp://127.0.0.1:PORT/NAME.

Run with the system's Python, which has PyGObject: `servers.py` does. One pipeline per camera serves all of
its clients, and packets are sent as they are: nothing is encoded. Like a camera it goes on by the clock: who
reconnects sees what is on now, not the beginning. Prints "ready PORT" and ends when its standard input does.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path
import sys
import threading
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer

from script.lib.packets import Track, in_step, read_tracks

WAIT_S = 0.02  # the longest wait between looks at a pipeline's clock, which stands still until it plays
SESSIONS_S = 10  # how often ended sessions are forgotten
ROLE = "viewer"

PAYLOADERS = {
    "h264": "h264parse ! rtph264pay config-interval=-1",
    "h265": "h265parse ! rtph265pay config-interval=-1",
    "mjpeg": "jpegparse ! rtpjpegpay",
    "aac": "rtpmp4gpay",
    "opus": "rtpopuspay",
    "pcma": "rtppcmapay",
}


def caps(track: Track) -> str:
    """Describe a track's packets to GStreamer."""
    if track.is_video:
        size = f"width={track.width},height={track.height},framerate={round(track.fps * 1000)}/1000"
        if track.codec == "mjpeg":
            return f"image/jpeg,{size}"
        return f"video/x-{track.codec},stream-format=byte-stream,alignment=au,{size}"
    if track.codec == "aac":
        sound = f"rate={track.rate},channels=1,codec_data=(buffer){track.config}"
        return f"audio/mpeg,mpegversion=4,stream-format=raw,{sound}"
    if track.codec == "opus":
        return f"audio/x-opus,channel-mapping-family=0,channels=1,rate={track.rate}"
    return f"audio/x-alaw,channels=1,rate={track.rate}"


class Camera:
    """One path of the server: a loop, and a thread that feeds it to the pipeline while somebody watches."""

    def __init__(self, loop: Path, started_s: float) -> None:
        """Read the loop. `started_s` is when the server's scene began, by the monotonic clock."""
        self._tracks = read_tracks(loop)
        self._started_s = started_s

    def factory(self) -> Any:
        """Return the factory that the server mounts."""
        parts = [
            f"appsrc name=src{i} is-live=true format=time max-bytes=0 caps={caps(track)} "
            f"! {PAYLOADERS[track.codec]} name=pay{i} pt={8 if track.codec == 'pcma' else 96 + i}"
            for i, track in enumerate(self._tracks)
        ]
        factory = GstRtspServer.RTSPMediaFactory()
        factory.set_launch(f"( {' '.join(parts)} )")
        factory.set_shared(True)
        factory.connect("media-configure", self._on_media)
        return factory

    def _on_media(self, _factory: object, media: Any) -> None:
        stop = threading.Event()
        media.connect("unprepared", lambda _media: stop.set())
        pipeline = media.get_element()
        phase_ns = in_step(self._tracks, round((time.monotonic() - self._started_s) * Gst.SECOND))
        for i, track in enumerate(self._tracks):
            source = pipeline.get_by_name(f"src{i}")
            threading.Thread(target=feed, args=(source, track, phase_ns, stop), daemon=True).start()


def feed(source: Any, track: Track, phase_ns: int, stop: threading.Event) -> None:
    """Push a track's packets when they are due. The first is due at once: the pipeline's caps need it."""
    for packet in track.play(phase_ns):
        while packet.time_ns > 0:
            ahead_ns = packet.time_ns - running_time_ns(source)
            if ahead_ns <= 0:
                break
            if stop.wait(min(ahead_ns / Gst.SECOND, WAIT_S)):
                return
        buffer = Gst.Buffer.new_wrapped(packet.data)
        buffer.pts = buffer.dts = packet.time_ns
        if not packet.is_key:
            buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
        if stop.is_set() or source.emit("push-buffer", buffer) != Gst.FlowReturn.OK:
            return


def running_time_ns(element: Any) -> int:
    """Return how long an element's pipeline has played; -1 while it does not play."""
    clock = element.get_clock()
    base_ns = element.get_base_time()
    if clock is None or element.get_state(0)[1] != Gst.State.PLAYING or not base_ns:
        return -1
    return int(clock.get_time() - base_ns)


def protect(server: Any, factories: list[Any], user: str, password: str, tls: tuple[str, str] | None) -> None:
    """Ask for a user and password (digest, as cameras do), speak TLS, or both."""
    auth = GstRtspServer.RTSPAuth()
    if tls:
        auth.set_tls_certificate(Gio.TlsCertificate.new_from_files(*tls))
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role(ROLE, "media.factory.access", True)
    permissions.add_permission_for_role(ROLE, "media.factory.construct", True)
    for factory in factories:
        factory.set_permissions(permissions)
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", ROLE)
    if user:
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, password, token)
    else:
        auth.set_default_token(token)
    server.set_auth(auth)


def main() -> None:
    """Serve until standard input ends."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 picks a free one")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default="")
    parser.add_argument("--tls", nargs=2, metavar=("CERT", "KEY"))
    parser.add_argument("--start", type=float, default=0.0, help="when the scene began (monotonic clock)")
    parser.add_argument("loops", nargs="+", metavar="NAME=LOOP")
    options = parser.parse_args()

    Gst.init(None)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(str(options.port))
    factories = []
    for item in options.loops:
        name, _, path = item.partition("=")
        factories.append(Camera(Path(path), options.start or time.monotonic()).factory())
        server.get_mount_points().add_factory(f"/{name}", factories[-1])
    if options.user or options.tls:
        protect(server, factories, options.user, options.password, options.tls)
    if not server.attach(None):
        sys.exit(f"port {options.port} is taken")
    GLib.timeout_add_seconds(SESSIONS_S, lambda: server.get_session_pool().cleanup() >= 0)
    loop = GLib.MainLoop()
    # Through the loop: a quit that comes before the loop runs would be forgotten.
    threading.Thread(target=lambda: (os.read(0, 1), GLib.idle_add(loop.quit)), daemon=True).start()
    print("ready", server.get_bound_port(), flush=True)
    loop.run()


if __name__ == "__main__":
    main()
