"""QR codes, drawn with what Home Assistant draws its own with."""

import io
from typing import Final

from PIL import Image

QR_SCALE: Final = 6  # pixels a square
QR_BORDER: Final = 4  # squares, as ISO/IEC 18004 asks for


def qr_code(text: str) -> bytes | None:
    """Draw a QR code as a PNG; None where what Home Assistant draws its own with isn't installed."""
    try:
        import pyqrcode  # type: ignore[import-untyped]
    except ImportError:
        return None
    squares = pyqrcode.create(text, error="M").code
    side = len(squares)
    image = Image.new("L", (side + 2 * QR_BORDER, side + 2 * QR_BORDER), 255)
    for y, row in enumerate(squares):
        for x, dark in enumerate(row):
            if dark:
                image.putpixel((x + QR_BORDER, y + QR_BORDER), 0)
    image = image.resize((image.width * QR_SCALE, image.height * QR_SCALE), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
