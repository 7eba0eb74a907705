"""Did anybody record? The noise is what it is said to be, masks cancel, homes can't be told apart."""

from collections import Counter
from dataclasses import replace
import math
from random import Random
from statistics import fmean

from hypothesis import given, settings, strategies as st
import pytest

from custom_components.ringwatch.neighborhood import availability
from custom_components.ringwatch.neighborhood.availability import (
    ALPHA,
    LIKELY,
    MODULUS,
    OptIn,
    Question,
    cell_of,
    cells_of,
    hours_of,
    is_likely,
    likely_probability,
    noise_share,
    noisy_count,
    opt_in,
    share_of,
)
from custom_components.ringwatch.neighborhood.geometry import area_m2
from custom_components.ringwatch.neighborhood.keys import PrivateKey
from custom_components.ringwatch.neighborhood.places import Place
from custom_components.ringwatch.neighborhood.violations import RecordViolation

from .agencies import around
from .street import CENTER, key

HOMES = [key(f"home {number}") for number in range(12)]
REQUEST = "ab" * 32
HOOD = "cd" * 32


def question(homes: list[PrivateKey] = HOMES, **changes: object) -> Question:
    """Return a question to a dozen homes."""
    roster = tuple(sorted((opt_in(home) for home in homes), key=lambda one: one.member))
    made = Question(HOOD, REQUEST, cells_of(around()), hours_of(7_200, 10_800), roster, 20_000)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_what_is_said_is_as_probable_as_is_told() -> None:
    told = {0: 0.005, 1: 0.013, 3: 0.099, 4: 0.269, 5: 0.731, 8: 0.987}
    assert {count: round(likely_probability(count), 3) for count in told} == told
    for count in range(20):  # one home changes the odds at most e times
        odds = [p / (1 - p) for p in (likely_probability(count), likely_probability(count + 1))]
        ratio = likely_probability(count + 1) / likely_probability(count)
        other = (1 - likely_probability(count)) / (1 - likely_probability(count + 1))
        assert max(ratio, other) <= math.e + 1e-9
        assert odds[1] > odds[0]


@pytest.mark.parametrize("homes", [10, 12, 40])
def test_shares_of_a_roster_add_up_to_two_sided_geometric_noise(homes: int) -> None:
    """Exactly: the distribution of a share, as often with itself as there are homes."""
    r, most = 1 / homes, 60
    polya = [
        math.gamma(k + r) / (math.factorial(k) * math.gamma(r)) * ALPHA**k * (1 - ALPHA) ** r
        for k in range(most)
    ]
    size = 2 * most + 1
    share = [0.0] * size
    for more, p in enumerate(polya):
        for less, q in enumerate(polya):
            share[most + more - less] += p * q
    total = [0.0] * size
    total[most] = 1.0
    for _ in range(homes):
        folded = [0.0] * size
        for at, p in enumerate(total):
            if p > 1e-14:
                for by, q in enumerate(share):
                    if q > 1e-14 and 0 <= at + by - most < size:
                        folded[at + by - most] += p * q
        total = folded
    for noise in range(-10, 11):
        wanted = (1 - ALPHA) / (1 + ALPHA) * ALPHA ** abs(noise)
        assert total[most + noise] == pytest.approx(wanted, abs=1e-6)


def test_the_shares_that_are_drawn_have_that_distribution() -> None:
    random = Random(7)
    runs = 6_000
    drawn = Counter(sum(noise_share(12, random) for _ in range(12)) for _ in range(runs))
    for noise in range(-4, 5):
        wanted = (1 - ALPHA) / (1 + ALPHA) * ALPHA ** abs(noise)
        spread = math.sqrt(wanted * (1 - wanted) / runs)
        assert abs(drawn[noise] / runs - wanted) < 4 * spread, noise
    assert abs(fmean(drawn.elements())) < 0.1


@pytest.mark.parametrize("recorded", [0, 1, 5, 12])
def test_masks_cancel_and_the_sum_is_the_noisy_count(recorded: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(availability, "noise_share", lambda homes, random: 0)
    asked = question()
    shares = [share_of(asked, home, at < recorded, Random(1)) for at, home in enumerate(HOMES)]
    assert noisy_count(shares) == recorded
    assert is_likely(shares) is (recorded >= LIKELY)


def test_without_one_home_the_sum_is_any_number() -> None:
    asked, random = question(), Random(2)
    shares = [share_of(asked, home, False, random) for home in HOMES]
    assert abs(noisy_count(shares)) < 60
    partial = [noisy_count(shares[:at] + shares[at + 1 :]) for at in range(12)]
    assert all(abs(one) > 2**40 for one in partial)  # a chance of 2**-20 to be nearer, for one of twelve


def test_what_a_home_sends_is_the_same_number_of_random_looking_bits() -> None:
    """A share tells nothing: with the same masks unknown, both bits give every number equally often."""
    asked = question()
    high = Counter()
    for at, home in enumerate(HOMES):
        for recorded in (False, True):
            for seed in range(20):
                share = share_of(asked, home, recorded, Random(seed))
                assert 0 <= share < MODULUS
            other = share_of(replace(asked, request=f"{at:064x}"), home, recorded, Random(1))
            high[other >= MODULUS // 2] += 1
    assert 3 <= high[True] <= 21


def test_a_share_fits_no_other_question() -> None:
    asked, random = question(), Random(3)
    for changed in (
        question(request="ba" * 32),
        question(cells=((1, 1),)),
        question(hours=(5,)),
        question(closes_s=1),
        question(neighborhood="ee" * 32),
    ):
        shares = [share_of(asked, home, False, random) for home in HOMES[:-1]]
        shares.append(share_of(changed, HOMES[-1], False, random))
        assert abs(noisy_count(shares)) > 2**32


def test_only_the_member_opts_in() -> None:
    honest = opt_in(HOMES[0])
    assert OptIn.parse(honest.to_json()) == honest
    for forged in (replace(honest, key=opt_in(HOMES[1]).key), replace(honest, member=HOMES[1].public)):
        with pytest.raises(RecordViolation):
            OptIn.parse(forged.to_json())


def test_a_question_is_read_as_it_was_written_and_no_other() -> None:
    asked = question()
    assert Question.parse(asked.to_json(), HOOD) == asked
    assert Question.parse(asked.to_json(), HOOD).digest == asked.digest
    for wrong in (
        question(roster=asked.roster[:9]),
        question(roster=tuple(reversed(asked.roster))),
        question(roster=(*asked.roster[:11], asked.roster[10])),
        question(cells=()),
        question(hours=()),
    ):
        with pytest.raises(RecordViolation):
            Question.parse(wrong.to_json(), HOOD)


def test_cells_are_fixed_and_a_tenth_of_a_square_kilometer() -> None:
    row, column = cell_of(CENTER)
    width = availability._width(row)
    corners = [
        Place((row + down) * availability.CELL_E6, (column + right) * width)
        for down, right in ((0, 0), (0, 1), (1, 1), (1, 0))
    ]
    assert 95_000 < area_m2(corners) < 105_000
    assert cells_of(around(half_m=500)) == cells_of(around(half_m=500))
    assert len(cells_of(around(half_m=500))) in range(6, 17)


@given(st.integers(10, 700), st.integers(-85, 85), st.integers(-179, 179))
@settings(max_examples=60)
def test_every_area_has_cells(half_m: int, lat: int, lon: int) -> None:
    cells = cells_of(around(Place(lat * 1_000_000 + 123, lon * 1_000_000 + 456), half_m))
    assert 1 <= len(cells) <= 400


def test_hours_are_whole_ones() -> None:
    assert hours_of(7_200, 10_800) == (2,)
    assert hours_of(7_199, 10_801) == (1, 2, 3)
    assert hours_of(7_200, 7_200) == (2,)
