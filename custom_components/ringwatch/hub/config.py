"""What the hub is told: a JSON file, or a few words on the command line."""

from dataclasses import dataclass, field, fields, replace
from ipaddress import IPv4Network, IPv6Network, ip_network
import json
from pathlib import Path
from typing import Any, Final, Self

from ..neighborhood.keys import is_public_key

type Network = IPv4Network | IPv6Network

PORT: Final = 8765
MAX_HOODS: Final = 8
GIB: Final = 1024**3


class ConfigError(Exception):
    """The configuration can't be used; says what would be right."""


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration. `data` is the only thing that has no default."""

    data: Path
    listen: tuple[str, ...] = ("0.0.0.0", "::")  # noqa: S104 - a hub is there to be reached
    port: int = PORT
    certificate: Path | None = None
    private_key: Path | None = None
    trusted_proxies: tuple[Network, ...] = ()
    hosts: frozenset[str] = frozenset()
    page: Path | None = None
    max_connections: int = 3_000
    max_connections_per_address: int = 64
    max_waiting: int = 1_000
    poll_after_s: int = 60
    calls_per_minute: int = 240  # of a member
    calls_per_minute_per_address: int = 1_200
    records_per_hour: int = 300  # of a member, beside the rules' own limits
    records_per_hour_per_address: int = 2_000
    upload_bytes_per_hour_per_address: int = 2 * GIB
    total_media_bytes: int = 20 * GIB
    total_mailbox_bytes: int = 10 * GIB  # packages for agencies, of all members together
    keep_free_bytes: int = GIB // 2
    availability_s: int = 6 * 3_600  # from a release until "did anybody record?" is answered
    source: Path | None = field(default=None, compare=False)  # the file it was read from

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read a file. Raise ConfigError."""
        try:
            value = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path.name} can't be read as JSON: {type(error).__name__}") from error
        return cls.parse(value, path)

    @classmethod
    def parse(cls, value: Any, source: Path | None = None) -> Self:
        """Check everything. Raise ConfigError."""
        if not isinstance(value, dict):
            raise ConfigError("the configuration is a JSON object")
        known = {entry.name for entry in fields(cls)} - {"source"}
        if unknown := sorted(value.keys() - known):
            raise ConfigError(f"unknown setting {unknown[0]!r}; there are {', '.join(sorted(known))}")
        if "data" not in value:
            raise ConfigError("`data` is missing: the folder for everything that the hub keeps")
        given: dict[str, Any] = {
            key: _checked(key, found) for key, found in value.items() if found is not None
        }
        config = cls(**given, source=source)
        if (config.certificate is None) != (config.private_key is None):
            raise ConfigError("`certificate` and `private_key` belong together")
        return config

    def taken_over(self, newer: Self) -> Self:
        """Return the newer one, with what can't change while the hub runs as it was."""
        return replace(newer, data=self.data, listen=self.listen, port=self.port)


def _checked(key: str, value: Any) -> Any:
    match key:
        case "data" | "certificate" | "private_key" | "page":
            if not isinstance(value, str) or not Path(value).is_absolute():
                raise ConfigError(f"`{key}` is an absolute path")
            return Path(value)
        case "listen":
            return tuple(_texts(key, value))
        case "trusted_proxies":
            try:
                return tuple(ip_network(text) for text in _texts(key, value))
            except ValueError as error:
                raise ConfigError("`trusted_proxies` are addresses or networks like 10.0.0.0/8") from error
        case "hosts":
            keys = _texts(key, value)
            if not all(is_public_key(text) for text in keys):
                raise ConfigError("`hosts` are public keys, 64 hexadecimal digits each")
            return frozenset(keys)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ConfigError(f"`{key}` is a whole number")
    if key == "port" and value > 65_535:
        raise ConfigError("`port` is at most 65535")
    return value


def _texts(key: str, value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ConfigError(f"`{key}` is a list of texts")
    return value
