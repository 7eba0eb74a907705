"""Bodies: what is written reads back, and everything else is refused."""

from dataclasses import replace
from typing import Any

from hypothesis import given, strategies as st
import pytest

from custom_components.ringwatch.neighborhood.bodies import (
    Alert,
    Appeal,
    Availability,
    Body,
    Close,
    Comment,
    Extension,
    Flag,
    FootageRequest,
    Leave,
    LegalDemand,
    Moderation,
    Officer,
    PartnershipCount,
    Post,
    Reminder,
    Remove,
    Role,
    Settle,
    Thanks,
    Withdraw,
    parse_body,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.agencies import (
    DemandKind,
    OfficerAction,
    Sharing,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.care import Action, FlagReason
from custom_components.ringwatch.neighborhood.bodies.feed import Category, Media, MediaType, Span
from custom_components.ringwatch.neighborhood.bodies.people import RoleName
from custom_components.ringwatch.neighborhood.bodies.requests import Answer, IncidentKind, Outcome
from custom_components.ringwatch.neighborhood.canonical import Json, encode, parse
from custom_components.ringwatch.neighborhood.certificates import Replaced
from custom_components.ringwatch.neighborhood.invites import (
    create_invite,
    join_body,
    replace_body,
    rotate_body,
)
from custom_components.ringwatch.neighborhood.types import Type
from custom_components.ringwatch.neighborhood.violations import BadField, BadText, NotSnapped, RecordViolation

from .agencies import RECIPIENT, around, details, partnership, profile
from .street import CENTER, CLIP, HUB, NOON_S, PICTURE, URL, founding, key, seed

ID = seed("id").hex()
POST = Post(
    Category.CRIME, "Bike gone", "A red one.\nSorry.", CENTER, Span(NOON_S - 60, NOON_S), (CLIP, PICTURE)
)
INVITE = create_invite(
    key("host"), neighborhood=ID, hub_key=HUB.public, url=URL, now_s=NOON_S, seed=seed("i")
)
REPLACING = create_invite(
    key("host"),
    neighborhood=ID,
    hub_key=HUB.public,
    url=URL,
    now_s=NOON_S,
    seed=seed("i"),
    replaces=Replaced(ID, ID),
)
AGENCY = profile()
ASKING = FootageRequest(
    ID, around(), Span(NOON_S - 3_600, NOON_S), IncidentKind.ARSON, 90, Sharing.COURTS, availability=False
)
BODIES: list[Body] = [
    founding(),
    join_body(INVITE, key("ann"), "Ann"),
    replace_body(REPLACING, key("ann")),
    rotate_body(key("new"), key("ann").public, ID),
    Remove(ID, ID, "Spam."),
    Settle(ID, ID),
    Leave(),
    Role(ID, RoleName.MODERATOR),
    POST,
    replace(POST, place=None, media=(), text=""),
    Alert(POST, NOON_S + 3_600),
    Comment(ID, "Mine too."),
    Thanks(ID),
    Withdraw(ID),
    Flag(ID, FlagReason.PRIVACY, ""),
    Moderation(ID, Action.REMOVE, "A face."),
    Appeal(ID, "It is my own."),
    AGENCY,
    replace(AGENCY, replaces=ID),
    Officer(OfficerAction.CERTIFY, key("officer").public, "Badge 12", NOON_S),
    LegalDemand(DemandKind.WARRANT, "County court", NOON_S, "A list of members.", "All members."),
    details(),
    details(description=""),
    ASKING,
    replace(ASKING, availability=True),
    Extension(ID),
    Reminder(ID),
    Close(ID, Outcome.SOLVED),
    Availability(ID, Answer.LIKELY),
    partnership(),
    partnership(replaces=ID),
    PartnershipCount(ID, 40, 27),
]


def paths(value: Json, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for name, inner in inside for path in paths(inner, (*at, name)))]


def put(value: Json, path: tuple[Any, ...], new: Json) -> Json:
    if not path:
        return new
    copy: Any = dict(value) if isinstance(value, dict) else list(value)  # type: ignore[arg-type]
    copy[path[0]] = put(copy[path[0]], path[1:], new)
    return copy


def test_there_is_a_body_of_every_type() -> None:
    assert {body.TYPE for body in BODIES} == set(Type)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_body_reads_back(body: Body) -> None:
    written = parse(encode(body.to_json()), 32_768)
    assert parse_body(body.TYPE, written) == body


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_field_more_or_less_is_refused(body: Body) -> None:
    written = body.to_json()
    with pytest.raises(BadField):
        parse_body(body.TYPE, written | {"x": 1})
    for name in written:
        with pytest.raises(BadField):
            parse_body(body.TYPE, {field: value for field, value in written.items() if field != name})


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_field_has_its_type(body: Body) -> None:
    written = body.to_json()
    for path in paths(written):
        for wrong in ({"x": []}, True, [[]], -1, 2**52, "\u202e", "x" * 9_999):
            if (
                wrong == -1
                and path[-1:] in {("lat_e6",), ("lon_e6",)}
                and {"jurisdiction", "area"} & set(path)
            ):
                continue  # a corner may be anywhere
            if wrong is True and path == ("availability",):
                continue
            with pytest.raises(RecordViolation):
                parse_body(body.TYPE, put(written, path, wrong))


@given(st.sampled_from(Type), st.sampled_from(BODIES), st.data())
def test_nothing_but_a_violation_comes_of_any_value(type_: Type, body: Body, data: st.DataObject) -> None:
    written: Json = dict(body.to_json())
    path = data.draw(st.sampled_from(paths(written)))
    leaves = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=70)
    values = st.recursive(leaves, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner))
    changed = put(written, path, data.draw(values))
    try:
        found = parse_body(type_, changed)
    except RecordViolation:
        return
    assert found.to_json() == changed


def refuse(body: Body, path: tuple[Any, ...], value: Json, kind: type[RecordViolation] = BadField) -> None:
    with pytest.raises(kind):
        parse_body(body.TYPE, put(dict(body.to_json()), path, value))


def test_places_are_on_the_grid_and_nowhere_else() -> None:
    refuse(POST, ("place", "lat_e6"), CENTER.lat_e6 + 1, NotSnapped)
    refuse(founding(), ("center", "lon_e6"), CENTER.lon_e6 - 1, NotSnapped)
    refuse(POST, ("place",), {"lat_e6": 33.3, "lon_e6": 1})  # type: ignore[dict-item]
    refuse(POST, ("place", "lat_e6"), 89_500_000)


def test_a_post_has_five_media_at_most_each_once() -> None:
    media: list[Json] = [replace(CLIP, sha256=seed(str(at)).hex()).to_json() for at in range(6)]
    refuse(POST, ("media",), media)
    refuse(POST, ("media",), [media[0], media[0]])
    parse_body(Type.POST, put(dict(POST.to_json()), ("media",), media[:5]))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("sha256", "../../../../etc/passwd"),
        ("sha256", "AB" * 32),
        ("size", 0),
        ("size", 100 * 1024 * 1024 + 1),
        ("type", "video/webm"),
        ("duration_ms", 0),
        ("duration_ms", 600_001),
        ("width", 8_193),
        ("height", 0),
    ],
)
def test_a_clip_is_bounded(field: str, value: Json) -> None:
    refuse(POST, ("media", 0, field), value)


def test_a_picture_has_no_duration() -> None:
    assert Media.parse(PICTURE.to_json()).type is MediaType.JPEG
    refuse(POST, ("media", 1, "duration_ms"), 1)
    refuse(POST, ("media", 1, "size"), 8 * 1024 * 1024 + 1)


def test_texts_are_bounded() -> None:
    for field, longest in (("title", 120), ("text", 4_000)):
        parse_body(Type.POST, put(dict(POST.to_json()), (field,), "x" * longest))
        refuse(POST, (field,), "x" * (longest + 1), BadText)
    refuse(POST, ("title",), "", BadText)
    refuse(POST, ("title",), "a\nb", BadText)
    refuse(Comment(ID, "x"), ("text",), "", BadText)
    refuse(Moderation(ID, Action.REMOVE, "x"), ("reason",), "", BadText)
    assert Moderation.parse(Moderation(ID, Action.RESTORE, "").to_json()).reason == ""


def test_there_is_no_category_for_suspicious_persons() -> None:
    refuse(POST, ("category",), "suspicious")
    assert {category.value for category in Category} == {
        "safety", "crime", "package", "lost_and_found", "animal", "environment", "community"
    }  # fmt: skip


def test_what_happened_has_a_beginning_and_an_end() -> None:
    refuse(POST, ("happened", "to"), NOON_S - 61)
    refuse(POST, ("happened", "from"), NOON_S - 8 * 86_400)


def test_a_neighborhood_is_half_a_mile_to_five_miles() -> None:
    for radius_m in (804, 8_048):
        refuse(founding(), ("radius_m",), radius_m)
    for radius_m in (805, 8_047):
        assert parse_body(Type.FOUNDING, founding(radius_m=radius_m).to_json())


def test_clips_live_no_longer_than_posts_and_these_60_days() -> None:
    refuse(founding(), ("post_days",), 61)
    refuse(founding(), ("media_days",), 31)
    assert parse_body(Type.FOUNDING, founding(post_days=60, media_days=60).to_json())


def test_an_agency_says_who_it_is() -> None:
    for domain in (
        "Police.example.gov",
        "police",
        "-a.example",
        "a..b",
        "xn--.com/",
        "1.2.3.4",
        "a" * 250 + ".com",
    ):
        refuse(AGENCY, ("domain",), domain)
    for recipient in ("age1", RECIPIENT.upper(), RECIPIENT[:-1], RECIPIENT[:-1] + "b", "AGE-SECRET-KEY-1"):
        refuse(AGENCY, ("age_recipient",), recipient)
    corners: list[Json] = [{"lat_e6": at, "lon_e6": at * at} for at in range(65)]
    refuse(AGENCY, ("jurisdiction",), corners)
    refuse(AGENCY, ("jurisdiction",), corners[:2])
    refuse(AGENCY, ("jurisdiction",), [*corners[:3], corners[0]])
    parse_body(Type.AGENCY, put(dict(AGENCY.to_json()), ("jurisdiction",), corners[:64]))
    refuse(AGENCY, ("jurisdiction",), [corners[at] for at in (0, 20, 1, 21)])


def test_a_request_names_what_happened_and_says_who_asks() -> None:
    assert "other" not in set(IncidentKind)
    refuse(ASKING, ("incident",), "other")
    written = ASKING.to_json()["area"]
    refuse(ASKING, ("area",), [*written, written[0]])  # type: ignore[index, misc]
    corners: list[Json] = [{"lat_e6": at, "lon_e6": at * at} for at in range(33)]
    refuse(ASKING, ("area",), corners)
    refuse(ASKING, ("area",), corners[:2])
    for field, longest in (("case_number", 40), ("purpose", 500), ("contact", 200), ("description", 2_000)):
        parse_body(Type.REQUEST_DETAILS, put(dict(details().to_json()), (field,), "x" * longest))
        refuse(details(), (field,), "x" * (longest + 1), BadText)
        if field != "description":
            refuse(details(), (field,), "", BadText)
            refuse(details(), (field,), "a\nb", BadText)
    refuse(Close(ID, Outcome.SOLVED), ("outcome",), "expired")
    refuse(Availability(ID, Answer.LIKELY), ("answer",), "no")


def test_a_partnership_has_a_code_and_counts_in_steps() -> None:
    for code in ("ABC", "A" * 13, "maple", "MAPLE 25", "", "MÄPLE"):
        refuse(partnership(), ("code",), code)
    refuse(partnership(), ("seed_cameras",), 26)
    parse_body(Type.PARTNERSHIP, partnership(terms="x" * 8_000).to_json())
    refuse(partnership(), ("terms",), "x" * 8_001, BadText)
    refuse(PartnershipCount(ID, 40, 27), ("households",), 41)


def test_an_unknown_action_is_refused() -> None:
    with pytest.raises(BadField):
        parse_body(Type.MEMBER, {"action": "promote"})
    with pytest.raises(BadField):
        parse_body(Type.MEMBER, {})
