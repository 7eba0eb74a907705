"""The picture that stands for a camera with privacy on: dark, with a crossed-out eye and words."""

from functools import lru_cache
from io import BytesIO

from PIL import Image, ImageDraw, ImageFont

from homeassistant.core import HomeAssistant
from homeassistant.helpers.translation import async_get_translations

from .const import DOMAIN

SIZE = (1280, 720)
BACKGROUND = (24, 28, 36)
FOREGROUND = (214, 220, 230)
ACCENT = (240, 138, 93)


async def async_privacy_card(hass: HomeAssistant, name: str) -> bytes:
    """Return the card as JPEG, in Home Assistant's language."""
    texts = await async_get_translations(hass, hass.config.language, "common", {DOMAIN})
    text = texts.get(f"component.{DOMAIN}.common.privacy_card", "")
    return await hass.async_add_executor_job(_draw, name, text)


@lru_cache(maxsize=32)
def _draw(name: str, text: str) -> bytes:
    image = Image.new("RGB", SIZE, BACKGROUND)
    draw = ImageDraw.Draw(image)
    width, height = SIZE
    center_x, center_y = width // 2, height // 2 - 60
    draw.ellipse((center_x - 130, center_y - 75, center_x + 130, center_y + 75), outline=FOREGROUND, width=14)
    draw.ellipse((center_x - 42, center_y - 42, center_x + 42, center_y + 42), fill=FOREGROUND)
    stroke = (center_x - 120, center_y + 105, center_x + 120, center_y - 105)
    draw.line(stroke, fill=BACKGROUND, width=40)
    draw.line(stroke, fill=ACCENT, width=16)
    for line, top, size_px, color in (
        (name, center_y + 140, 52, FOREGROUND),
        (text, center_y + 215, 36, ACCENT),
    ):
        font = ImageFont.load_default(size_px)
        draw.text((center_x, top), line, font=font, fill=color, anchor="ma")
    jpeg = BytesIO()
    image.save(jpeg, "JPEG", quality=85)
    return jpeg.getvalue()
