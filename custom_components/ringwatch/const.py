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
CONF_DECODING: Final = "decoding"
CONF_RECORD: Final = "record"
CONF_RECORD_SOUND: Final = "record_sound"
CONF_PRE_ROLL_S: Final = "pre_roll_s"
CONF_POST_ROLL_S: Final = "post_roll_s"
CONF_CLIP_DAYS: Final = "clip_days"  # 0 = as long as the clips of all cameras
CONF_CLIP_GB: Final = "clip_gb"  # 0 = no limit of its own

# The entry's options: where clips are kept, and how long.
CONF_STORAGE: Final = "storage"  # the name of one of Home Assistant's media folders
CONF_FOLDER: Final = "folder"  # below it; "" = right there
CONF_KEEP_DAYS: Final = "keep_days"
CONF_KEEP_GB: Final = "keep_gb"  # 0 = as much as the disk has
CONF_RESERVE_GB: Final = "reserve_gb"

SOURCE_ENTITY: Final = "entity"
SOURCE_URL: Final = "url"

RTSP_TCP: Final = "tcp"
RTSP_UDP: Final = "udp"

PRESS_NONE: Final = "none"
PRESS_ENTITY: Final = "entity"
PRESS_WEBHOOK: Final = "webhook"

ANALYZED_FPS: Final = 5.0  # enough for a person crossing the picture at walking pace
ANALYZED_FPS_DOORBELL: Final = 10.0  # a visitor is close to a doorbell, so crosses it faster
DECODING_USUAL: Final = "usual"  # everything for a doorbell, else key frames only while nothing moves
DECODING_AUTO: Final = "auto"
DECODING_FULL: Final = "full"

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
        CONF_DECODING: DECODING_USUAL,
        CONF_RECORD: True,
        CONF_RECORD_SOUND: False,
        CONF_PRE_ROLL_S: 5.0,
        CONF_POST_ROLL_S: 5.0,
        CONF_CLIP_DAYS: 0.0,
        CONF_CLIP_GB: 0.0,
    }
)

# Those of a camera that say what a press of its bell is.
PRESS_KEYS: Final = frozenset({CONF_PRESS, CONF_PRESS_ENTITY_ID, CONF_WEBHOOK_ID})

# Those that say how it is recorded, and nothing of how it is opened.
RECORD_KEYS: Final = frozenset(
    {CONF_RECORD, CONF_RECORD_SOUND, CONF_PRE_ROLL_S, CONF_POST_ROLL_S, CONF_CLIP_DAYS, CONF_CLIP_GB}
)

STORAGE_DEFAULTS: Final[Mapping[str, str | float]] = MappingProxyType(
    {CONF_STORAGE: "", CONF_FOLDER: "", CONF_KEEP_DAYS: 30.0, CONF_KEEP_GB: 0.0, CONF_RESERVE_GB: 2.0}
)

# Repair issue of one camera whose user name or password stopped working. Fixable by repairs.py.
ISSUE_CREDENTIALS: Final = "credentials"

# Repair issues of one camera, each with its subentry id appended.
ISSUE_UNREACHABLE: Final = "unreachable"
ISSUE_FALLING_BEHIND: Final = "falling_behind"
ISSUE_SETTINGS_LOST: Final = "settings_lost"
ISSUE_RESTLESS_AREA: Final = "restless_area"  # something moves there for days and comes to nothing
ISSUE_RECORDING: Final = "recording"  # a camera's clips have reached their limit

# Repair issues of all clips together.
ISSUE_STORAGE: Final = "storage"
ISSUE_STORAGE_IN_CONTAINER: Final = "storage_in_container"
ISSUE_CATALOGUE_REBUILT: Final = "catalogue_rebuilt"

DEFAULT_HOLD_S: Final = 10  # a person who stands still for a moment should not end the motion
HOLD_MAX_S: Final = 300
SENSITIVITY_MAX: Final = 100

SUBENTRY_NEIGHBORHOOD: Final = "neighborhood"
MODEL_NEIGHBORHOOD: Final = "Neighborhood"  # the device's, by which actions find it

# A neighborhood subentry's data. Its private key is elsewhere: neighborhood_keys.py.
CONF_HOSTED: Final = "hosted"  # its hub runs here
CONF_NEIGHBORHOOD: Final = "neighborhood"  # its id
CONF_KEY: Final = "key"  # this home's public key
CONF_HUB_KEY: Final = "hub_key"  # the hub's public key
CONF_HUB_URL: Final = "hub_url"  # where neighbors find the hub: in invites, too
CONF_HANDLE: Final = "handle"
CONF_ALLOW_HTTP: Final = "allow_http"  # without encryption: in the own network only
CONF_CONFIRM: Final = "confirm"  # a person looks before media goes out

# Of a hosted one, beside those. One hub carries all that are hosted here, so they agree on these.
CONF_PORT: Final = "port"
CONF_TLS: Final = "tls"
CONF_CERTIFICATE: Final = "certificate"
CONF_PRIVATE_KEY: Final = "private_key"
CONF_PROXIES: Final = "trusted_proxies"

TLS_PROXY: Final = "proxy"
TLS_CERTIFICATE: Final = "certificate"
TLS_NONE: Final = "none"

HUB_PORT: Final = 8765

# Repair issues about neighborhoods: of the hub here, and of each with its subentry id appended.
ISSUE_HUB: Final = "hub_process"
HUB_CLOCK: Final = "clock"  # the hub doesn't believe this machine's clock
ISSUE_HUB_CLOCK: Final = "hub_clock"  # the hub waits for somebody to say that the clock is right
ISSUE_NEIGHBORHOOD: Final = "neighborhood"  # cannot be opened, or the hub lies, or the clock is wrong
ISSUE_OUTSIDE: Final = "hub_outside"  # not to be reached at its public address
ISSUE_REFUSED: Final = "refused"  # something written here was refused for good
ISSUE_PENDING: Final = "pending_post"  # waits for a person; with the pending post's id appended
ISSUE_HUB_LEFT: Final = "hub_left"  # what stays of a hub that isn't hosted any more
