"""What one answer may hold."""

from typing import Final

MAX_CLIPS: Final = 10
MAX_DURATION_S: Final = 600.0
MAX_BYTES: Final = 500_000_000  # padded and encrypted it is below the hub's 525,336,576
