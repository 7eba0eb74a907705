"""The hub's log: one JSON object a line on standard error.

Values are escaped by the JSON writer, so nobody can begin a line of their own. What goes in are codes and
counts: no keys that are secret, no addresses, no texts of members.
"""

from datetime import UTC, datetime
from enum import IntEnum
import json
import sys
import threading
import traceback

MAX_VALUE = 200  # characters of one value


class Level(IntEnum):
    """How important a line is."""

    DEBUG = 0
    INFO = 1
    WARNING = 2
    ERROR = 3


class Log:
    """Writes lines; from any thread."""

    def __init__(self, least: Level = Level.INFO) -> None:
        self.least = least
        self._lock = threading.Lock()

    def debug(self, event: str, **values: str | float | None) -> None:
        """Write what only a developer wants to know."""
        self._write(Level.DEBUG, event, values)

    def info(self, event: str, **values: str | float | None) -> None:
        """Write what happens now and then."""
        self._write(Level.INFO, event, values)

    def warning(self, event: str, **values: str | float | None) -> None:
        """Write what the host may want to look at."""
        self._write(Level.WARNING, event, values)

    def problem(self, event: str, error: BaseException | None = None, **values: str | float | None) -> None:
        """Write what should not be: with places in the code, not the error's text, which may quote others."""
        more: dict[str, str | float | None] = dict(values)
        if error is not None:
            frames = traceback.extract_tb(error.__traceback__)[-6:]
            more["error"] = type(error).__name__
            more["at"] = " ".join(f"{frame.filename.rpartition('/')[2]}:{frame.lineno}" for frame in frames)
        self._write(Level.ERROR, event, more)

    def _write(self, level: Level, event: str, values: dict[str, str | float | None]) -> None:
        if level < self.least:
            return
        line: dict[str, str | float | None] = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": level.name.lower(),
            "event": event,
        }
        line |= {key: value[:MAX_VALUE] if isinstance(value, str) else value for key, value in values.items()}
        with self._lock:
            sys.stderr.write(json.dumps(line) + "\n")
            sys.stderr.flush()
