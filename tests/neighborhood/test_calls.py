"""Signed calls: for one hub, one neighborhood, one method, path and body, at one time."""

import hashlib
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.canonical import Json
from custom_components.ringwatch.neighborhood.signed_calls import (
    KEY_HEADER,
    SIGNATURE_HEADER,
    TIME_HEADER,
    WINDOW_S,
    Call,
    HubClock,
    read_time_refusal,
    refuse_time,
    sign_call,
    verify_call,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations import BadCall, WrongTime

from .street import HUB, NOON_S, key, seed

HOOD = seed("hood").hex()
PATH = "/v1/records?after=7&text=union%20station%20select%20(blue)"
HEADERS = sign_call(
    key("ann"), neighborhood=HOOD, hub_key=HUB.public, method="POST", path=PATH, body=b"{}", time_s=NOON_S
)


def verified(headers: dict[str, str] = HEADERS, **changes: Any) -> Call:
    fields: dict[str, Any] = {
        "neighborhood": HOOD,
        "hub_key": HUB.public,
        "method": "POST",
        "path": PATH,
        "body_digest": hashlib.sha256(b"{}").hexdigest(),
        "now_s": NOON_S,
    } | changes
    return verify_call(headers, **fields)


def test_a_call_names_its_caller() -> None:
    assert verified() == Call(key("ann").public, NOON_S)
    assert verified(now_s=NOON_S + WINDOW_S)
    assert verified(now_s=NOON_S - WINDOW_S)


@pytest.mark.parametrize(
    "change",
    [
        {"neighborhood": seed("x").hex()},
        {"hub_key": key("x").public},
        {"method": "GET"},
        {"path": "/v1/records"},
        {"path": PATH + "&a=b"},
        {"body_digest": hashlib.sha256(b"").hexdigest()},
        {"path": "/a\nb"},
        {"path": "a"},
        {"path": "/\u00e9"},
        {"method": "post"},
    ],
)
def test_a_call_is_good_for_nothing_else(change: dict[str, str]) -> None:
    with pytest.raises(BadCall):
        verified(**change)


@pytest.mark.parametrize(
    "change",
    [
        {KEY_HEADER: key("bob").public},
        {KEY_HEADER: ""},
        {KEY_HEADER: "01" + "00" * 31},
        {TIME_HEADER: str(NOON_S + 1)},
        {TIME_HEADER: f"0{NOON_S}"},
        {TIME_HEADER: "+1"},
        {TIME_HEADER: "\u0661"},
        {TIME_HEADER: "9" * 11},
        {SIGNATURE_HEADER: HEADERS[SIGNATURE_HEADER].upper()},
        {SIGNATURE_HEADER: ""},
        {SIGNATURE_HEADER: "x\r\nSet-Cookie: a"},
    ],
)
def test_headers_that_are_not_the_callers_are_refused(change: dict[str, str]) -> None:
    with pytest.raises(BadCall):
        verified(HEADERS | change)
    with pytest.raises(BadCall):
        verified({name: value for name, value in HEADERS.items() if name not in change})


def test_an_old_call_is_told_the_hubs_time() -> None:
    later_s = NOON_S + WINDOW_S + 1
    for now_s in (later_s, NOON_S - WINDOW_S - 1):
        with pytest.raises(WrongTime):
            verified(now_s=now_s)
    signature = HEADERS[SIGNATURE_HEADER]
    answer = refuse_time(HUB, neighborhood=HOOD, signature=signature, now_s=later_s)
    assert read_time_refusal(answer, neighborhood=HOOD, hub_key=HUB.public, signature=signature) == later_s


def test_the_hubs_time_is_signed_for_this_call() -> None:
    signature = HEADERS[SIGNATURE_HEADER]
    answer = refuse_time(HUB, neighborhood=HOOD, signature=signature, now_s=NOON_S)
    wrong: list[Json] = [
        answer | {"time": NOON_S + 1},
        answer | {"code": "x"},
        answer | {"x": 1},
        {},
        None,
        [],
    ]
    for value in wrong:
        with pytest.raises(BadCall):
            read_time_refusal(value, neighborhood=HOOD, hub_key=HUB.public, signature=signature)
    for change in ({"neighborhood": seed("x").hex()}, {"hub_key": key("x").public}, {"signature": "00" * 64}):
        fields = {"neighborhood": HOOD, "hub_key": HUB.public, "signature": signature} | change
        with pytest.raises(BadCall):
            read_time_refusal(answer, **fields)


def test_a_home_goes_by_the_hubs_time() -> None:
    clock = HubClock(lambda: NOON_S + 3_600.9)
    assert not clock.is_far_off
    clock.correct(NOON_S)
    assert clock.now_s() == NOON_S
    assert clock.is_far_off
    clock.correct(NOON_S + 3_600 - 300)
    assert not clock.is_far_off
    assert HubClock(lambda: -5.0).now_s() == 0
