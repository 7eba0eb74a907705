"""The power of a real disk is cut while a process records on it; more often by hand: script.lib.power_cut."""

import pytest

from script.lib import power_cut


def test_after_a_power_cut_every_clip_is_there_and_plays(capsys: pytest.CaptureFixture[str]) -> None:
    try:
        cuts = power_cut.main(5, seconds=12.0)
    except power_cut.MountError as error:
        pytest.skip(str(error))
    assert len(cuts) == 10
    assert max(found.told for found in cuts) > 0  # what was announced is checked in there
    assert sum(found.unfinished for found in cuts) > 0
    assert max(found.lost_s for found in cuts) < 0.2
    assert (
        max(found.missing_s for found in cuts) < 5.0
    )  # 2.5 s at most was measured; the tests' machine is busy
