"""Ways around the confirmation, tried at a real Home Assistant: every one has to be refused.

The person has looked at the answer to its end, so that its code could be had; and the hub may get nothing.
"""

from collections.abc import Awaitable
from typing import Any

from script.lib.hass import HassError
from script.lib.hass_client import HassClient
from script.lib.street import StreetError, check, until

PREFIX = "ringwatch/footage/"
FRAME_S = 1 / 15  # of the demo's camera
READY = "awaiting_confirmation"


async def try_bypasses(anna: HassClient, request: str) -> list[str]:
    """Try them; return what was tried. Afterwards the answer has to be looked at again."""
    answer = await _answer(anna, request)
    [file], [clip] = answer["files"], answer["clips"]
    this = {"answer": answer["id"]}
    tried = []

    async with HassClient(anna.url) as program, HassClient(anna.url) as stranger, HassClient(anna.url) as bob:
        token = await anna.command("auth/long_lived_access_token", client_name="a program", lifespan=1)
        program.tokens = {"access_token": token}
        await _refused(program.command(PREFIX + "code", **this), "a code for a long-lived token")
        await _refused(program.get_bytes(file["url"]), "the bytes for a long-lived token")
        tried.append("a long-lived token")

        signed = (await anna.command("auth/sign_path", path=file["url"]))["path"]
        await _refused(stranger.get_bytes(signed), "the bytes for a signed path")
        tried.append("a signed path fetched elsewhere")

        code = (await anna.command(PREFIX + "code", **this))["code"]
        user = (await anna.command("config/auth/create", name="Bob", group_ids=["system-admin"]))["user"]
        await anna.command(
            "config/auth_provider/homeassistant/create",
            user_id=user["id"],
            username="bob",
            password="bob-pass",
        )
        await bob.sign_in("bob", "bob-pass")
        await _refused(bob.command(PREFIX + "send", code=code, **this), "another user's code")
        tried.append("another user's code")

    cut = clip | {"start_s": clip["start_s"] + FRAME_S}
    await _prepare(anna, answer, cut)
    await _refused(anna.command(PREFIX + "send", code=code, **this), "a code for what was cut since")
    await _refused(anna.command(PREFIX + "code", **this), "a code for what wasn't looked at since it was cut")
    tried.append("a trim changed by a frame after the look")

    share = {"request": request, "decision": "share", "clips": [clip["id"]], "blur_faces": False}
    await anna.command(
        "execute_script", sequence=[{"action": "ringwatch.answer_footage_request", "data": share}]
    )
    others = [one for one in await _answers(anna, request) if one["id"] != answer["id"]]
    check(
        len(others) == 1 and others[0]["state"] in {"preparing", READY}, f"a script only prepares: {others}"
    )
    await anna.command(PREFIX + "discard", answer=others[0]["id"])
    tried.append("a script that answers")

    await _prepare(anna, answer, clip)
    return tried


async def try_twice(anna: HassClient, request: str) -> None:
    """Spend a code, and once more. Afterwards the answer has to be looked at again."""
    this = {"answer": (await _answer(anna, request))["id"]}
    code = (await anna.command(PREFIX + "code", **this))["code"]
    await anna.command(PREFIX + "send", code=code, **this)
    await _refused(anna.command(PREFIX + "send", code=code, **this), "a code used twice")
    await anna.command(PREFIX + "undo", **this)
    await _refused(anna.command(PREFIX + "send", code=code, **this), "a code used again after undoing")


async def _prepare(anna: HassClient, answer: dict[str, Any], clip: dict[str, Any]) -> None:
    wanted = {"neighborhood": answer["neighborhood"], "request": answer["request"], "identity": "anonymous"}
    await anna.command(PREFIX + "prepare", clips=[clip], answer=answer["id"], **wanted)

    async def is_ready() -> bool:
        found = next(one for one in await _answers(anna, answer["request"]) if one["id"] == answer["id"])
        return bool(found["state"] == READY)

    await until(is_ready, "the files are made anew")


async def _answers(anna: HassClient, request: str) -> list[dict[str, Any]]:
    overview = await anna.command(PREFIX + "overview")
    return [one for one in overview["answers"] if one["request"] == request and one["state"] != "withdrawn"]


async def _answer(anna: HassClient, request: str) -> dict[str, Any]:
    [answer] = await _answers(anna, request)
    return answer


async def _refused(asked: Awaitable[object], what: str) -> None:
    try:
        await asked
    except HassError:
        return
    raise StreetError(f"this was given: {what}")
