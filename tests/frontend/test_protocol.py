"""The page's own protocol and rules say what Python's say: on the vectors, and for whole streets."""

from collections.abc import Sequence
import json
from pathlib import Path
import random
from typing import Any

from playwright.async_api import Page

from custom_components.ringwatch.neighborhood.apply import advance, supply
from custom_components.ringwatch.neighborhood.bodies.feed import Span
from custom_components.ringwatch.neighborhood.bodies.requests import IncidentKind
from custom_components.ringwatch.neighborhood.geometry import is_simple, touches_circle, within
from custom_components.ringwatch.neighborhood.keys import is_public_key
from custom_components.ringwatch.neighborhood.places import Place, distance_m, snap
from custom_components.ringwatch.neighborhood.rules_requests import case_of, preview_request
from custom_components.ringwatch.neighborhood.segments import Placed, pack_lines
from custom_components.ringwatch.neighborhood.store import state_digest
from custom_components.ringwatch.neighborhood.text import check_handle, check_text, clean, folded
from custom_components.ringwatch.neighborhood.text_check import find_private
from custom_components.ringwatch.neighborhood.types import ERASABLE
from custom_components.ringwatch.neighborhood.violations import RecordViolation
from tests.neighborhood.agencies import around, enrol
from tests.neighborhood.street import Street, replay
from tests.neighborhood.test_properties import ALL_MOVES, MOVES, Play

VECTORS = Path(__file__).parents[1] / "neighborhood/vectors"
STORIES = 60
MOVES_EACH = 40
DAY_S = 86_400
NAMES = (
    "Ann", "Jörg", "Straße", "ΣΊΣΥΦΟΣ", "Σίσυφος", "İstanbul", "\u0131s\u0131", "O'Brien-Smith", "Dr. No",
    "a..b", ".a", "a ", "Ánh", "山田 太郎", "ひらがな", "अनिल", "नमस्ते", "مريم",
    "A\u0301", "\u0420\u0430uл", "Анна",
    "x", "x" * 33, "J. R. R. T.", "a_b", "a  b", "٣ اثنان", "ŉ", "ﬁne", "ᏣᎳᎩ", "①②",
)  # fmt: skip
TEXTS = (
    "", " ", "a", " a", "a\n", "a\nb", "a\tb", "a\u202eb", "a\u200bb", "e\u0301", "é", "👩\u200d👩\u200d👧",
    "\U000e0041", "\ufeff", "a" * 51, "\x7f", "ab\u00a0",
)  # fmt: skip
PRIVATE = (
    "Call 312-555-0142 now", "on 2026-03-04 at 10:15", "plate 7ABC123", "XK 42 7 or AB-123-CD", "B7",
    "3.4.2026", "jo.doe+x@mail.example.org!", "1600 West Maple Street, back door", "Hauptstraße 12",
    "12 rue Lepic", "nothing here", "5 of them at 7", "+49 (30) 1234 5678", "the A1 road", "10 Downing Str.",
    "12 O'Neil-Smith's Old Rd", "Zürcherstrasse 7b and ünïcödé@exämple.org",
)  # fmt: skip


def vectors(name: str) -> Any:
    return json.loads((VECTORS / f"{name}.json").read_text())


async def ask(page: Page, expression: str, *arguments: object) -> Any:
    return await page.evaluate(f"async (given) => ({expression})(...given)", list(arguments))


async def test_canonical_json_is_the_vectors(protocol: Page) -> None:
    cases = vectors("canonical")
    for case in cases["accepted"]:
        text = json.dumps(case["value"], ensure_ascii=False)
        assert await ask(protocol, "ringwatch.canonical", text) == case["canonical"]
        assert await ask(protocol, "ringwatch.parses", case["canonical"]) is None
    for text in cases["refused"]:
        if text.isprintable() or text.isascii():  # half a surrogate pair can't be handed over
            assert await ask(protocol, "ringwatch.parses", text) in {"not_canonical", "too_deep"}, text


async def test_records_are_the_vectors(protocol: Page) -> None:
    cases = vectors("records")
    for key in cases["keys"].values():
        made = "(seed) => new ringwatch.SeedSigner(ringwatch.fromHex(seed)).publicKey"
        assert await ask(protocol, made, key["seed"]) == key["public"]
        assert await ask(protocol, "ringwatch.fingerprint", key["public"]) == key["fingerprint"]
    for case in cases["accepted"] + cases["erased"]:
        assert await ask(protocol, "ringwatch.recordId", case["wire"]) == case["id"]
    for case in cases["refused"]:
        assert await ask(protocol, "ringwatch.recordCode", case["wire"]) == case["code"]


async def test_the_order_and_its_checkpoint_are_the_vectors(protocol: Page) -> None:
    case = vectors("order")
    hood, hub, at = case["neighborhood"], case["hub"], case["checkpoint"]
    entries = [{k: v for k, v in entry.items() if k != "head"} for entry in case["entries"]]
    now_s = entries[-1]["time"]

    async def code(changed: list[dict[str, Any]], now: int = now_s) -> Any:
        return await ask(protocol, "ringwatch.chainCode", changed, hood, hub, now)

    assert await code(entries) is None
    assert await code(entries[1:]) == "order_gap"
    assert await code([entries[0], *entries[2:]]) == "order_gap"
    assert await code([entries[0] | {"id": "ab" * 32}, *entries[1:]]) == "order_unsigned"
    assert await code([entries[0] | {"id": "ab" * 32, "sig": None}, *entries[1:]]) == "order_broken"
    assert await code([*entries[:-1], entries[-1] | {"sig": None}]) == "order_unsigned"
    assert await code(entries, now_s - 601) == "time_backwards"
    header = f"{at['number']} {at['head']} {at['time']} {at['sig']}"
    read = "(...given) => ringwatch.codeOf(() => ringwatch.readCheckpoint(...given))"
    assert await ask(protocol, read, header, hood, hub) is None
    other = header.replace(str(at["time"]), str(at["time"] + 1))
    assert await ask(protocol, read, other, hood, hub) == "order_unsigned"


async def test_calls_and_invites_are_the_vectors(protocol: Page) -> None:
    case = vectors("calls")
    call, invite, told = case["call"], case["invite"], case["time_refusal"]
    seed = vectors("records")["keys"]["ann"]["seed"]
    hub = {"url": "https://hub.example", "neighborhood": call["neighborhood"], "hubKey": call["hub"]}
    sign = """(seed, hub, method, path, body, time) => ringwatch.signCall(
        new ringwatch.SeedSigner(ringwatch.fromHex(seed)), hub, method, path, ringwatch.utf8(body), time)"""
    time_s = int(call["headers"]["Ringwatch-Time"])
    given = (seed, hub, call["method"], call["path"], call["body"], time_s)
    assert await ask(protocol, sign, *given) == call["headers"]
    signature = call["headers"]["Ringwatch-Signature"]
    assert await ask(protocol, "ringwatch.readTimeRefusal", told, hub, signature) == told["time"]
    assert await ask(protocol, "ringwatch.readTimeRefusal", told, hub, "00" * 64) is None
    read = """async (link) => {
        const { certificate, key } = await ringwatch.parseLink(link);
        return { certificate, seed: ringwatch.toHex(key.seed) };
    }"""
    assert await ask(protocol, read, invite["link"]) == {k: invite[k] for k in ("certificate", "seed")}
    for damaged in (
        invite["link"][:-1],
        invite["link"].replace("#1.", "#2."),
        invite["link"].replace("https", "ftp"),
        invite["link"].replace("/join", "/x?join"),
    ):
        assert await ask(protocol, "ringwatch.linkCode", damaged) == "bad_link"
    middle = len(invite["link"]) - 40
    flipped = "A" if invite["link"][middle] != "A" else "B"
    assert (
        await ask(
            protocol, "ringwatch.linkCode", invite["link"][:middle] + flipped + invite["link"][middle + 1 :]
        )
        == "bad_link"
    )


async def test_places_are_pythons(protocol: Page) -> None:
    cases = vectors("places")
    widths = await ask(protocol, "() => ringwatch.WIDTHS_E6")
    assert widths[: len(cases["cell_width_e6"])] == cases["cell_width_e6"]
    chance = random.Random(5)
    points = [
        (chance.randint(-89_000_000, 88_999_000), chance.randint(-180_000_000, 180_000_000))
        for _ in range(500)
    ]
    points += [tuple(case["point"]) for case in cases["snapped"]]
    snapped = "(points) => points.map(([lat_e6, lon_e6]) => ringwatch.snap({ lat_e6, lon_e6 }))"
    mine = [snap(*point) for point in points]
    assert await ask(protocol, snapped, points) == [
        {"lat_e6": one.lat_e6, "lon_e6": one.lon_e6} for one in mine
    ]
    near = [
        snap(
            one.lat_e6 + chance.randint(-90_000, 0), max(one.lon_e6 - chance.randint(0, 90_000), -180_000_000)
        )
        for one in mine
        if one.lat_e6 > -88_000_000
    ]
    pairs = list(zip([one for one in mine if one.lat_e6 > -88_000_000], near, strict=True)) + list(
        zip(mine[:200], mine[200:400], strict=True)
    )
    distances = """(pairs) => pairs.map(([a, b]) => ringwatch.distanceM(
        { lat_e6: a[0], lon_e6: a[1] }, { lat_e6: b[0], lon_e6: b[1] }))"""
    given = [[[a.lat_e6, a.lon_e6], [b.lat_e6, b.lon_e6]] for a, b in pairs]
    assert await ask(protocol, distances, given) == [distance_m(a, b) for a, b in pairs]


async def test_polygons_are_pythons(protocol: Page) -> None:
    cases = vectors("areas")
    polygons = [
        [{"lat_e6": lat, "lon_e6": lon} for lat, lon in case["corners"]] for case in cases["polygons"]
    ]
    center = {"lat_e6": cases["center"][0], "lon_e6": cases["center"][1]}
    ask_all = """(polygons, center) => {
        const simple = polygons.filter((polygon) => ringwatch.isSimple(polygon));
        return polygons.map((polygon) => {
            const beside = { lat_e6: polygon[0].lat_e6 + 2000, lon_e6: polygon[0].lon_e6 + 2000 };
            const isIn = (other) => ringwatch.isSimple(polygon) && ringwatch.within(polygon, other);
            return [
                ringwatch.isSimple(polygon), ringwatch.areaM2(polygon),
                ringwatch.touchesCircle(polygon, center, 1609), ringwatch.contains(polygon, beside),
                simple.flatMap((other, at) => (isIn(other) ? [at] : [])),
            ];
        });
    }"""
    named = ("simple", "area_m2", "touches_1609_m", "holds_first_corner_plus_2000", "within")
    assert await ask(protocol, ask_all, polygons, center) == [
        [case[name] for name in named] for case in cases["polygons"]
    ]
    chance = random.Random(7)
    thrown = [
        [(chance.randint(-wide, wide), chance.randint(-wide, wide)) for _ in range(chance.randint(3, 7))]
        for wide in (3, 20) * 400
    ]
    shapes = [tuple(Place(*corner) for corner in corners) for corners in thrown]
    both = zip(shapes[::2], shapes[1::2], strict=True)
    pairs = [(a, b) for a, b in both if is_simple(a) and is_simple(b)]
    assert sum(within(a, b) for a, b in pairs) > 3
    corners = "corners.map((shape) => shape.map(([lat_e6, lon_e6]) => ({ lat_e6, lon_e6 })))"
    asked = f"(corners) => {corners}.map((shape) => ringwatch.isSimple(shape))"
    assert await ask(protocol, asked, thrown) == [is_simple(shape) for shape in shapes]
    given = [[[[p.lat_e6, p.lon_e6] for p in shape] for shape in pair] for pair in pairs]
    asked = f"""(all) => all.map((corners) => {{
        const [a, b] = {corners};
        return [ringwatch.within(a, b), ringwatch.touchesCircle(a, b[0], 1)];
    }})"""
    assert await ask(protocol, asked, given) == [[within(a, b), touches_circle(a, b[0], 1)] for a, b in pairs]


async def test_a_request_is_judged_while_it_is_drawn_as_python_does(protocol: Page) -> None:
    street = Street()
    agency = street.state.agency(enrol(street).id)
    hood, now_s = street.state.hood, street.now_s
    assert agency is not None
    chance = random.Random(11)
    seen: set[str] = set()
    for _ in range(80):
        center = Place(hood.center.lat_e6 + chance.randint(-30_000, 120_000), hood.center.lon_e6)
        area = around(center, half_m=chance.randint(80, 700))
        if chance.random() < 0.1:
            area = (area[0], area[2], area[1], area[3])
        start_s = now_s - chance.randint(0, 31 * DAY_S)
        window = Span(start_s, start_s + chance.choice((899, 900, 43_200, 43_201)))
        incident = chance.choice(list(IncidentKind))
        found = preview_request(area, window, incident, agency=agency, hood=hood, now_s=now_s)
        codes = [violation.code for violation in found]
        seen |= set(codes) or {"nothing"}
        given = (
            places(area),
            {"from": window.start_s, "to": window.end_s},
            incident.value,
            {
                "agency": {"jurisdiction": places(agency.jurisdiction)},
                "hood": {"center": places((hood.center,))[0], "radius_m": hood.radius_m},
                "now": now_s,
            },
        )
        assert await ask(protocol, "ringwatch.previewCodes", *given) == codes
    assert seen == {
        "nothing", "lawful_assembly", "window_too_short", "window_too_long", "from_the_future", "too_old",
        "bad_area", "area_too_small", "area_too_large", "outside_jurisdiction", "outside_area",
    }  # fmt: skip
    for case in ("24-1189 a", "24 1189A", "--", "\uff12\uff14", "Ä/7", "ß", "№ 5"):
        assert await ask(protocol, "ringwatch.caseOf", "ab" * 32, case) == case_of("ab" * 32, case)


def places(corners: Sequence[Place]) -> list[dict[str, int]]:
    return [{"lat_e6": corner.lat_e6, "lon_e6": corner.lon_e6} for corner in corners]


def code_of(check: Any, *arguments: Any, **more: Any) -> str | None:
    try:
        check(*arguments, **more)
    except RecordViolation as error:
        return error.code
    return None


async def test_texts_and_names_are_judged_as_python_does(protocol: Page) -> None:
    for name in NAMES:
        assert await ask(protocol, "ringwatch.handleCode", name) == code_of(check_handle, name), name
    for text in TEXTS:
        for lines in (False, True):
            code = code_of(check_text, text, 50, lines=lines)
            assert await ask(protocol, "ringwatch.textCode", text, 50, lines) == code, repr(text)
        assert await ask(protocol, "ringwatch.clean", text, 50, True) == clean(text, 50, lines=True), repr(
            text
        )
    assert await ask(protocol, "ringwatch.foldedAll", NAMES) == [folded(name) for name in NAMES]
    for text in PRIVATE:
        found = [
            {"kind": hint.kind.value, "text": text[hint.start : hint.end]} for hint in find_private(text)
        ]
        assert await ask(protocol, "ringwatch.findPrivate", text) == found, text


async def test_keys_that_fit_every_signature_are_refused(protocol: Page) -> None:
    field = 2**255 - 19
    small = [0, 1, field - 1, field, field + 1, 2**255 + 1]
    for y in small:
        key = y.to_bytes(32, "little").hex()
        assert not is_public_key(key)
        assert await ask(protocol, "ringwatch.isPublicKey", key) is False
        assert (
            await ask(
                protocol, "(key) => ringwatch.verify(key, 'x', ringwatch.utf8('y'), '00'.repeat(64))", key
            )
            is False
        )


async def test_a_browser_without_ed25519_signs_and_verifies_the_same(protocol: Page) -> None:
    script = """async () => {
        const digest = ringwatch.fromHex("ab".repeat(32));
        const native = await ringwatch.NativeSigner.generate();
        const seed = new ringwatch.SeedSigner(ringwatch.fromHex("cd".repeat(32)));
        const sign = async (key) => [key.publicKey, await key.sign("x", digest)];
        const signed = [await sign(native), await sign(seed)];
        const check = async () => Promise.all(signed.flatMap(([key, sig]) => [
            ringwatch.verify(key, "x", digest, sig), ringwatch.verify(key, "y", digest, sig)]));
        const before = await check();
        ringwatch.withoutNativeKeys();
        return [before, await check()];
    }"""
    assert await protocol.evaluate(script) == [[True, False, True, False]] * 2


def story(number: int) -> Play:
    chance = random.Random(number)
    play = Play()
    moves = ALL_MOVES if number % 2 else MOVES  # every other story has officers in it
    for _ in range(MOVES_EACH):
        play.move(chance.choice(moves), chance.randrange(5), chance.randrange(8))
    return play


async def test_the_same_order_comes_to_the_same_state(protocol: Page) -> None:
    seen: set[str] = set()
    for number in range(STORIES):
        street = story(number).street
        placed = street.placed
        seen |= {one.record.type for one in placed}
        later_s = street.now_s + random.Random(number).randrange(40) * DAY_S
        lines = pack_lines(placed, street.history).decode()
        found = await ask(protocol, "ringwatch.replay", lines, str(street.id), later_s)
        state = replay(placed)
        assert found[-2] == state_digest(state.store), number
        advance(state, later_s)
        assert found[-1] == state_digest(state.store), number
    assert seen >= {"post", "comment", "thanks", "flag", "moderation", "appeal", "withdraw", "member", "role"}
    assert seen >= {
        "agency",
        "officer",
        "request_details",
        "footage_request",
        "extension",
        "reminder",
        "close",
    }
    assert seen >= {"availability", "partnership", "partnership_count"}


async def test_bodies_that_come_later_come_to_the_same_state(protocol: Page) -> None:
    for number in range(8):
        street = story(number).street
        placed = street.placed
        without = [
            Placed(one.entry, one.record.erased()) if one.record.type in ERASABLE else one for one in placed
        ]
        state = replay(without)
        bodies = [
            json.dumps(one.record.to_wire())
            for one in placed
            if one.record.type in ERASABLE and one.record.body
        ]
        for one in placed:
            if one.record.body and state.store.get("waiting", one.record.id) is not None:
                supply(one.record, state)
        given = (pack_lines(without, street.history).decode(), bodies, str(placed[0].record.id))
        assert await ask(protocol, "ringwatch.replayLate", *given) == state_digest(state.store)
