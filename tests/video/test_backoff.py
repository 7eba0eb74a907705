"""Waits before a source is opened again."""

from random import Random

from hypothesis import given, strategies as st

from custom_components.ringwatch.video import Backoff


@given(st.integers())
def test_waits_grow_with_jitter_from_1_s_to_60_s(seed: int) -> None:
    backoff = Backoff(Random(seed))
    waits = [backoff.next_s() for _ in range(20)]
    assert all(1.0 <= wait <= 60.0 for wait in waits)
    assert waits[0] == 1.0
    assert all(wait >= 30.0 for wait in waits[6:])
    assert len(set(waits[6:])) > 1
    backoff.reset()
    assert backoff.next_s() == 1.0


def test_two_cameras_do_not_keep_step() -> None:
    first, second = Backoff(Random(1)), Backoff(Random(2))
    assert [first.next_s() for _ in range(9)][1:] != [second.next_s() for _ in range(9)][1:]
