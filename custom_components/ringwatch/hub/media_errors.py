"""Why a clip or picture is refused: short words that the uploader is told."""


class MediaError(Exception):
    """The file isn't what it was announced as, or holds what it may not."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason
