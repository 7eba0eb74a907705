"""Names shared by the Home Assistant side: the domain, and the keys of a camera subentry.

A camera subentry's data holds every key of `CAMERA_DEFAULTS`, always.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

DOMAIN: Final = "ringwatch"
TITLE: Final = "Ringwatch"

SUBENTRY_CAMERA: Final = "camera"

CONF_SOURCE: Final = "source"
CONF_URL: Final = "url"  # never with credentials inside
CONF_USERNAME: Final = "username"
CONF_PASSWORD: Final = "password"
CONF_DETECT_URL: Final = "detect_url"  # "" = find motion in the main stream; same credentials
CONF_RTSP_TRANSPORT: Final = "rtsp_transport"
CONF_VERIFY_SSL: Final = "verify_ssl"
CONF_ENTITY_ID: Final = "entity_id"  # "" unless the source is an entity
CONF_STILL_INTERVAL_S: Final = "still_interval_s"  # 0 = the entity has a stream
CONF_PRESS: Final = "press"
CONF_PRESS_ENTITY_ID: Final = "press_entity_id"
CONF_WEBHOOK_ID: Final = "webhook_id"
CONF_ANALYZED_FPS: Final = "analyzed_fps"

SOURCE_ENTITY: Final = "entity"
SOURCE_URL: Final = "url"

RTSP_TCP: Final = "tcp"
RTSP_UDP: Final = "udp"

PRESS_NONE: Final = "none"
PRESS_ENTITY: Final = "entity"
PRESS_WEBHOOK: Final = "webhook"

ANALYZED_FPS: Final = 5.0  # enough for a person crossing the picture at walking pace
ANALYZED_FPS_DOORBELL: Final = 10.0  # a visitor is close to a doorbell, so crosses it faster
ANALYZED_FPS_MIN: Final = 1.0
ANALYZED_FPS_MAX: Final = 30.0

STILL_INTERVAL_S: Final = 10.0
STILL_INTERVAL_MIN_S: Final = 2.0  # cameras take a second or two to make a still
STILL_INTERVAL_MAX_S: Final = 3600.0

CAMERA_DEFAULTS: Final[Mapping[str, str | float | bool]] = MappingProxyType(
    {
        CONF_SOURCE: SOURCE_URL,
        CONF_URL: "",
        CONF_USERNAME: "",
        CONF_PASSWORD: "",
        CONF_DETECT_URL: "",
        CONF_RTSP_TRANSPORT: RTSP_TCP,
        CONF_VERIFY_SSL: True,
        CONF_ENTITY_ID: "",
        CONF_STILL_INTERVAL_S: 0.0,
        CONF_PRESS: PRESS_NONE,
        CONF_PRESS_ENTITY_ID: "",
        CONF_WEBHOOK_ID: "",
        CONF_ANALYZED_FPS: ANALYZED_FPS,
    }
)

# Repair issue of one camera whose user name or password stopped working. Fixable by repairs.py.
ISSUE_CREDENTIALS: Final = "credentials"

# Repair issues of one camera, each with its subentry id appended.
ISSUE_UNREACHABLE: Final = "unreachable"
ISSUE_FALLING_BEHIND: Final = "falling_behind"
ISSUE_SETTINGS_LOST: Final = "settings_lost"

DEFAULT_HOLD_S: Final = 10  # a person who stands still for a moment should not end the motion
HOLD_MAX_S: Final = 300
SENSITIVITY_MAX: Final = 100
