"""Footage requests: who may ask for what, how a request lives and ends, and what is left of it."""

from bisect import bisect_left
from dataclasses import replace
import math
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.apply import advance, supply
from custom_components.ringwatch.neighborhood.bodies import (
    Appeal,
    Availability,
    Close,
    Comment,
    Extension,
    Moderation,
    Officer,
    Reminder,
    Remove,
    Role,
    Settle,
    Thanks,
    Withdraw,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.agencies import OfficerAction, Sharing
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Span
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.bodies.requests import Answer, IncidentKind, Outcome
from custom_components.ringwatch.neighborhood.changes import ChangeKind
from custom_components.ringwatch.neighborhood.feed import page, to_moderate
from custom_components.ringwatch.neighborhood.geometry import area_m2
from custom_components.ringwatch.neighborhood.limits import DAILY, DAY_S, MAX_AREA_M2, MIN_AREA_M2
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.requests import (
    RequestItem,
    read_request,
    read_requests,
    requests_to_moderate,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.rows import Status
from custom_components.ringwatch.neighborhood.rows_requests import Ending
from custom_components.ringwatch.neighborhood.rules_requests import case_of, preview_request
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.state import RequestStatus, State, may_have_body, withheld
from custom_components.ringwatch.neighborhood.store import state_digest
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import (
    AlreadyDone,
    BadPrevious,
    CertificateExpired,
    FromTheFuture,
    Frozen,
    LimitReached,
    NotAllowed,
    NotAMember,
    OutsideArea,
    RecordViolation,
    Removed,
    TooOld,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations_requests import (
    AlreadyExtended,
    AlreadyReminded,
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

from .agencies import Shelf, around, ask, asking, details, enrol, officer, profile
from .street import CENTER, HUB, Neighbor, Street, key, replay, seed


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def agency(street: Street) -> Neighbor:
    return enrol(street)


@pytest.fixture
def reyes(street: Street, agency: Neighbor) -> Neighbor:
    """An officer."""
    return officer(street, agency, days=390)


@pytest.fixture
def ann(street: Street) -> Neighbor:
    return street.join("Ann")


def shown(street: Street, request: str, who: Neighbor | None = None) -> RequestItem:
    shelf = Shelf(street)
    found = read_request(shelf, request, shelf.who(who or street.host))
    assert found is not None
    return found


def status(street: Street, request: str) -> str:
    return shown(street, request).status.value


def release(street: Street, request: str) -> None:
    street.moderate(street.host, request, Action.RESTORE)


def released(street: Street, who: Neighbor, **changes: Any) -> str:
    request = ask(street, who, **changes)
    release(street, request)
    return request


def wait(street: Street, days: int, seconds: int = 0) -> None:
    street.now_s += days * DAY_S + seconds
    street.told += advance(street.state, street.now_s)


# ---- a request's life -----------------------------------------------------------------------------


def test_a_request_waits_for_a_moderator_and_is_open_for_a_week(street: Street, reyes: Neighbor) -> None:
    request = ask(street, reyes)
    assert status(street, request) == "pending"
    street.now_s += 3_600
    told = street.say(street.host, moderation(request, Action.RESTORE))
    assert ChangeKind.RELEASED in {change.kind for change in told}
    item = shown(street, request)
    assert (item.status, item.released_s, item.expires_s) == (
        RequestStatus.OPEN, street.now_s, street.now_s + 7 * DAY_S
    )  # fmt: skip
    assert [row.id for row in street.state.open_requests()] == [request]
    wait(street, 7, -1)
    assert shown(street, request).is_open
    wait(street, 0, 1)
    item = shown(street, request)
    assert (item.status, item.closed_s, item.outcome) == (RequestStatus.EXPIRED, street.now_s, Ending.EXPIRED)
    assert not list(street.state.open_requests())


def moderation(request: str, action: Action) -> Moderation:
    return Moderation(request, action, "As agreed.")


def test_nobody_looks_and_it_expires(street: Street, reyes: Neighbor, ann: Neighbor) -> None:
    request = ask(street, reyes)
    wait(street, 7, -1)
    assert status(street, request) == "pending"
    wait(street, 0, 1)
    assert status(street, request) == "expired"
    with pytest.raises(NotOpen):
        release(street, request)
    with pytest.raises(NotOpen):
        street.say(reyes, Appeal(request, "Why?"))
    assert shown(street, request, ann).details is None  # nobody let these be read


def test_it_is_extended_and_called_to_mind_once(street: Street, reyes: Neighbor) -> None:
    request = ask(street, reyes)
    for body in (Extension(request), Reminder(request)):
        with pytest.raises(NotReleased):
            street.say(reyes, body)
    release(street, request)
    until_s = shown(street, request).expires_s
    street.say(reyes, Extension(request))
    street.say(reyes, Reminder(request))
    item = shown(street, request)
    assert (item.expires_s, item.extended, item.reminded_s) == (until_s + 7 * DAY_S, True, street.now_s)
    with pytest.raises(AlreadyExtended):
        street.say(reyes, Extension(request))
    with pytest.raises(AlreadyReminded):
        street.say(reyes, Reminder(request))
    wait(street, 14, -1)
    assert status(street, request) == "open"
    wait(street, 0, 1)
    assert status(street, request) == "expired"
    for body in (Extension(request), Reminder(request), Close(request, Outcome.SOLVED)):
        with pytest.raises(NotOpen):
            street.say(reyes, body)


def test_any_officer_of_the_agency_closes_it_and_no_other(
    street: Street, agency: Neighbor, reyes: Neighbor
) -> None:
    request = released(street, reyes)
    other = enrol(street, "sheriff", domain="sheriff.example.gov")
    stranger = officer(street, other, "deputy")
    for body in (Close(request, Outcome.SOLVED), Extension(request), Reminder(request)):
        with pytest.raises(NotAllowed):
            street.say(stranger, body)
    with pytest.raises(NotAllowed):
        street.say(street.host, Close(request, Outcome.SOLVED))
    with pytest.raises(UnknownTarget):
        street.say(reyes, Close(seed("x").hex(), Outcome.SOLVED))
    colleague = officer(street, agency, "colleague")
    told = street.say(colleague, Close(request, Outcome.SOLVED))
    assert [change.kind for change in told] == [ChangeKind.CLOSED]
    item = shown(street, request)
    assert (item.status, item.outcome) == (RequestStatus.CLOSED, Ending.SOLVED)
    with pytest.raises(NotOpen):
        street.say(colleague, Close(request, Outcome.UNSOLVED))


def test_a_moderator_refuses_in_the_open_and_the_officer_appeals(
    street: Street, reyes: Neighbor, ann: Neighbor
) -> None:
    request = ask(street, reyes)
    street.moderate(street.host, request, Action.REMOVE)
    item = shown(street, request, ann)
    assert (item.status, item.outcome, item.details) == (RequestStatus.REFUSED, Ending.REFUSED, None)
    assert item.area  # what was asked stays in the register
    street.say(reyes, Appeal(request, "It is a missing child."))
    shelf = Shelf(street)
    assert [item.id for item in requests_to_moderate(shelf, shelf.who(street.host))] == [request]
    street.now_s += 8 * DAY_S  # it would have expired by now
    release(street, request)
    item = shown(street, request)
    assert (item.status, item.released_s) == (RequestStatus.OPEN, street.now_s)


def test_what_was_released_and_refused_goes_on_where_it_was(street: Street, reyes: Neighbor) -> None:
    request = released(street, reyes)
    until_s = shown(street, request).expires_s
    street.now_s += DAY_S
    street.moderate(street.host, request, Action.REMOVE)
    assert status(street, request) == "refused"
    street.now_s += DAY_S
    release(street, request)
    assert (status(street, request), shown(street, request).expires_s) == ("open", until_s)
    street.moderate(street.host, request, Action.REMOVE)
    street.now_s += 6 * DAY_S
    release(street, request)
    assert (status(street, request), shown(street, request).closed_s) == ("expired", street.now_s)


def test_a_held_request_is_not_open_and_time_goes_on(street: Street, reyes: Neighbor) -> None:
    request = released(street, reyes)
    street.moderate(street.host, request, Action.HOLD)
    assert status(street, request) == "held"
    with pytest.raises(NotOpen):
        street.say(reyes, Extension(request))
    release(street, request)
    assert status(street, request) == "open"
    street.moderate(street.host, request, Action.HOLD)
    wait(street, 7)
    assert status(street, request) == "expired"


def test_members_flag_it_and_three_hide_it(street: Street, reyes: Neighbor, ann: Neighbor) -> None:
    request = ask(street, reyes)
    with pytest.raises(WrongTarget):
        street.flag(ann, request)  # nobody can see it yet
    release(street, request)
    for who in (ann, *street.join_all("Bob", "Cy")):
        street.flag(who, request)
    assert status(street, request) == "held"
    assert not list(street.state.open_requests())
    shelf = Shelf(street)
    assert [item.id for item in requests_to_moderate(shelf, shelf.who(street.host))] == [request]
    assert requests_to_moderate(shelf, shelf.who(ann)) == ()
    release(street, request)
    assert status(street, request) == "open"


def test_a_request_is_not_a_post(street: Street, reyes: Neighbor, ann: Neighbor) -> None:
    request = released(street, reyes)
    assert page(street.state, viewer=None).items == ()
    assert not [item for item in to_moderate(street.state) if item.id == request]
    for who, body in ((ann, Comment(request, "Hm.")), (ann, Thanks(request)), (reyes, Withdraw(request))):
        with pytest.raises(WrongTarget):
            street.say(who, body)


# ---- who is out -----------------------------------------------------------------------------------


def test_a_suspended_agencys_requests_are_held(street: Street, agency: Neighbor, reyes: Neighbor) -> None:
    request = released(street, reyes)
    street.say(street.host, Role(agency.id, RoleName.NONE))
    assert status(street, request) == "held"
    assert not list(street.state.open_requests())
    with pytest.raises(CertificateExpired):
        street.say(reyes, Close(request, Outcome.SOLVED))
    street.say(street.host, Role(agency.id, RoleName.AGENCY))
    assert status(street, request) == "open"


def test_a_frozen_officers_requests_are_held_and_void_ones_are_gone(
    street: Street, agency: Neighbor, reyes: Neighbor
) -> None:
    good = released(street, reyes)
    last = str(reyes.tip)
    bad = released(street, reyes, case="24-7")
    street.say(reyes, Reminder(good))
    street.say(reyes, Extension(good), prev=last)
    assert [status(street, one) for one in (good, bad)] == ["held", "held"]
    with pytest.raises(Frozen):
        street.say(reyes, Close(good, Outcome.SOLVED))
    told = street.say(street.host, Settle(reyes.id, last))
    erased = {change.id for change in told if change.kind is ChangeKind.ERASE}
    row = street.state.request(bad)
    assert row is not None
    assert (row.outcome, row.area, erased >= {bad, row.details}) == (Ending.VOID, (), True)
    item = shown(street, good)
    assert (item.status, item.reminded_s) == (RequestStatus.OPEN, None)
    shelf = Shelf(street)
    assert [one.id for one in read_requests(shelf, shelf.who(street.host))] == [good]
    assert street.state.requests_of_case(case_of(agency.id, "24-7")) == 0


def test_a_void_extension_and_a_void_closing_are_undone(street: Street, reyes: Neighbor) -> None:
    request = released(street, reyes)
    last = str(reyes.tip)
    until_s = shown(street, request).expires_s
    street.say(reyes, Extension(request))
    street.say(reyes, Close(request, Outcome.SOLVED))
    street.say(reyes, details(), prev=last)
    street.say(street.host, Settle(reyes.id, last))
    item = shown(street, request)
    assert (item.status, item.expires_s, item.extended) == (RequestStatus.OPEN, until_s, False)


def test_a_release_that_is_void_was_none(street: Street, reyes: Neighbor, ann: Neighbor) -> None:
    street.say(street.host, Role(ann.id, RoleName.MODERATOR))
    request = ask(street, reyes)
    asked_s = street.now_s
    street.now_s += DAY_S
    street.moderate(ann, request, Action.RESTORE)
    assert status(street, request) == "open"
    street.say(street.host, Remove(ann.id, ann.id, "Not a moderator."))
    item = shown(street, request)
    assert (item.status, item.released_s, item.expires_s) == (
        RequestStatus.PENDING, None, asked_s + 7 * DAY_S
    )  # fmt: skip


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


def with_area(m2: int) -> tuple[Place, ...]:
    """Return a square, one corner moved a little: as large as this, and less if that corner comes nearer."""
    north_west, *others = around(half_m=math.isqrt(m2) // 2 - 5)
    found = bisect_left(
        range(20_000),
        m2,
        key=lambda up: area_m2((replace(north_west, lat_e6=north_west.lat_e6 + up), *others)),
    )
    return (replace(north_west, lat_e6=north_west.lat_e6 + found), *others)


def smaller(area: tuple[Place, ...]) -> tuple[Place, ...]:
    """Return it with that corner a microdegree nearer."""
    return (replace(area[0], lat_e6=area[0].lat_e6 - 1), *area[1:])


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


# ---- who may see what -----------------------------------------------------------------------------


def may(street: Street, record_id: str, who: Neighbor | None) -> bool:
    return may_have_body(street.state, record_id, Shelf(street).who(who) if who else None)


def test_the_hub_keeps_a_request_back_until_a_moderator_has_looked(
    street: Street, agency: Neighbor, reyes: Neighbor, ann: Neighbor
) -> None:
    street.say(reyes, details())
    told = street.last
    colleague = officer(street, agency, "colleague")
    stranger = officer(street, enrol(street, "sheriff", domain="sheriff.example.gov"), "deputy")
    insiders = (street.host, reyes, colleague, agency)
    assert [may(street, told, who) for who in (*insiders, ann, stranger, None)] == [True] * 4 + [False] * 3
    street.say(reyes, asking(street, told))
    request = street.last
    for record in (told, request):
        assert [may(street, record, who) for who in (*insiders, ann, stranger, None)] == [True] * 4 + [
            False
        ] * 3
    release(street, request)
    for who in (ann, stranger, None):
        assert (may(street, told, who), may(street, request, who)) == (True, True)
    street.moderate(street.host, request, Action.HOLD)
    assert (may(street, told, ann), may(street, request, ann)) == (False, True)
    street.moderate(street.host, request, Action.REMOVE)
    assert (may(street, told, ann), may(street, request, ann)) == (False, True)


def bare(street: Street, *types: Type) -> State:
    """Return what a reader knows to whom the hub gave no bodies of these types."""
    return replay(
        [Placed(one.entry, one.record.erased()) if one.record.type in types else one for one in street.placed]
    )


KEPT_BACK = (Type.REQUEST_DETAILS, Type.FOOTAGE_REQUEST)


def record(street: Street, record_id: str) -> Any:
    return Shelf(street).record(record_id)


def test_bodies_come_when_the_request_is_released(street: Street, reyes: Neighbor) -> None:
    request = ask(street, reyes)
    row = street.state.request(request)
    assert row is not None
    early = bare(street, *KEPT_BACK)
    assert list(withheld(early)) == []
    release(street, request)
    reader = bare(street, *KEPT_BACK)
    assert sorted(withheld(reader)) == sorted([request, row.details])
    supply(record(street, request), reader)
    supply(record(street, row.details), reader)
    assert state_digest(reader.store) == state_digest(street.store)
    with pytest.raises(UnknownTarget):
        supply(record(street, request), reader)


@pytest.mark.parametrize(
    ("changes", "kind"),
    [
        ({"incident": IncidentKind.ASSEMBLY}, LawfulAssembly),
        ({"area": with_area(MAX_AREA_M2 + 5_000)}, AreaTooLarge),
        ({"area": around(Place(33_306_000, -112_100_000))}, OutsideJurisdiction),
        ({"retention_days": 9_000}, TermsDiffer),
        ({"details": seed("x").hex()}, WrongTarget),
    ],
)
def test_a_hub_that_lets_through_what_it_keeps_back_is_caught_when_the_body_comes(
    street: Street, reyes: Neighbor, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], kind: Any
) -> None:
    rules = "custom_components.ringwatch.neighborhood.rules.check_request"
    street.say(reyes, details())
    body = replace(asking(street, street.last), **changes)
    with monkeypatch.context() as dishonest:
        dishonest.setattr(rules, lambda *_: None)
        street.say(reyes, body)
    request = street.last
    with pytest.raises(kind):
        replay(street.placed)
    # The profile has changed since, and would allow the one that promises other days
    street.now_s += 60
    changed = {"issued_s": street.now_s, "replaces": street.placed[1].record.id, "retention_days": 9_000}
    street.say(street.host, profile(**changed))
    reader = bare(street, Type.FOOTAGE_REQUEST)
    with pytest.raises(kind):
        supply(record(street, request), reader)


def test_a_third_request_of_a_case_is_caught_when_the_details_come(
    street: Street, reyes: Neighbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.rules_requests.MAX_PER_CASE", 3)
    asked = [ask(street, reyes, "24-1") for _ in range(3)]
    monkeypatch.undo()
    with pytest.raises(ThirdOfCase):
        replay(street.placed)
    for order in (asked, asked[::-1]):
        reader = bare(street, Type.REQUEST_DETAILS)
        rows = [street.state.request(one) for one in order]
        supply(record(street, rows[0].details), reader)  # type: ignore[union-attr]
        supply(record(street, rows[1].details), reader)  # type: ignore[union-attr]
        with pytest.raises(ThirdOfCase):
            supply(record(street, rows[2].details), reader)  # type: ignore[union-attr]


def test_a_request_without_its_details_before_it_is_refused_even_without_a_body(
    street: Street, reyes: Neighbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rules = "custom_components.ringwatch.neighborhood.rules.check_request"
    with monkeypatch.context() as dishonest:
        dishonest.setattr(rules, lambda *_: None)
        street.say(reyes, asking(street, seed("x").hex()))
    with pytest.raises(WrongTarget):
        bare(street, Type.FOOTAGE_REQUEST)


# ---- what is left ---------------------------------------------------------------------------------


def test_what_people_were_told_is_erased_90_days_after_the_end(
    street: Street, agency: Neighbor, reyes: Neighbor, ann: Neighbor
) -> None:
    request = released(street, reyes)
    row = street.state.request(request)
    assert row is not None
    street.flag(ann, request)
    flag = street.last
    street.say(reyes, Close(request, Outcome.SOLVED))
    case = case_of(agency.id, "24-1189")
    wait(street, 90, -1)
    assert shown(street, request, ann).details is not None
    assert street.state.requests_of_case(case) == 1
    wait(street, 0, 1)
    erased = {change.id for change in street.told if change.kind is ChangeKind.ERASE}
    assert erased == {row.details, flag}
    assert street.state.requests_of_case(case) == 0
    assert case not in str(street.store.tables)
    item = shown(street, request, ann)
    assert (item.status, item.outcome, item.details) == (RequestStatus.CLOSED, Ending.SOLVED, None)
    assert item.area == around()  # for good
    assert not may_have_body(street.state, row.details, None) or street.state.details(row.details) is None
    with pytest.raises(UnknownTarget):
        street.moderate(street.host, request, Action.REMOVE)


def test_a_late_joiner_has_the_same_state_as_those_who_saw_it_all(street: Street, reyes: Neighbor) -> None:
    for case, outcome in (("24-1", Outcome.SOLVED), ("24-2", Outcome.WITHDRAWN)):
        request = released(street, reyes, case=case)
        street.say(reyes, Close(request, outcome))
    wait(street, 91)
    erased = {change.id for change in street.told if change.kind is ChangeKind.ERASE}
    late = [
        Placed(one.entry, one.record.erased()) if one.record.id in erased else one for one in street.placed
    ]
    assert state_digest(replay(late, time_s=street.now_s).store) == state_digest(street.store)
    ask(street, reyes, "24-1")
    late += street.placed[len(late) :]
    assert state_digest(replay(late, time_s=street.now_s).store) == state_digest(street.store)


def test_steps_and_one_leap_come_to_the_same(street: Street, reyes: Neighbor) -> None:
    ask(street, reyes)
    released(street, reyes, case="24-2")
    leap = replay(street.placed, time_s=street.now_s + 200 * DAY_S)
    for _ in range(200):
        wait(street, 1)
    assert state_digest(leap.store) == state_digest(street.store)
    assert not [item for item in street.store.tables["items"] if street.state.item(item)]
    assert street.store.tables["due"] == {}


def test_void_requests_leave_nothing_behind(street: Street, reyes: Neighbor) -> None:
    street.say(reyes, details())
    first = street.last
    street.say(reyes, asking(street, first))
    request = street.last
    street.say(reyes, details("24-9"), prev=first)
    street.say(street.host, Settle(reyes.id, first))
    item = street.state.item(request)
    assert item is not None
    assert item.status is Status.VOID
    for body in (Close(request, Outcome.SOLVED), Extension(request)):
        with pytest.raises(RecordViolation):
            street.say(reyes, body, prev=first)
    wait(street, 91)
    assert street.state.item(request) is None
