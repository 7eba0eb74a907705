"""Every error that a flow can come to has a sentence, also those that no test can bring about."""

import pytest

from custom_components.ringwatch import repairs, video
from custom_components.ringwatch.vision import zones
from tests.fixtures.translations import TRANSLATIONS

SOURCE_CODES = {error.code for error in video.SourceError.__subclasses__()} | {video.SourceError.code}
CAMERA = TRANSLATIONS["config_subentries"]["camera"]
REPAIR = TRANSLATIONS["issues"]["credentials"]["fix_flow"]


@pytest.mark.parametrize("code", sorted(SOURCE_CODES))
def test_every_way_a_source_can_fail_is_translated(code: str) -> None:
    assert CAMERA["error"][code] == REPAIR["error"][code]


@pytest.mark.parametrize("code", sorted(zones._SENTENCES))
def test_every_way_a_zone_can_be_wrong_is_translated(code: str) -> None:
    assert CAMERA["error"][f"zone_{code}"]


def test_every_brand_is_translated() -> None:
    assert set(TRANSLATIONS["selector"]["brand"]["options"]) == {brand.key for brand in video.BRANDS}


def test_both_previews_say_the_same_but_for_the_recommendation() -> None:
    preview, large = CAMERA["step"]["preview"], CAMERA["step"]["preview_large"]
    assert large["description"].startswith(preview["description"])
    assert {**preview, "description": ""} == {**large, "description": ""}


def test_the_credentials_issue_names_the_camera() -> None:
    assert "{name}" in TRANSLATIONS["issues"][repairs.ISSUE_CREDENTIALS]["title"]
