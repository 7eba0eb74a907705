"""Canonical JSON: one value, one form, and nothing else is read."""

from contextlib import suppress
import json
from typing import Any

from hypothesis import example, given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.canonical import MAX_DEPTH, MAX_INTEGER, Json, encode, parse
from custom_components.ringwatch.neighborhood.violations import NotCanonical, TooDeep, TooLarge

TEXTS = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-MAX_INTEGER, MAX_INTEGER) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_reads_back_byte_for_byte(value: Json) -> None:
    data = encode(value)
    assert parse(data, 10**6) == value
    assert encode(parse(data, 10**6)) == data
    assert json.loads(data) == value


@given(st.binary(max_size=300))
@example(b'"\\')
@example(b"[" * 5_000)
@example(b'"' * 999)
def test_any_bytes_are_read_as_they_stand_or_refused(data: bytes) -> None:
    try:
        value = parse(data, 4_096)
    except NotCanonical, TooDeep, TooLarge:
        return
    assert encode(value) == data


@given(VALUES, st.integers(0, 400), st.sampled_from(' ,0"]}\\\x00\n\xef'))
def test_a_byte_more_is_another_value_or_refused(value: Json, at: int, sign: str) -> None:
    data = encode(value)
    changed = data[:at] + sign.encode("latin-1") + data[at:]
    with suppress(NotCanonical, TooDeep):
        assert parse(changed, 10**6) != value


def test_keys_are_sorted_by_utf_16_code_units() -> None:
    """The example of RFC 8785, 3.2.3: an emoji's surrogates come before U+FB33."""
    keys = ["\u20ac", "\r", "\ufb33", "1", "\U0001f600", "\u0080", "\u00f6"]
    ordered = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
    assert list(json.loads(encode(dict.fromkeys(keys)))) == ordered


def test_texts_are_escaped_as_the_rfc_says() -> None:
    assert encode('\u20ac$\x0f\nA\'B"\\\\"/\x7f') == '"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/\x7f"'.encode()


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b"1.0",
        b"1e3",
        b"-0",
        b"01",
        b"NaN",
        b"Infinity",
        b"-Infinity",
        b"9007199254740992",
        b"-9007199254740992",
        b"1" * 5_000,
        b'"\\ud800"',
        b'"\\u00e9"',
        b'"\\/"',
        b"\xef\xbb\xbf1",
        b"\xff",
        b'"\xed\xa0\x80"',
        b"",
        b"1 ",
        b"1\n",
        b"'a'",
        b"[1,]",
        b"tru",
        b'"a',
    ],
)
def test_another_form_is_refused(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        parse(data, 10_000)


@pytest.mark.parametrize(
    "value", [1.0, float("nan"), 2**53, -(2**53), "\udc00", {1: 2}, {"\ud800": 1}, b"", (1,)]
)
def test_what_has_no_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        encode(value)


def test_depth_and_size_are_bounded_before_anything_is_built() -> None:
    assert parse(b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, 100)
    for data in (
        b"[" * (MAX_DEPTH + 2),
        b'{"a":' * 100_000,
        b"[" * (MAX_DEPTH + 1) + b"1" + b"]" * (MAX_DEPTH + 1),
    ):
        with pytest.raises(TooDeep):
            parse(data, 10**6)
    assert parse(b'"' + b"[" * 500 + b'"', 600)  # brackets in a text are no depth
    with pytest.raises(TooLarge):
        parse(b"[]" * 100, 100)
    nested: Json = 1
    for _ in range(MAX_DEPTH + 2):
        nested = [nested]
    with pytest.raises(TooDeep):
        encode(nested)


def test_many_quotes_take_no_time() -> None:
    """Each byte is looked at once: with a careless pattern this takes minutes."""
    with pytest.raises(NotCanonical):
        parse(b'"' + b'\\"' * 500_000, 10**7)
