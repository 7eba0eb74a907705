"""Notifications about footage requests. What an officer wrote is shown as text, never as Markdown."""

from typing import Final

from homeassistant.components import persistent_notification
from homeassistant.core import HomeAssistant, callback
from homeassistant.helpers.translation import async_get_translations
from homeassistant.util import dt as dt_util

from .const import DOMAIN
from .footage.answer_states import Answer
from .footage_answers import EVENT_REMINDER, REVIEW_URL
from .footage_keeping import RESTORED
from .neighborhood.requests import RequestItem
from .pending_posts import plain
from .plain_text import harmless

SHOWN: Final = 600  # characters of a description: the panel has all of it


class FootageNotices:
    """One notification for each request, in Home Assistant's language."""

    def __init__(self, hass: HomeAssistant) -> None:
        """Show nothing yet."""
        self._hass = hass

    async def async_show(self, neighborhood: str, kind: str, request: RequestItem, matches: int) -> None:
        """Tell of a request: its words, and how many of the home's own clips match."""
        text = await self._async_texts()
        details = request.details
        zone = dt_util.get_default_time_zone()
        start, end = (
            dt_util.utc_from_timestamp(time_s).astimezone(zone) for time_s in (request.start_s, request.end_s)
        )
        words = (details.description or details.purpose) if details else ""
        message = text("request_text").format(
            agency=plain(request.agency.name),
            domain=plain(request.agency.domain),
            officer=plain(request.officer),
            incident=text(f"incident_{request.incident}"),
            case_number=plain(details.case_number) if details else "",
            start=start.strftime("%Y-%m-%d %H:%M"),
            end=end.strftime("%Y-%m-%d %H:%M %Z"),
            words=plain(words[:SHOWN]),
            clips=text("request_clips").format(count=matches) if matches else text("request_no_clips"),
            url=REVIEW_URL.format(request=request.id),
            neighborhood=plain(neighborhood),
        )
        title = text("reminder_title" if kind == EVENT_REMINDER else "request_title")
        persistent_notification.async_create(
            self._hass, message, title.format(neighborhood=harmless(neighborhood)), _id(request.id)
        )

    async def async_show_answer(self, answer: Answer) -> None:
        """Tell what became of an answer."""
        text = await self._async_texts()
        agency = plain(answer.recipient.name) if answer.recipient else ""
        what = RESTORED if answer.code == RESTORED else answer.state
        persistent_notification.async_create(
            self._hass,
            text(f"answer_{what}").format(agency=agency, url=REVIEW_URL.format(request=answer.request)),
            text("answer_title"),
            f"{DOMAIN}_answer_{answer.id}",
        )

    async def async_show_let_go(self, clips: int) -> None:
        """Tell that clips which were held for a request may be deleted by their age again."""
        text = await self._async_texts()
        persistent_notification.async_create(
            self._hass, text("let_go").format(count=clips), text("let_go_title"), f"{DOMAIN}_holds"
        )

    @callback
    def async_hide(self, request_id: str) -> None:
        """Take the notification of a request away."""
        persistent_notification.async_dismiss(self._hass, _id(request_id))

    async def _async_texts(self) -> _Texts:
        language = self._hass.config.language
        return _Texts(await async_get_translations(self._hass, language, "common", {DOMAIN}))


class _Texts:
    def __init__(self, found: dict[str, str]) -> None:
        self._found = found

    def __call__(self, key: str) -> str:
        return self._found.get(f"component.{DOMAIN}.common.footage_{key}", key)


def _id(request_id: str) -> str:
    return f"{DOMAIN}_request_{request_id}"
