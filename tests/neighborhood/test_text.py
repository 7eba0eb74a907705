"""Characters in texts and names, and what in a text points at somebody."""

from itertools import pairwise

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.text import check_handle, check_text, clean, folded
from custom_components.ringwatch.neighborhood.text_check import find_private
from custom_components.ringwatch.neighborhood.violations import BadText


@pytest.mark.parametrize(
    "text",
    [
        "a\x00b",
        "a\x1bb",
        "a\tb",
        "a\rb",
        "a\x7fb",
        "a\x85b",
        "a\u202eb",
        "a\u2066b",
        "a\u200fb",
        "a\u061cb",
        "a\u200bb",
        "a\ufeffb",
        "a\u2028b",
        "a\u2029b",
        "a\u00adb",
        "a\ud800b",
        "a\ue000b",
        "a\ufdd0b",
        "a\uffffb",
        "a\U0001fffeb",
        "a\U000e0041b",
        "a\U0010ffffb",
        "a\u3164b",
        "e\u0301",
        " a",
        "a ",
        "\u00a0a",
        " ",
        "a\nb",
        "x" * 11,
    ],
)
def test_a_text_that_misleads_is_refused(text: str) -> None:
    with pytest.raises(BadText):
        check_text(text, 10)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Fox!",
        "Füchse",
        "狐狸",
        "👨‍👩‍👧 🏳️‍🌈",
        "می‌خواهم",
        "<b>&amp;\"'",
        "שלום",
    ],
)
def test_an_ordinary_text_is_taken_as_it_is(text: str) -> None:
    assert check_text(text, 20) == text


def test_lines_only_where_there_may_be_some() -> None:
    assert check_text("a\nb", 10, lines=True) == "a\nb"
    with pytest.raises(BadText):
        check_text("", 10, empty=False)


@given(st.text(), st.booleans())
def test_what_was_cleaned_is_taken(text: str, lines: bool) -> None:
    check_text(clean(text, 50, lines=lines), 50, lines=lines)


def test_cleaning_keeps_what_was_meant() -> None:
    assert clean("  a\tb\r\nc  ", 50) == "a b c"
    assert clean("a\r\nb\u2028c", 50, lines=True) == "a\nb\nc"
    assert clean("cafe\u0301", 50) == "caf\u00e9"
    assert clean("abcd", 3) == "abc"


@pytest.mark.parametrize(
    "handle", ["Al", "Mary-Jane", "O'Neil", "J. Doe", "Zoë", "राम", "李小龍", "x" * 32, "No_17"]
)
def test_names_of_all_scripts_are_taken(handle: str) -> None:
    assert check_handle(handle) == handle


@pytest.mark.parametrize(
    "handle",
    [
        "",
        "a",
        "x" * 33,
        "-a",
        "a-",
        "a--b",
        "a  b",
        "a\nb",
        "a<b",
        "a\u200db",
        "🦊🦊",
        "p\u0430ypal",
        "a/b",
        "@a",
    ],
)
def test_a_name_that_misleads_is_refused(handle: str) -> None:
    with pytest.raises(BadText):
        check_handle(handle)


def test_names_that_people_would_mix_up_are_the_same() -> None:
    assert folded("Zoë Quinn") == folded("zoe-quinn") == folded("ZOE.QUINN")
    assert folded("Ann") != folded("Anne")
    assert folded("\u1d2cnn") == folded("Ann")  # a modifier letter


@pytest.mark.parametrize(
    ("text", "kind", "part"),
    [
        ("call 480-555-0123 now", "phone", "480-555-0123"),
        ("(480) 555-0123", "phone", "(480) 555-0123"),
        ("+44 20 7946 0958", "phone", "+44 20 7946 0958"),
        ("4805550123", "phone", "4805550123"),
        ("write to ann.lee+x@mail.example.org!", "email", "ann.lee+x@mail.example.org"),
        ("at 123 N. Maple Grove St. tonight", "address", "123 N. Maple Grove St."),
        ("1600 Pennsylvania Avenue", "address", "1600 Pennsylvania Avenue"),
        ("in der Hauptstraße 12a", "address", "Hauptstraße 12a"),
        ("12, rue Victor", "address", "12, rue Victor"),
        ("a gray van, 7ABC123, left", "plate", "7ABC123"),
        ("plate ABC 1234.", "plate", "ABC 1234"),
        ("AB12 CDE", "plate", "AB12 CDE"),
    ],
)
def test_what_points_at_somebody_is_found(text: str, kind: str, part: str) -> None:
    [hint] = find_private(text)
    assert (hint.kind, text[hint.start : hint.end]) == (kind, part)


@pytest.mark.parametrize(
    "text",
    [
        "Two foxes at 10:30",
        "on 2026-11-23 at noon",
        "3 days ago",
        "a red bike, 28 inch",
        "LOST DOG",
        "the SUV",
        "5 of them",
        "on 11/23/2026",
        "I was 1st",
        "union station select (blue)",
    ],
)
def test_an_ordinary_sentence_raises_no_question(text: str) -> None:
    assert find_private(text) == ()


def test_several_are_found_in_their_order() -> None:
    found = find_private("7ABC123 or 480-555-0123 or a@b.example")
    assert [hint.kind for hint in found] == ["plate", "phone", "email"]


@given(st.text(st.sampled_from("aA1 -.@st(/+"), max_size=4_000))
def test_looking_takes_no_time(text: str) -> None:
    hints = find_private(text)
    assert all(a.end <= b.start for a, b in pairwise(hints))
