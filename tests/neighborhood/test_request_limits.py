"""Footage requests: who may ask for what, each limit at its edge, what the hub may say."""

from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.apply import advance
from custom_components.ringwatch.neighborhood.bodies import (
    Availability,
    Close,
    Officer,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.agencies import OfficerAction, Sharing
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Span
from custom_components.ringwatch.neighborhood.bodies.requests import Answer, IncidentKind, Outcome
from custom_components.ringwatch.neighborhood.changes import ChangeKind
from custom_components.ringwatch.neighborhood.limits import DAILY, DAY_S, MAX_AREA_M2, MIN_AREA_M2
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.rules_requests import preview_request
from custom_components.ringwatch.neighborhood.store import state_digest
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import (
    AlreadyDone,
    BadPrevious,
    CertificateExpired,
    FromTheFuture,
    LimitReached,
    NotAllowed,
    NotAMember,
    OutsideArea,
    Removed,
    TooOld,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations_requests import (
    AreaTooLarge,
    AreaTooSmall,
    BadArea,
    LawfulAssembly,
    NotOpen,
    NotReleased,
    OutsideJurisdiction,
    TermsDiffer,
    ThirdOfCase,
    TooManyOpen,
    WindowTooLong,
    WindowTooShort,
)  # fmt: skip

from .agencies import around, ask, asking, details, enrol, officer, profile
from .asking import release, released, shown, smaller, with_area
from .street import CENTER, HUB, Neighbor, Street, key, replay, seed

# ---- forged, expired, invented --------------------------------------------------------------------


def test_only_an_officer_that_the_agency_certifies_asks(
    street: Street, agency: Neighbor, ann: Neighbor
) -> None:
    forged = Neighbor(key("forged"))
    with pytest.raises(NotAMember):
        ask(street, forged)
    for who in (ann, agency, street.host):
        with pytest.raises(NotAllowed):
            street.say(who, details())
        with pytest.raises(NotAllowed):
            street.say(who, asking(street, seed("x").hex()))


def test_an_expired_or_revoked_officer_asks_nothing(street: Street, agency: Neighbor) -> None:
    who = officer(street, agency, "short", days=1)
    street.say(who, details())
    street.now_s += DAY_S
    with pytest.raises(CertificateExpired):
        street.say(who, asking(street, street.last))
    again = officer(street, agency, "again")
    street.say(agency, Officer(OfficerAction.REVOKE, again.key.public, "x", street.now_s))
    with pytest.raises(Removed):
        street.say(again, details())


def test_a_request_comes_right_behind_its_own_details(
    street: Street, agency: Neighbor, reyes: Neighbor
) -> None:
    with pytest.raises(WrongTarget):
        street.say(reyes, asking(street, seed("x").hex()))
    street.say(reyes, details())
    mine = street.last
    colleague = officer(street, agency, "colleague")
    with pytest.raises(WrongTarget):
        street.say(colleague, asking(street, mine))
    with pytest.raises(BadPrevious):
        street.say(colleague, asking(street, mine), prev=mine)
    with pytest.raises(WrongTarget):
        street.say(reyes, asking(street, seed("x").hex()))
    street.say(reyes, asking(street, mine))
    with pytest.raises(WrongTarget):
        street.say(reyes, asking(street, mine))  # used


def test_details_that_no_request_follows_are_erased(street: Street, reyes: Neighbor) -> None:
    street.say(reyes, details())
    left = street.last
    street.now_s += DAY_S
    told = advance(street.state, street.now_s)
    assert [(change.kind, change.id) for change in told] == [(ChangeKind.ERASE, left)]
    with pytest.raises(WrongTarget):
        street.say(reyes, asking(street, left))


# ---- limits, each at its edge ---------------------------------------------------------------------


def test_an_area_is_neither_a_house_nor_a_district(street: Street, reyes: Neighbor) -> None:
    least, most = with_area(MIN_AREA_M2), with_area(MAX_AREA_M2 + 1)
    with pytest.raises(AreaTooSmall):
        ask(street, reyes, area=smaller(least))
    ask(street, reyes, area=least)
    with pytest.raises(AreaTooLarge):
        ask(street, reyes, "24-2", area=most)
    ask(street, reyes, "24-2", area=smaller(most))
    a, b, c, d = around()
    with pytest.raises(BadArea):
        ask(street, reyes, "24-3", area=(a, c, b, d))


def test_a_window_is_15_minutes_to_12_hours_of_the_last_30_days(street: Street, reyes: Neighbor) -> None:
    now_s = street.now_s

    def window(start_s: int, length_s: int) -> dict[str, Span]:
        return {"window": Span(now_s + start_s, now_s + start_s + length_s)}

    for start_s, length_s, kind in (
        (-3_600, 899, WindowTooShort),
        (-3_600, 0, WindowTooShort),
        (-90_000, 43_201, WindowTooLong),
        (0, 901 - 300, WindowTooShort),
        (-300, 901, FromTheFuture),
        (-30 * DAY_S - 1, 900, TooOld),
    ):
        with pytest.raises(kind):
            ask(street, reyes, **window(start_s, length_s))
    for number, (start_s, length_s) in enumerate(
        ((-3_600, 900), (-90_000, 43_200), (-300, 900), (-30 * DAY_S, 900))
    ):
        ask(street, reyes, f"24-{number}", **window(start_s, length_s))


def test_all_of_the_area_is_the_agencys_and_some_of_it_the_neighborhoods(
    street: Street, reyes: Neighbor
) -> None:
    west = min(corner.lon_e6 for corner in profile().jurisdiction)
    with pytest.raises(OutsideJurisdiction):
        ask(street, reyes, area=around(Place(CENTER.lat_e6, west)))
    away = Place(CENTER.lat_e6 + 17_000, CENTER.lon_e6)  # 1,892 m north; the circle has 1,609
    with pytest.raises(OutsideArea):
        ask(street, reyes, area=around(away))
    ask(street, reyes, area=around(away, half_m=300))


def test_gathering_is_lawful(street: Street, reyes: Neighbor) -> None:
    with pytest.raises(LawfulAssembly):
        ask(street, reyes, incident=IncidentKind.ASSEMBLY)


def test_a_request_promises_what_the_agency_promised(street: Street, reyes: Neighbor) -> None:
    for changes in ({"retention_days": 91}, {"retention_days": 30}, {"sharing": Sharing.NONE}):
        with pytest.raises(TermsDiffer):
            ask(street, reyes, **changes)


def test_there_are_two_requests_for_a_case(street: Street, agency: Neighbor, reyes: Neighbor) -> None:
    ask(street, reyes, "24-1189 a")
    street.say(reyes, Close(street.last, Outcome.WITHDRAWN))
    street.moderate(street.host, ask(street, reyes, "24 1189-A"), Action.REMOVE)
    colleague = officer(street, agency, "colleague")
    for case in ("24-1189a", "\uff12\uff14-1189A", "24/1189 A"):
        with pytest.raises(ThirdOfCase):
            ask(street, colleague, case)
    ask(street, colleague, "24-1189 b")
    other = officer(street, enrol(street, "sheriff", domain="sheriff.example.gov"), "deputy")
    ask(street, other, "24-1189 a")  # another agency's case


def test_an_agency_has_ten_open_requests(street: Street, agency: Neighbor, reyes: Neighbor) -> None:
    colleague = officer(street, agency, "colleague")
    asked = [ask(street, who, f"24-{number}") for number, who in enumerate([reyes, colleague] * 5)]
    with pytest.raises(TooManyOpen):
        ask(street, colleague, "24-11")
    release(street, asked[0])
    with pytest.raises(TooManyOpen):
        ask(street, colleague, "24-11")
    street.say(reyes, Close(asked[0], Outcome.NOT_NEEDED))
    ask(street, colleague, "24-11")


def test_there_is_a_limit_a_day(street: Street, reyes: Neighbor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(DAILY, Type.FOOTAGE_REQUEST, 1)
    ask(street, reyes)
    with pytest.raises(LimitReached):
        ask(street, reyes, "24-2")
    street.now_s += DAY_S
    ask(street, reyes, "24-2")


def test_a_page_that_draws_says_all_that_is_wrong_at_once(street: Street, reyes: Neighbor) -> None:
    row = street.state.agency(street.state.subject_of(reyes.key.public).agency)  # type: ignore[union-attr]
    assert row is not None
    far = around(Place(40_000_000, -80_000_000), half_m=1_000)
    span = Span(street.now_s - 31 * DAY_S, street.now_s - 30 * DAY_S)
    given: dict[str, Any] = {"agency": row, "hood": street.state.hood, "now_s": street.now_s}
    found = preview_request(far, span, IncidentKind.ASSEMBLY, **given)
    assert [violation.code for violation in found] == [
        "lawful_assembly", "window_too_long", "too_old", "area_too_large", "outside_jurisdiction",
        "outside_area",
    ]  # fmt: skip
    assert (
        preview_request(around(), Span(street.now_s - 900, street.now_s), IncidentKind.ARSON, **given) == []
    )
    assert [one.code for one in preview_request((), span, IncidentKind.ARSON, **given)][-1:] == ["bad_area"]


# ---- did anybody record? --------------------------------------------------------------------------


def test_the_hub_says_once_whether_anybody_recorded(street: Street, reyes: Neighbor, ann: Neighbor) -> None:
    request = ask(street, reyes, availability=True)
    hub = Neighbor(HUB)
    with pytest.raises(NotReleased):
        street.say(hub, Availability(request, Answer.LIKELY))
    release(street, request)
    assert shown(street, request).availability == "asked"
    for who in (ann, reyes, street.host):
        with pytest.raises(NotAllowed):
            street.say(who, Availability(request, Answer.LIKELY))
    with pytest.raises(WrongTarget):
        street.say(hub, Availability(request, Answer.LIKELY), prev=request)
    street.say(hub, Availability(request, Answer.NOT_ENOUGH), prev=None)
    assert shown(street, request).availability is Answer.NOT_ENOUGH
    with pytest.raises(AlreadyDone):
        street.say(hub, Availability(request, Answer.LIKELY), prev=None)
    silent = released(street, reyes, case="24-2")
    assert shown(street, silent).availability is None
    with pytest.raises(WrongTarget):
        street.say(hub, Availability(silent, Answer.LIKELY), prev=None)
    with pytest.raises(UnknownTarget):
        street.say(hub, Availability(seed("x").hex(), Answer.LIKELY), prev=None)
    ended = released(street, reyes, case="24-3", availability=True)
    street.say(reyes, Close(ended, Outcome.SOLVED))
    with pytest.raises(NotOpen):
        street.say(hub, Availability(ended, Answer.LIKELY), prev=None)
    reader = replay(street.placed)
    assert state_digest(reader.store) == state_digest(street.store)


def test_the_hubs_key_writes_nothing_else(street: Street, reyes: Neighbor) -> None:
    hub = Neighbor(HUB)
    with pytest.raises(NotAMember):
        ask(street, hub)
    with pytest.raises(NotAMember):
        street.say(hub, Close(ask(street, reyes), Outcome.SOLVED))
