"""The actions on neighborhoods: read, post, answer, moderate, invite, export."""

from typing import Final

import probatio

from homeassistant.auth.permissions.const import POLICY_READ
from homeassistant.const import EVENT_CALL_SERVICE
from homeassistant.core import Event, HomeAssistant, ServiceCall, ServiceResponse, SupportsResponse, callback
from homeassistant.helpers import config_validation as cv

from .const import DOMAIN
from .neighborhood.bodies.care import Action, FlagReason
from .neighborhood.bodies.feed import Category
from .neighborhood.bodies.people import RoleName
from .neighborhood.types import Type
from .neighborhood_calls import async_registrar
from .neighborhood_reading import async_create_invite, async_export_feed, async_get_feed
from .neighborhood_writing import (
    async_appeal,
    async_comment,
    async_confirm_post,
    async_flag,
    async_moderate,
    async_post,
    async_post_clip_call,
    async_remove_member,
    async_set_role,
    async_thank,
    async_withdraw,
)

LIMIT_MAX: Final = 100
VIEWS: Final = ("feed", "to_moderate", "log", "members")

_ID = probatio.All(cv.string, probatio.Length(min=1, max=64))
_BOX = probatio.All([probatio.All(probatio.Coerce(float), probatio.Range(0, 1))], probatio.Length(4, 4))
_TIME: Final = {probatio.Optional("when"): cv.datetime}
_WRITTEN: Final = {
    probatio.Required("category"): probatio.Coerce(Category),
    probatio.Required("title"): cv.string,
    probatio.Optional("text", default=""): cv.string,
    probatio.Optional("location"): dict,
    probatio.Optional("with_place", default=True): cv.boolean,
}


@callback
def _listen(_event: Event) -> None:
    """Hear of every action, and do nothing."""


@callback
def async_setup_neighborhood_actions(hass: HomeAssistant) -> None:
    """Register the actions."""
    register = async_registrar(hass)
    register(
        "post_clip",
        async_post_clip_call,
        {
            probatio.Required("clip"): _ID,
            **_WRITTEN,
            **_TIME,
            probatio.Optional("start"): cv.datetime,
            probatio.Optional("end"): cv.datetime,
            probatio.Optional("mute", default=True): cv.boolean,
            probatio.Optional("blur", default=list): [_BOX],
            probatio.Optional("keep_only"): _BOX,
        },
    )
    register("post", async_post, {**_WRITTEN, **_TIME})
    register("comment", async_comment, {probatio.Required("post"): _ID, probatio.Required("text"): cv.string})
    register("thank", async_thank, {probatio.Required("target"): _ID})
    register(
        "flag",
        async_flag,
        {
            probatio.Required("target"): _ID,
            probatio.Required("reason"): probatio.Coerce(FlagReason),
            probatio.Optional("text", default=""): cv.string,
        },
    )
    register("appeal", async_appeal, {probatio.Required("target"): _ID, probatio.Required("text"): cv.string})
    register("withdraw_post", async_withdraw, {probatio.Required("target"): _ID})
    register(
        "moderate",
        async_moderate,
        {
            probatio.Required("target"): _ID,
            probatio.Required("decision"): probatio.Coerce(Action),
            probatio.Optional("reason", default=""): cv.string,
        },
        admin=True,
    )
    register(
        "get_feed",
        async_get_feed,
        {
            probatio.Optional("view", default="feed"): probatio.In(VIEWS),
            probatio.Optional("post"): _ID,
            probatio.Optional("categories", default=list): [probatio.Coerce(Category)],
            probatio.Optional("kinds", default=list): [probatio.In((Type.POST.value, Type.ALERT.value))],
            probatio.Optional("text", default=""): probatio.All(cv.string, probatio.Length(max=200)),
            probatio.Optional("location"): dict,
            probatio.Optional("start"): cv.datetime,
            probatio.Optional("end"): cv.datetime,
            probatio.Optional("limit", default=20): probatio.All(
                probatio.Coerce(int), probatio.Range(1, LIMIT_MAX)
            ),
            probatio.Optional("cursor"): cv.positive_int,
            probatio.Optional("mark_read", default=False): cv.boolean,
        },
        response=SupportsResponse.ONLY,
        policy=POLICY_READ,
    )
    register("create_invite", async_create_invite, {}, response=SupportsResponse.ONLY, admin=True)
    register(
        "remove_member",
        async_remove_member,
        {probatio.Required("member"): _ID, probatio.Optional("reason", default=""): cv.string},
        admin=True,
    )
    register(
        "set_role",
        async_set_role,
        {
            probatio.Required("member"): _ID,
            probatio.Required("role"): probatio.In((RoleName.MODERATOR.value, RoleName.MEMBER.value)),
        },
        admin=True,
    )
    register("export_feed", async_export_feed, {probatio.Required("filename"): cv.string}, admin=True)

    # Home Assistant notes which event a context began with only where somebody listens; `confirm_post` asks.
    hass.bus.async_listen(EVENT_CALL_SERVICE, _listen)

    async def confirm(call: ServiceCall) -> ServiceResponse:
        return await async_confirm_post(hass, call)

    hass.services.async_register(
        DOMAIN,
        "confirm_post",
        confirm,
        schema=probatio.Schema(
            {
                probatio.Required("pending"): _ID,
                probatio.Optional("discard", default=False): cv.boolean,
            }
        ),
        supports_response=SupportsResponse.OPTIONAL,
    )
