"""A clock that jumps: what a hub signs can't be taken back, and time erases."""

import json
import sqlite3
import time

import pytest

from ringwatch.hub.clock import AHEAD_S, DOWN_S, SETTLING_S, ClockGuard
from ringwatch.neighborhood.limits import DAY_S
from script.lib.hub_client import Street, join, post

from .conftest import MakeStreet

NOW_S = 1_800_000_000.0


class Machine:
    """A clock that can be set, and how long the machine has run."""

    def __init__(self, now_s: float = NOW_S) -> None:
        self.now_s = now_s
        self.ran_s = 50.0

    def run(self, seconds: float) -> None:
        self.now_s += seconds
        self.ran_s += seconds

    def guard(self, signed_s: float) -> ClockGuard:
        return ClockGuard(signed_s, lambda: self.now_s, lambda: self.ran_s)


def held(guard: ClockGuard) -> bool:
    guard.now_s()
    return guard.is_held


def test_a_clock_that_runs_is_believed() -> None:
    machine = Machine()
    guard = machine.guard(NOW_S - 60)
    for _ in range(1_000):
        machine.run(3_000)
        assert not held(guard)


@pytest.mark.parametrize("ahead_s", [AHEAD_S + 60, DOWN_S, 365 * DAY_S])
def test_a_jump_while_it_runs_is_not_followed(ahead_s: float) -> None:
    machine = Machine()
    guard = machine.guard(NOW_S - 60)
    assert not held(guard)
    machine.run(SETTLING_S + 1)
    assert not held(guard)
    machine.now_s += ahead_s
    assert held(guard)
    machine.run(3_600)
    assert held(guard)
    machine.now_s -= ahead_s  # set right again
    assert not held(guard)


def test_a_weekend_without_power_is_believed_and_a_holiday_is_asked_about() -> None:
    assert not held(Machine().guard(NOW_S - DOWN_S + 60))
    assert held(Machine().guard(NOW_S - DOWN_S - 60))
    assert not held(Machine().guard(0))  # nothing was ever signed


def test_a_clock_without_a_battery_is_set_late() -> None:
    """A Raspberry Pi starts with the time of its last shutdown, or with 1970; the network sets it."""
    for wrong_s in (0.0, NOW_S - DAY_S):
        machine = Machine(wrong_s)
        guard = machine.guard(NOW_S - DAY_S)
        machine.run(300)
        assert not held(guard)
        machine.now_s = NOW_S
        assert not held(guard)
    machine = Machine(0.0)
    guard = machine.guard(NOW_S - DAY_S)
    machine.run(2 * DAY_S)  # without a network
    assert not held(guard)
    machine.now_s = NOW_S + 2 * DAY_S
    assert not held(guard)


def test_small_steps_at_the_start_come_to_no_large_one() -> None:
    machine = Machine()
    guard = machine.guard(NOW_S)
    steps = 0
    for _ in range(20):
        machine.run(1)
        machine.now_s += DAY_S
        if held(guard):
            break
        steps += 1
    assert steps <= 3


def test_other_members_settle_it_and_need_to_be_different_ones() -> None:
    machine = Machine()
    guard = machine.guard(NOW_S - 20 * DAY_S)
    assert held(guard)
    guard.hear("robin", NOW_S - 20 * DAY_S, 5)  # says that it is still then
    guard.hear("wren", NOW_S - 20 * DAY_S, 5)
    guard.hear("robin", NOW_S - 30, 5)
    guard.hear("robin", NOW_S + 30, 5)
    assert held(guard)
    guard.hear("wren", NOW_S + 30, 5)
    assert not held(guard)
    machine.run(86_400)
    assert not held(guard)


def test_what_was_heard_of_one_jump_says_nothing_of_the_next() -> None:
    machine = Machine()
    guard = machine.guard(NOW_S - 20 * DAY_S)
    assert held(guard)
    guard.hear("robin", machine.now_s, 5)
    machine.now_s += 90 * DAY_S
    assert held(guard)
    guard.hear("wren", machine.now_s, 5)
    assert held(guard)


def rewind(street: Street, seconds: int) -> None:
    """Have the hub's last signature be so long ago."""
    db = sqlite3.connect(street.hub.data / street.id / "hub.db")
    with db:
        [value] = db.execute("SELECT value FROM state WHERE tbl = 'meta' AND key = 'position'").fetchone()
        number, head, time_s = json.loads(value)
        db.execute(
            "UPDATE state SET value = ? WHERE tbl = 'meta' AND key = 'position'",
            (json.dumps([number, head, time_s - seconds]),),
        )
    db.close()


def test_after_weeks_a_hub_serves_and_waits_until_its_clock_is_confirmed(make_street: MakeStreet) -> None:
    street = make_street()
    robin, wren = join(street, "Robin"), join(street, "Wren")
    assert street.host.post(post("Before")).status == 201
    [before] = [street.host.call("GET", "/records?after=3").headers["Ringwatch-Checkpoint"]]
    street.hub.stop()
    rewind(street, 20 * DAY_S)
    street.hub.start()
    clock = street.host.call("GET", "/clock").json
    assert clock["held"]
    assert clock["time"] - clock["signed"] >= 20 * DAY_S - 60
    assert street.hub.request("GET", "/health").json["status"] == "clock"
    # reading goes on, nothing is signed; the host's own calls prove nothing
    for _ in range(3):
        answer = street.host.call("GET", "/records?after=3")
        assert answer.status == 200
        number, head, time_s, _ = answer.headers["Ringwatch-Checkpoint"].split()
        assert [number, head] == before.split()[:2]
        assert int(time_s) == clock["signed"]
    refused = street.host.post(post("Waits"))
    assert (refused.status, refused.code) == (503, "clock")
    assert int(refused.headers["Retry-After"]) > 0
    # a home whose clock says that no time has passed is let in, too, and settles nothing
    robin.clock_offset_s = -19 * DAY_S
    assert robin.call("GET", "/records?after=3").status == 200
    assert street.host.call("GET", "/clock").json["held"]
    robin.clock_offset_s = 0
    assert robin.call("GET", "/records?after=3").status == 200
    assert street.host.call("GET", "/clock").json["held"]
    assert wren.call("GET", "/records?after=3").status == 200
    assert not street.host.call("GET", "/clock").json["held"]
    assert street.hub.request("GET", "/health").json["status"] == "ok"
    assert street.host.post(post("Goes")).status == 201
    assert '"event": "clock"' in street.hub.log.read_text()


def test_the_host_confirms_what_was_seen(make_street: MakeStreet) -> None:
    street = make_street()
    robin = join(street, "Robin")
    street.hub.stop()
    rewind(street, 20 * DAY_S)
    street.hub.start()
    now_s = int(time.time())
    differs = street.host.call("POST", "/clock", {"time": now_s - DAY_S})
    assert (differs.status, differs.code) == (409, "clock_differs")
    confirmed = street.host.call("POST", "/clock", {"time": now_s})
    assert (confirmed.status, confirmed.json["held"]) == (200, False)
    assert street.host.post(post("Goes")).status == 201
    assert robin.call("POST", "/clock", {"time": now_s}).code == "host_only"
