"""Whether the machine keeps up, told from packets' time stamps and a clock."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.pressure import LATE_S, WINDOW_S, WINDOWS_BEHIND, Pressure
from custom_components.ringwatch.video import MediaPacket

FPS = 10
GOP = 20


def packets(start: int, count: int) -> Iterator[MediaPacket]:
    """Yield video packets of a stream of 10 frames a second with a key frame every 2 s."""
    for number in range(start, start + count):
        yield cast(MediaPacket, SimpleNamespace(time_s=number / FPS, is_key=number % GOP == 0))


class Machine:
    """Takes `cost_s` for each packet, and none for those it is told to drop."""

    def __init__(self, pressure: Pressure) -> None:
        self.pressure = pressure
        self.clock_s = 1000.0
        self.number = 0
        self.waits_for_key = False
        self.looked_at = 0
        self.latest_s = 0.0
        self.changes: list[bool] = []

    def work(self, seconds: float, cost_s: float) -> None:
        for packet in packets(self.number, round(seconds * FPS)):
            self.number += 1
            self.clock_s = max(self.clock_s, 1000.0 + packet.time_s)
            if self.pressure.too_late(packet, self.clock_s):
                self.waits_for_key = True
            elif packet.is_key:
                self.waits_for_key = False
            if not self.waits_for_key:
                self.looked_at += 1
                self.clock_s += cost_s
            self.latest_s = max(self.latest_s, self.clock_s - 1000.0 - packet.time_s)
            if (change := self.pressure.changed()) is not None:
                self.changes.append(change)


def test_a_machine_that_keeps_up_drops_nothing() -> None:
    pressure = Pressure()
    machine = Machine(pressure)
    machine.work(600, 0.9 / FPS)
    assert machine.looked_at == 600 * FPS
    assert pressure.dropped == 0
    assert not machine.changes


def test_a_machine_of_half_the_speed_drops_half_is_never_far_behind_and_says_so_once() -> None:
    pressure = Pressure()
    machine = Machine(pressure)
    machine.work(WINDOW_S * WINDOWS_BEHIND - 1, 2.0 / FPS)
    assert not machine.changes
    machine.work(WINDOW_S * 5, 2.0 / FPS)
    assert machine.changes == [True]
    assert pressure.dropped == pytest.approx(0.5, abs=0.15)
    assert machine.latest_s < LATE_S + 2 * GOP / FPS


def test_it_keeps_up_again() -> None:
    pressure = Pressure()
    machine = Machine(pressure)
    machine.work(WINDOW_S * (WINDOWS_BEHIND + 1), 2.0 / FPS)
    machine.work(WINDOW_S * 3, 0.1 / FPS)
    assert machine.changes == [True, False]
    assert pressure.dropped == 0


def test_a_burst_of_other_work_is_no_lack_of_speed() -> None:
    machine = Machine(Pressure())
    for _ in range(10):
        machine.work(2 * WINDOW_S, 0.5 / FPS)
        machine.work(WINDOW_S / 2, 3.0 / FPS)
    assert not machine.changes


@pytest.mark.parametrize("drift", [0.9995, 1.0005])
def test_a_camera_whose_clock_is_wrong_is_not_behind(drift: float) -> None:
    pressure = Pressure()
    for packet in packets(0, 12 * 3600 * FPS // 10):
        seconds = packet.time_s * 10
        stamped = cast(MediaPacket, SimpleNamespace(time_s=seconds * drift, is_key=True))
        assert not pressure.too_late(stamped, 50.0 + seconds)


def test_a_burst_at_the_beginning_is_not_behind() -> None:
    """Cameras and bridges send what they have since the last key frame at once."""
    pressure = Pressure()
    for packet in packets(0, 40):
        assert not pressure.too_late(packet, 7.0)
    for packet in packets(40, 200):
        assert not pressure.too_late(packet, 7.0 + packet.time_s - 3.9)


def test_after_a_new_connection_the_clocks_are_compared_anew() -> None:
    pressure = Pressure()
    for packet in packets(0, 100):
        pressure.too_late(packet, packet.time_s)
    pressure.restart()
    for packet in packets(0, 100):
        assert not pressure.too_late(packet, 500 + packet.time_s)


@given(st.lists(st.floats(0.01, 4.0), min_size=1, max_size=12))
@settings(max_examples=30, deadline=None)
def test_however_slow_it_is_the_delay_is_bounded(costs: list[float]) -> None:
    machine = Machine(Pressure())
    for cost in costs:
        machine.work(20, cost / FPS)
    assert machine.latest_s < LATE_S + 2 * GOP / FPS + 4.0
