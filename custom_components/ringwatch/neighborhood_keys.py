"""The private keys of this home, by public key, in a private file of Home Assistant's storage.

A key is on disk, synced, before anything is signed with it: what a lost key has signed could never be
taken back. It stands nowhere else: not in subentries, logs, diagnostics or answers. Backups have it.
"""

import asyncio
from collections.abc import Callable
from pathlib import Path

from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from homeassistant.helpers.json import save_json
from homeassistant.helpers.storage import STORAGE_DIR
from homeassistant.util.file import WriteError
from homeassistant.util.json import load_json_object

from .const import DOMAIN
from .neighborhood.keys import SEED_BYTES, PrivateKey

STORAGE_KEY = f"{DOMAIN}.neighborhoods"
STORAGE_VERSION = 1


class KeysUnreadableError(Exception):
    """The file is there, and can't be read: nothing may be written over it."""


class NeighborhoodKeys:
    """The keys of all neighborhoods."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Prepare; the file is read when it is needed."""
        self._hass = hass
        self._path = Path(hass.config.path(STORAGE_DIR, STORAGE_KEY))
        self._lock = asyncio.Lock()

    async def async_get(self, public: str) -> PrivateKey | None:
        """Return the private key of a public one, None if it is lost. Raise KeysUnreadableError."""
        seed = (await self._hass.async_add_executor_job(_read, self._path)).get(public)
        return None if seed is None else PrivateKey(bytes.fromhex(seed))

    async def async_create(self) -> PrivateKey:
        """Return a new key, which is on disk. Raise HomeAssistantError if it can't be."""
        key = PrivateKey.generate()
        await self._async_change({key.public: key.seed.hex()})
        return key

    async def async_forget(self, public: str) -> None:
        """Forget a key."""
        await self._async_change({}, lambda key: key != public)

    async def async_keep_only(self, wanted: set[str]) -> None:
        """Forget all other keys; the file goes with the last one."""
        await self._async_change({}, wanted.__contains__)

    async def _async_change(
        self, added: dict[str, str], is_kept: Callable[[str], bool] = lambda _: True
    ) -> None:
        async with self._lock:
            try:
                await self._hass.async_add_executor_job(_change, self._path, added, is_kept)
            except (WriteError, OSError, KeysUnreadableError) as err:
                raise HomeAssistantError(
                    translation_domain=DOMAIN,
                    translation_key="key_not_saved",
                    translation_placeholders={"error": str(err)},
                ) from err


def _change(path: Path, added: dict[str, str], is_kept: Callable[[str], bool]) -> None:
    before = _read(path)
    keys = {key: seed for key, seed in before.items() if is_kept(key)} | added
    if not keys:
        path.unlink(missing_ok=True)
        return
    if keys == before:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    save_json(str(path), {"version": STORAGE_VERSION, "keys": keys}, private=True, atomic_writes=True)


def _read(path: Path) -> dict[str, str]:
    """Return seeds by public key. Raise KeysUnreadableError for a file that isn't ours."""
    try:
        content = load_json_object(path, default={"keys": {}})
    except (HomeAssistantError, OSError) as err:
        raise KeysUnreadableError(f"{path.name} can't be read") from err
    keys = content.get("keys")
    if not isinstance(keys, dict):
        raise KeysUnreadableError(f"{path.name} has no keys in it")
    found: dict[str, str] = {}
    for public, seed in keys.items():
        try:
            packed = bytes.fromhex(str(seed))
        except ValueError as err:
            raise KeysUnreadableError(f"{path.name} is damaged") from err
        if len(packed) != SEED_BYTES:
            raise KeysUnreadableError(f"{path.name} is damaged")
        found[public] = str(seed)
    return found
