"""Where the common brands have their streams, for people who know only the camera's host.

From the makers' own documents: Reolink's and Amcrest's support pages, Hikvision's and Dahua's RTSP notes,
Tapo's FAQ 2680, Axis's VAPIX library, UniFi Protect's RTSPS sharing, the README of docker-wyze-bridge.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brand:
    """A brand's addresses. `{host}`, `{port}`, `{channel}` are filled in; `hint` says what to look up."""

    key: str
    name: str
    main: str
    sub: str | None
    port: int = 554
    hint: str = ""


BRANDS: tuple[Brand, ...] = (
    Brand(
        "reolink",
        "Reolink",
        "rtsp://{host}:{port}/h264Preview_{channel:02d}_main",
        "rtsp://{host}:{port}/h264Preview_{channel:02d}_sub",
    ),
    Brand(
        "hikvision",
        "Hikvision",
        "rtsp://{host}:{port}/Streaming/Channels/{channel}01",
        "rtsp://{host}:{port}/Streaming/Channels/{channel}02",
    ),
    Brand(
        "dahua",
        "Dahua / Amcrest",
        "rtsp://{host}:{port}/cam/realmonitor?channel={channel}&subtype=0",
        "rtsp://{host}:{port}/cam/realmonitor?channel={channel}&subtype=1",
    ),
    Brand("tapo", "Tapo", "rtsp://{host}:{port}/stream1", "rtsp://{host}:{port}/stream2"),
    Brand(
        "unifi",
        "UniFi Protect",
        "rtsps://{host}:{port}/STREAM_KEY",
        None,
        port=7441,
        hint="Replace STREAM_KEY with the key that UniFi Protect shows for a camera with RTSPS on.",
    ),
    Brand(
        "axis",
        "Axis",
        "rtsp://{host}:{port}/axis-media/media.amp?camera={channel}&videocodec=h264",
        "rtsp://{host}:{port}/axis-media/media.amp?camera={channel}&videocodec=h264&resolution=640x360",
    ),
    Brand(
        "wyze_bridge",
        "Wyze bridge",
        "rtsp://{host}:{port}/CAMERA_NAME",
        None,
        port=8554,
        hint="Replace CAMERA_NAME with the camera's name as the bridge's own page shows it.",
    ),
    Brand("generic", "Another camera (RTSP)", "rtsp://{host}:{port}/", None),
)

_BY_KEY = {brand.key: brand for brand in BRANDS}


def addresses(brand_key: str, host: str, channel: int = 1) -> tuple[str, str | None]:
    """Return the main stream's address and the sub-stream's, if any. KeyError for an unknown brand."""
    brand = _BY_KEY[brand_key]
    shown = f"[{host}]" if ":" in host and not host.startswith("[") else host
    values = {"host": shown, "port": brand.port, "channel": channel}
    return brand.main.format(**values), brand.sub.format(**values) if brand.sub else None
