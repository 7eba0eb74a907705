"""Footage requests: what a hub keeps back and from whom, and what is checked when it comes late."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.apply import supply
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.requests import IncidentKind
from custom_components.ringwatch.neighborhood.limits import MAX_AREA_M2
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.state import withheld
from custom_components.ringwatch.neighborhood.store import state_digest
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import (
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.violations_requests import (
    AreaTooLarge,
    LawfulAssembly,
    OutsideJurisdiction,
    TermsDiffer,
    ThirdOfCase,
)  # fmt: skip

from .agencies import around, ask, asking, details, enrol, officer, profile
from .asking import bare, may, record, release, with_area
from .street import Neighbor, Street, replay, seed

KEPT_BACK = (Type.REQUEST_DETAILS, Type.FOOTAGE_REQUEST)


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
    for one in (told, request):
        seen = [may(street, one, who) for who in (*insiders, ann, stranger, None)]
        assert seen == [True] * 4 + [False] * 3
    release(street, request)
    for who in (ann, stranger, None):
        assert (may(street, told, who), may(street, request, who)) == (True, True)
    street.moderate(street.host, request, Action.HOLD)
    assert (may(street, told, ann), may(street, request, ann)) == (False, True)
    street.moderate(street.host, request, Action.REMOVE)
    assert (may(street, told, ann), may(street, request, ann)) == (False, True)


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
