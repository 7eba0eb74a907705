"""Every violation has a stable code, and a test that meets it."""

import ast
from pathlib import Path

from custom_components.ringwatch.neighborhood.violations import (
    CODES,
    CallViolation,
    HubViolation,
    LinkViolation,
    RecordViolation,
)  # fmt: skip

FOLDER = Path(__file__).parent
# Other programs and translations go by these: never change one that was released
STABLE = {
    "agency_refused",
    "already_done",
    "already_extended",
    "already_reminded",
    "area_too_large",
    "area_too_small",
    "bad_area",
    "bad_call",
    "bad_field",
    "bad_invite",
    "bad_link",
    "bad_previous",
    "bad_segment",
    "bad_signature",
    "bad_text",
    "body_altered",
    "body_missing",
    "body_withheld",
    "code_taken",
    "domain_taken",
    "duplicate",
    "expired",
    "from_the_future",
    "frozen",
    "handle_taken",
    "invite_used",
    "key_taken",
    "lawful_assembly",
    "limit_reached",
    "link_expired",
    "not_a_member",
    "not_allowed",
    "not_canonical",
    "not_founded",
    "not_open",
    "not_proved",
    "not_released",
    "not_snapped",
    "order_broken",
    "order_forked",
    "order_gap",
    "order_rewound",
    "order_unsigned",
    "other_neighborhood",
    "outside_area",
    "outside_jurisdiction",
    "own_item",
    "profile_old",
    "record_refused",
    "removed",
    "terms_differ",
    "third_of_case",
    "time_backwards",
    "too_deep",
    "too_large",
    "too_many_open",
    "too_old",
    "unknown_head",
    "unknown_target",
    "unknown_type",
    "unknown_version",
    "window_too_long",
    "window_too_short",
    "wrong_record",
    "wrong_target",
    "wrong_time",
}


def test_codes_are_stable() -> None:
    assert CODES.keys() == STABLE


def test_every_violation_is_met_by_a_test() -> None:
    """By its name or its code, in `pytest.raises(...)` or in a table of cases."""
    named: set[str] = set()
    for path in set(FOLDER.glob("test_*.py")) - {Path(__file__)}:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Name):
                named.add(node.id)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                named.add(node.value.removeprefix("hub_"))  # as a home tells it
    assert {code for code, kind in CODES.items() if not {code, kind.__name__} & named} == set()


def test_a_violation_says_what_is_wrong_and_whose_fault_it_is() -> None:
    for code, kind in CODES.items():
        assert str(kind("what was wrong")) == f"{code}: what was wrong"
        assert issubclass(kind, RecordViolation | HubViolation | CallViolation | LinkViolation)
    forbidden = {code for code, kind in CODES.items() if issubclass(kind, RecordViolation) and kind.forbidden}
    assert forbidden == {
        "bad_invite", "expired", "frozen", "invite_used", "not_a_member", "not_allowed", "removed"
    }  # fmt: skip
