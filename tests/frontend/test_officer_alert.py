"""An officer's alert in the neighbors' page."""

from dataclasses import replace
import time

from playwright.async_api import Browser

from ringwatch.neighborhood.bodies.agencies import (
    Agency,
    AgencyKind,
    FaceRecognition,
    Officer,
    OfficerAction,
    Sharing,
    sign_profile,
)
from ringwatch.neighborhood.bodies.feed import Alert
from ringwatch.neighborhood.places import Place
from script.lib.hub_client import Member, comment, join, post
from tests.neighborhood.agencies import RECIPIENT

from .conftest import MakeStreet
from .neighbors import invite_link, open_neighbor
from .test_page import say


async def test_an_officers_alert_is_shown_as_one(make_street: MakeStreet, browser: Browser) -> None:
    street = make_street()
    now_s = int(time.time())
    agency = Member(street.hub, neighborhood=street.id)
    corner = [Place(lat, lon) for lat, lon in ((0, 0), (0, 90_000_000), (80_000_000, 0))]
    told = Agency(
        "Elm Police",
        agency.key.public,
        RECIPIENT,
        "police.example.gov",
        AgencyKind.MUNICIPAL_POLICE,
        tuple(corner),
        90,
        Sharing.COURTS,
        FaceRecognition.NEVER,
        "",
        None,
        now_s,
    )
    say(street.host, sign_profile(agency.key, told))
    officer = Member(street.hub, neighborhood=street.id)
    say(agency, Officer(OfficerAction.CERTIFY, officer.key.public, "Sgt. Ray", now_s + 86_400))
    neighbor = await open_neighbor(browser)
    page = neighbor.page
    await neighbor.join(invite_link(street), "Robin")
    alert = Alert(replace(post(title="A missing child"), media=()), now_s + 3_600)
    item = say(officer, alert)
    shown = page.locator("rw-post", has_text="A missing child")
    await shown.wait_for()
    await shown.get_by_text("Elm Police").first.wait_for()
    await shown.get_by_text("Sgt. Ray").first.wait_for()
    await shown.get_by_text("Alert").first.wait_for()
    assert await shown.get_by_role("button", name="Flag").count() == 1
    say(join(street, "Ann"), comment(item))
    await shown.get_by_text("1 comment").first.wait_for()
    assert neighbor.complaints == []
