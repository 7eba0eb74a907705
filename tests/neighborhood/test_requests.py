"""Footage requests: how one lives and ends, who is out, what is left of it."""

import pytest

from custom_components.ringwatch.neighborhood.bodies import (
    Appeal,
    Close,
    Comment,
    Extension,
    Moderation,
    Reminder,
    Remove,
    Role,
    Settle,
    Thanks,
    Withdraw,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.bodies.requests import Outcome
from custom_components.ringwatch.neighborhood.changes import ChangeKind
from custom_components.ringwatch.neighborhood.feed import page, to_moderate
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.requests import (
    read_requests,
    requests_to_moderate,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.rows import Status
from custom_components.ringwatch.neighborhood.rows_requests import Ending
from custom_components.ringwatch.neighborhood.rules_requests import case_of
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.state import RequestStatus, may_have_body
from custom_components.ringwatch.neighborhood.store import state_digest
from custom_components.ringwatch.neighborhood.violations import (
    CertificateExpired,
    Frozen,
    NotAllowed,
    RecordViolation,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations_requests import (
    AlreadyExtended,
    AlreadyReminded,
    NotOpen,
    NotReleased,
)  # fmt: skip

from .agencies import Shelf, around, ask, asking, details, enrol, officer
from .asking import release, released, shown, status, wait
from .street import Neighbor, Street, replay, seed

# ---- a request's life -----------------------------------------------------------------------------


def test_a_request_waits_for_a_moderator_and_is_open_for_a_week(street: Street, reyes: Neighbor) -> None:
    request = ask(street, reyes)
    assert status(street, request) == "pending"
    street.now_s += 3_600
    told = street.say(street.host, Moderation(request, Action.RESTORE, ""))
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
