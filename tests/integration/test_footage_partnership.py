"""An agreement with an agency: read by everybody, counted in twenties, with a flyer that leads to it."""

from http import HTTPStatus
import io
from typing import Any

from PIL import Image
import pytest
from pytest_homeassistant_custom_component.typing import ClientSessionGenerator

from custom_components.ringwatch.neighborhood.bodies import Partnership
from custom_components.ringwatch.neighborhood.requests import read_partnerships
from homeassistant.core import HomeAssistant
from homeassistant.exceptions import HomeAssistantError
from tests.fixtures.asked import Street
from tests.fixtures.hood import async_call
from tests.fixtures.watching import async_until


async def test_an_agreement_has_a_code_a_flyer_and_totals_in_steps(
    hass: HomeAssistant, street: Street, hass_client_no_auth: ClientSessionGenerator
) -> None:
    agency, host = street.desk.agency.home, street.desk.host
    terms = "25 cameras. No footage is asked for in return."
    made = await agency.async_submit(Partnership(terms, "MAPLE25", 25, None))
    await async_until(lambda: agency.pending == 0, "the agreement is at the hub")
    await agency.async_ask(read_partnerships)
    while not await host.home.async_ask(read_partnerships):
        await hass.async_block_till_done()
    (agreement,) = (await async_call(hass, "get_agencies"))["partnerships"]
    assert (agreement["code"], agreement["terms"], agreement["cameras"]) == ("MAPLE25", terms, 25)
    flyer: dict[str, Any] = agreement["flyer"]
    assert flyer["link"] == f"{host.hub_url}/register/{host.home.config.neighborhood}"
    picture = await (await hass_client_no_auth()).get(flyer["picture_url"])
    assert picture.status == HTTPStatus.OK
    with Image.open(io.BytesIO(await picture.read())) as image:
        assert image.width == image.height > 100

    assert (await async_call(hass, "redeem_code", code=" maple25 "))["code"] == "MAPLE25"
    with pytest.raises(HomeAssistantError) as refused:
        await async_call(hass, "redeem_code", code="MAPLE25")
    assert refused.value.translation_key == "redeem_already_done"
    said = await async_call(hass, "update_partnership", partnership=made.id, cameras_given=3)
    assert (said["households"], said["cameras"]) == (0, 25)
