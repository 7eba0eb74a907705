"""Did anybody record? Twelve homes, a real hub: what comes out, and that nothing tells of any one of them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from ringwatch.hub import availability as rounds
from ringwatch.neighborhood import availability
from ringwatch.neighborhood.bodies import Close, Leave
from ringwatch.neighborhood.bodies.requests import Outcome
from ringwatch.neighborhood.places import Place
from script.lib.hub_agency import HOUR_S
from script.lib.hub_client import CENTER

from .asking import ANSWER_S, DAY_S, Town

type MakeTown = Callable[..., Awaitable[Town]]


@pytest.fixture
async def make_town(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[MakeTown]:
    """Return a way to make neighborhoods."""
    towns: list[Town] = []

    async def make(homes: int = 12, *, on: bool = True) -> Town:
        towns.append(Town(tmp_path / f"town{len(towns)}", monkeypatch))
        return await towns[-1].open(homes, on=on)

    yield make
    for town in towns:
        await town.close()


@pytest.fixture
def no_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the noise out: what is left is exact."""
    monkeypatch.setattr(availability, "noise_share", lambda homes, random: 0)


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize(("having", "answer"), [(0, "not_enough"), (4, "not_enough"), (5, "likely")])
async def test_twelve_homes_answer_together(make_town: MakeTown, having: int, answer: str) -> None:
    town = await make_town()
    homes = await town.all_homes(range(having))
    asked = await town.ask()
    await town.play()
    assert len(town.dump()["shares"]) == 12
    await town.tick()
    assert await town.answer(asked) is None
    await town.tick(ANSWER_S // 2)
    assert await town.answer(asked) == answer
    row = await town.until(homes[0], lambda row: row.answer, asked)
    assert row.answer == answer
    held = town.dump()
    assert not held["shares"]
    assert [(row[0], row[4], row[6], row[7]) for row in held["rounds"]] == [(asked, None, answer, 1)]
    assert all(one.noted == [asked] for one in homes)


@pytest.mark.usefixtures("no_noise")
async def test_one_home_that_says_nothing_leaves_no_answer(make_town: MakeTown) -> None:
    town = await make_town()
    await town.all_homes(range(12))
    asked = await town.ask()
    await town.play(but={"home 7"})
    assert len(town.dump()["shares"]) == 11
    await town.tick(ANSWER_S // 2)
    assert await town.answer(asked) == "not_enough"


@pytest.mark.usefixtures("no_noise")
@pytest.mark.parametrize("why", ["nine", "late", "young", "off", "gone"])
async def test_whom_nobody_asks_is_answered_at_the_same_time_with_the_same_words(
    make_town: MakeTown, why: str
) -> None:
    """Nine take part; a tenth only after the release, or not here for a month, or left; the host's switch."""
    town = await make_town(9 if why == "young" else 10, on=why != "off")
    if why == "young":
        await town.join("home 9")
        town.now_s += 29 * DAY_S
    await town.consent(*(f"home {number}" for number in range(9 if why in {"nine", "late"} else 10)))
    if why == "gone":
        await town.say(town.members["home 9"], Leave())
    asked = await town.ask()
    if why == "late":
        await town.consent("home 9")
    assert await town.answer_all(asked) == 0
    [row] = town.dump()["rounds"]
    assert row[4] is None  # nobody is on its roster
    await town.tick(ANSWER_S - 61 if why == "late" else ANSWER_S - 1)
    assert await town.answer(asked) is None
    await town.tick(1)
    assert await town.answer(asked) == "not_enough"


@pytest.mark.usefixtures("no_noise")
async def test_ten_are_enough(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    assert await town.answer_all(asked) == 10
    await town.tick(ANSWER_S)
    assert await town.answer(asked) == "likely"


@pytest.mark.parametrize(
    "lie",
    [
        "cells = '[[1, 1]]'",
        "hours = '[1]'",
        f"closes_s = closes_s + {3 * DAY_S}",
        "roster = json_replace(roster, '$[0].key', json_extract(roster, '$[1].key'))",
        "roster = json_remove(roster, '$[0]')",
    ],
)
async def test_a_hub_that_lies_is_sent_nothing(make_town: MakeTown, lie: str) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.tick()
    await town.hood.writer.do(lambda db: db.execute(f"UPDATE rounds SET {lie}").rowcount)  # noqa: S608
    one = await town.home("home 3", has=True)
    await town.until(one, lambda row: row.known and row.released_s is not None, asked)
    await one.turn()
    town.now_s += 2
    await one.turn()
    town.now_s += ANSWER_S // 2
    await one.turn()
    made = [call.method for call in town.seen if "/availability" in call.path]
    assert made.count("GET") >= 1
    assert "POST" not in made
    assert not await one.store.async_asked()


async def test_a_share_that_got_lost_is_sent_again_as_it_was(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.tick()
    one = await town.home("home 3", has=True)
    await town.until(one, lambda row: row.known and row.released_s is not None, asked)
    town.now_s += 2
    await one.turn()
    town.now_s += 2
    await one.turn()
    town.now_s += ANSWER_S // 2
    [made] = await one.store.async_asked()
    await one.turn()
    await one.store.async_over("nothing")
    path = town.folder / "home 3" / "asking.json"
    assert made.share is not None
    path.write_text(path.read_text().replace('"share": null', f'"share": "{made.share}"'))
    again = await town.home("home 3 again", who="home 3", folder="home 3", has=False, seed=99)
    await again.turn()
    bodies = [call.body for call in town.seen if call.method == "POST" and "/availability/" in call.path]
    assert bodies == [f'{{"share":"{made.share}"}}'.encode()] * 2


@pytest.mark.parametrize("has", [False, True])
async def test_looking_for_clips_takes_as_long_with_and_without_footage(
    make_town: MakeTown, has: bool
) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.tick()
    one = await town.home("home 3", has=has, steady_s=1.0, looks_s=0.9)
    await town.until(one, lambda row: row.known and row.released_s is not None, asked)
    await one.turn()
    assert len(await one.store.async_asked()) == 1
    assert 1.0 <= one.made - one.looked < 1.8  # not 0.9 s more with footage


async def test_a_home_that_takes_no_part_makes_no_traffic(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    await town.ask()
    await town.tick()
    one = await town.home("home 3", has=True)
    seen = len(town.seen)
    for _ in range(3):
        assert await one.turn(takes_part=False) is None
        town.now_s += HOUR_S
    assert not [call for call in town.seen[seen:] if "/availability" in call.path]
    assert not (town.folder / "home 3" / "asking.json").exists()
    # Once it took part, it says once that it doesn't any more
    await one.turn()
    await one.turn(takes_part=False)
    await one.turn(takes_part=False)
    made = [call.method for call in town.seen[seen:] if "/availability" in call.path]
    assert made.count("DELETE") == 1
    assert town.members["home 3"].key.public not in {row[1] for row in town.dump()["consents"]}


@pytest.mark.usefixtures("no_noise")
async def test_the_same_place_and_time_is_asked_about_once(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    first = await town.ask()
    assert await town.answer_all(first) == 10
    await town.tick(ANSWER_S)
    assert await town.answer(first) == "likely"
    again = await town.ask(ended_s=HOUR_S + ANSWER_S)  # about the same hours
    assert await town.answer_all(again) == 0
    await town.tick(ANSWER_S)
    assert await town.answer(again) == "not_enough"
    elsewhere = tuple(Place(corner.lat_e6 + 9_000, corner.lon_e6) for corner in square())
    for asked in (await town.ask(), await town.ask(ended_s=HOUR_S + 3 * ANSWER_S, area=elsewhere)):
        assert await town.answer_all(asked) == 10


@pytest.mark.usefixtures("no_noise")
async def test_a_home_is_asked_four_times_in_a_month(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked_of = []
    for _ in range(5):
        asked = await town.ask()
        asked_of.append(await town.answer_all(asked))
        await town.tick(DAY_S)
        await town.say(town.officer, Close(asked, Outcome.UNSOLVED))
    assert asked_of == [10, 10, 10, 10, 0]
    assert await town.answer(asked) == "not_enough"
    town.now_s += 30 * DAY_S
    asked = await town.ask()
    assert await town.answer_all(asked) == 10


async def test_two_rounds_that_end_together_count_twice(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    first = await town.ask()
    second = await town.ask(ended_s=3 * HOUR_S)
    assert await town.answer_all(first) == await town.answer_all(second) == 10
    assert {row[2] for row in town.dump()["turns"]} == {2}


async def test_which_homes_recorded_changes_nothing_but_numbers_that_mask_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All else is fixed, noise and masks too: six homes have footage, then the other six."""
    held, bytes_held, calls, shares, times = [], [], [], [], []
    for number, having in enumerate((range(6), range(6, 12))):
        town = await Town(tmp_path / str(number), monkeypatch).open()
        homes = await town.all_homes(having)
        await town.ask()
        since = len(town.seen)
        await town.play()
        made = [one for one in town.seen[since:] if "/availability" in one.path]
        calls.append([(one.time_s, one.who, one.method, one.path, one.names, len(one.body)) for one in made])
        # the time's digits and the port's are all that a header may differ in
        assert len({one.size for one in made if one.method == "POST"}) == 1
        assert {len(one.body) for one in made if one.method == "POST"} == {
            len(b'{"share":"0123456789abcdef"}')
        }
        times.append([(one.made_s, one.send_s) for each in homes for one in await each.store.async_asked()])
        dumped = town.dump()
        shares.append({member: int(share, 16) for _, member, share in dumped.pop("shares")})
        held.append(dumped)
        bytes_held.append(town.bytes_held())
        order = [town.members[f"home {at}"].key.public for at in range(12)]
        await town.tick(ANSWER_S // 2)
        assert not town.dump()["shares"]
        for share in shares[-1].values():  # erased from the files too
            assert f"{share:016x}".encode() not in town.bytes_held()
        await town.close()
    assert held[0] == held[1]
    assert calls[0] == calls[1]
    assert times[0] == times[1]
    assert len(bytes_held[0]) == len(bytes_held[1])
    # With the same noise and masks a share differs by the bit alone; the sum of all is the same
    changed = [(shares[0][who] - shares[1][who]) % availability.MODULUS for who in order]
    assert changed == [1] * 6 + [availability.MODULUS - 1] * 6
    assert sum(shares[0].values()) % availability.MODULUS == sum(shares[1].values()) % availability.MODULUS
    assert all(share > 2**32 for share in shares[0].values())


async def test_a_share_is_final_and_only_the_rosters(make_town: MakeTown) -> None:
    town = await make_town()
    homes = await town.all_homes()
    asked = await town.ask()
    await town.join("newcomer")
    stranger = await town.home("newcomer")
    await town.play()
    client = homes[0].asker._client
    exported = await town.hood.read(lambda db: list(rounds.held(db, None, asked)))
    assert [len(one["shares"]) for one in exported] == [12]
    of_one = await town.hood.read(lambda db: list(rounds.held(db, stranger.name, None)))
    assert of_one == []
    [sent] = [row[2] for row in town.dump()["shares"] if row[1] == homes[0].home.public_key]
    await client.post(f"/availability/{asked}", {"share": sent})
    assert await refusal(client.post(f"/availability/{asked}", {"share": "0" * 16})) == "already_done"
    assert await refusal(client.post(f"/availability/{'0' * 64}", {"share": sent})) == "not_found"
    assert await refusal(client.post(f"/availability/{asked}", {"share": sent.upper() + "0"})) == "bad_field"
    other = stranger.asker._client
    assert await refusal(other.post(f"/availability/{asked}", {"share": sent})) == "not_found"
    assert (await other.get("/availability")).json() == {"questions": []}
    assert await refusal(client.get("/availability/settings")) == "host_only"
    town.now_s += ANSWER_S // 2
    assert await refusal(client.post(f"/availability/{asked}", {"share": sent})) == "too_late"
    await town.tick()  # there is nothing any more that it could belong to
    assert await refusal(client.post(f"/availability/{asked}", {"share": sent})) == "not_found"


async def refusal(call: Awaitable[object]) -> str | None:
    """Return how a hub refuses a call."""
    from ringwatch.neighborhood.hub_client import HubError

    with pytest.raises(HubError) as caught:
        await call
    return caught.value.violation


async def test_a_hub_that_was_killed_between_sum_and_answer_tells_it_after(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.answer_all(asked)
    settle = "UPDATE rounds SET answer = 'likely', roster = NULL"
    await town.hood.writer.do(lambda db: db.execute(settle).rowcount)
    await town.tick()
    assert await town.answer(asked) == "likely"
    await town.hood.writer.do(lambda db: db.execute("UPDATE rounds SET told = 0").rowcount)
    await town.tick()  # told already, and noted as told
    assert town.dump()["rounds"][0][7] == 1


async def test_a_request_that_is_over_before_gets_no_answer(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.answer_all(asked)
    await town.say(town.officer, Close(asked, Outcome.SOLVED))
    await town.tick(ANSWER_S)
    assert await town.answer(asked) is None
    assert not town.dump()["shares"]


async def test_a_hub_that_was_away_asks_nobody_at_the_last_moment(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.tick(ANSWER_S // 2)
    assert town.dump()["rounds"][0][4] is None
    await town.tick(ANSWER_S // 2)
    assert await town.answer(asked) == "not_enough"


async def test_old_rounds_are_forgotten(make_town: MakeTown) -> None:
    town = await make_town(10)
    await town.consent()
    asked = await town.ask()
    await town.answer_all(asked)
    await town.tick(ANSWER_S)
    assert len(town.dump()["turns"]) == 10
    await town.tick(31 * DAY_S)
    other = await town.ask()
    await town.tick()
    assert {row[0] for row in town.dump()["rounds"]} == {asked, other}
    await town.tick(32 * DAY_S)
    assert asked not in {row[0] for row in town.dump()["rounds"]}


def square() -> list[Place]:
    """Return an area in the middle."""
    corners = ((-1, -1), (1, -1), (1, 1), (-1, 1))
    return [Place(CENTER.lat_e6 + north * 1_800, CENTER.lon_e6 + east * 1_800) for north, east in corners]
