"""Whether the storage folder is the one it was: a mark in it tells it from an empty mount point."""

import logging

from .catalogue import Catalogue
from .storage import Storage

_LOGGER = logging.getLogger(__name__)


def check_storage(storage: Storage, rows: Catalogue) -> str | None:
    """Return why the storage folder can't be used, None if it can. A new folder is marked.

    `storage_missing`: it isn't there, or was marked and isn't any more. `storage_foreign`: it is another
    Ringwatch's. `storage_error`: it can't be read or written.
    """
    known, place = rows.value("store_id"), rows.value("root")
    try:
        if not storage.root.is_dir():
            return "storage_missing"
        found = storage.mark_found()
        if found is None and known is not None and place == str(storage.root):
            return "storage_missing"
        if found is not None and known is not None and found != known and rows.cameras():
            return "storage_foreign"
        chosen = found or storage.mark(known)
    except OSError as error:
        _LOGGER.warning("The storage folder can't be used: %s", error.strerror)
        return "storage_error"
    if chosen != known:
        rows.set_value("store_id", chosen)
    if place != str(storage.root):
        rows.set_value("root", str(storage.root))
    return None


def storage_is_there(storage: Storage, rows: Catalogue) -> bool:
    """Tell whether the marked storage is there now."""
    try:
        return storage.mark_found() == rows.value("store_id")
    except OSError:
        return False


def claim_storage(storage: Storage, rows: Catalogue) -> None:
    """Accept the folder as it is: the owner says that it is the right one. Raise OSError.

    One that is gone is made anew, but not the folder above it: that may be a drive that isn't there.
    """
    storage.root.mkdir(exist_ok=True)
    rows.set_value("store_id", storage.mark_found() or storage.mark(rows.value("store_id")))
    rows.set_value("root", str(storage.root))
