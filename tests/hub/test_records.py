"""Records: taken once, ordered, given to who may have them, kept back and erased as the rules say."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
import gzip
from pathlib import Path
import time
from typing import Any

import pytest

from ringwatch.neighborhood.bodies import Appeal, Flag, Moderation, Remove, Role, Thanks, Withdraw
from ringwatch.neighborhood.bodies.care import Action, FlagReason
from ringwatch.neighborhood.bodies.feed import Category, Span
from ringwatch.neighborhood.bodies.people import Mode, RoleName
from ringwatch.neighborhood.canonical import encode
from ringwatch.neighborhood.order import Checkpoint, Position, verify_chain
from ringwatch.neighborhood.places import snap
from ringwatch.neighborhood.segments import Placed, unpack_lines
from ringwatch.neighborhood.store import MemoryHistory
from script.lib.hub_client import CENTER, Answer, Member, Street, comment, history_of, join, note, post

from .conftest import MakeStreet


def lines(member: Member, after: int = 0, **headers: str) -> list[Placed]:
    """Return the tail, checked as a home does."""
    answer = member.call("GET", f"/records?after={after}", headers=headers)
    assert answer.status == 200
    return unpack_lines(answer.body, member.neighborhood, history_of(member))


def checkpoint_of(answer: Answer, neighborhood: str) -> Checkpoint:
    number, head, time_s, sig = answer.headers["Ringwatch-Checkpoint"].split(" ")
    return Checkpoint(neighborhood, int(number), head, int(time_s), sig)


def search(member: Member, **wishes: Any) -> Answer:
    body = {"limit": 20, "cursor": None, "categories": [], "kinds": [], "text": "", "near": None}
    return member.call("POST", "/search", body | wishes)


def files_with(folder: Path, text: bytes) -> list[str]:
    """Return the files below a folder that hold these bytes, packed ones too."""
    found = []
    for path in folder.rglob("*"):
        if path.is_file():
            data = path.read_bytes()
            if path.suffix == ".gz":
                data = gzip.decompress(data)
            if text in data:
                found.append(path.name)
    return found


def test_a_record_comes_back_in_an_order_that_the_hub_signed(street: Street, robin: Member) -> None:
    sent = robin.sign(post())
    answer = robin.send(sent)
    assert answer.status == 201
    placed = lines(robin)
    assert placed[-1].record == sent
    position = verify_chain(
        [one.entry for one in placed],
        neighborhood=street.id,
        hub_key=street.hub.key,
        after=Position(),
        now_s=int(time.time()),
    )
    assert position.head == answer.json["entry"]["head"]
    tail = robin.call("GET", f"/records?after={position.number}")
    assert (tail.status, tail.body) == (200, b"")
    checkpoint = checkpoint_of(tail, street.id)
    assert checkpoint.is_signed_by(street.hub.key)
    assert (checkpoint.number, checkpoint.head) == (position.number, position.head)
    assert abs(checkpoint.time_s - time.time()) < 3
    assert int(tail.headers["Ringwatch-Poll-After"]) in range(50, 70)


def test_the_same_record_twice_is_in_the_order_once(robin: Member) -> None:
    sent = robin.sign(post())
    first, again = robin.send(sent), robin.send(sent)
    assert (first.status, again.status) == (201, 200)
    assert first.json == again.json
    with ThreadPoolExecutor(8) as pool:
        record = robin.sign(post())
        answers = list(pool.map(lambda _: robin.call("POST", "/records", record.to_wire()), range(16)))
    assert sorted(answer.status for answer in answers) == [200] * 15 + [201]
    assert len({answer.body for answer in answers}) == 1


def test_nothing_new_is_said_in_few_bytes(robin: Member) -> None:
    newest = robin.call("GET", "").json["position"]["number"]
    first = robin.call("GET", f"/records?after={newest}")
    again = robin.call("GET", f"/records?after={newest}", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    assert checkpoint_of(again, robin.neighborhood).is_signed_by(robin.hub.key)
    robin.post(post())
    later = robin.call("GET", f"/records?after={newest}", headers={"If-None-Match": first.headers["ETag"]})
    assert later.status == 200
    assert len(unpack_lines(later.body, robin.neighborhood, history_of(robin))) == 1


def test_the_tail_is_packed_for_who_can_unpack_it(robin: Member) -> None:
    answer = robin.call("GET", "/records?after=0", headers={"Accept-Encoding": "gzip, deflate"})
    assert answer.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.body) == robin.call("GET", "/records?after=0").body


def test_who_waits_is_told_at_once(robin: Member, street: Street) -> None:
    rita = join(street, f"Rita {time.time_ns() % 10**9}")
    newest = robin.call("GET", "").json["position"]["number"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(robin.call, "GET", f"/records?after={newest}&wait=20")
        time.sleep(0.3)
        assert not waiting.done()
        began_s = time.monotonic()
        assert rita.post(post()).status == 201
        answer = waiting.result(5)
        assert time.monotonic() - began_s < 1.0
    assert len(unpack_lines(answer.body, street.id, history_of(rita))) == 1
    assert answer.headers["Ringwatch-Poll-After"] == "0"


def test_who_is_removed_while_waiting_hears_no_more(street: Street) -> None:
    gone = join(street, "Ruby")
    gone.catch_up()
    number = gone.call("GET", "").json["position"]["number"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(gone.call, "GET", f"/records?after={number}&wait=20")
        time.sleep(0.5)
        me = gone.call("GET", "").json["you"]["subject"]
        street.host.catch_up()
        assert gone.tip is not None
        assert street.host.post(Remove(me, gone.tip, "")).status == 201
        answer = waiting.result()
    assert (answer.status, answer.code) == (403, "removed")


def test_waiting_ends_by_itself_and_for_a_second_wait(robin: Member) -> None:
    newest = robin.call("GET", "").json["position"]["number"]
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(robin.call, "GET", f"/records?after={newest}&wait=30")
        time.sleep(0.2)
        began_s = time.monotonic()
        assert robin.call("GET", f"/records?after={newest}&wait=1").body == b""
        assert first.result(1).status == 200
        assert 0.8 < time.monotonic() - began_s < 2.5


def test_a_checkpoint_is_never_older_than_the_records_beside_it(make_street: MakeStreet) -> None:
    """A home would take that for a hub that goes back."""
    street = make_street()
    writers = [join(street, f"Neighbor {number}") for number in range(4)]
    reader = join(street, "Reader")

    def write(member: Member) -> int:
        return sum(member.post(post(f"Post {number}")).status == 201 for number in range(20))

    with ThreadPoolExecutor(4) as pool:
        writing = [pool.submit(write, member) for member in writers]
        history = MemoryHistory()
        after = looked = 0
        while not all(one.done() for one in writing) or looked < 20:
            answer = reader.call("GET", f"/records?after={after}")
            placed = unpack_lines(answer.body, street.id, history)
            note(history, placed)
            checkpoint = checkpoint_of(answer, street.id)
            newest = placed[-1].entry if placed else None
            assert checkpoint.number >= (newest.number if newest else after)
            after = newest.number if newest else after
            looked += 1
        assert sum(one.result() for one in writing) == 80


def test_without_a_free_place_nobody_waits(make_street: MakeStreet) -> None:
    street = make_street(max_waiting=1)
    robin, rita = join(street, "Robin"), join(street, "Rita")
    newest = rita.call("GET", "").json["position"]["number"]
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(robin.call, "GET", f"/records?after={newest}&wait=5")
        time.sleep(0.3)
        began_s = time.monotonic()
        answer = rita.call("GET", f"/records?after={newest}&wait=5")
        assert time.monotonic() - began_s < 1.0
        assert int(answer.headers["Ringwatch-Poll-After"]) > 50
        rita.post(post())
        assert waiting.result(5).headers["Ringwatch-Poll-After"] == "0"


@pytest.mark.parametrize(
    ("damage", "codes"),
    [
        (lambda wire: wire | {"sig": "0" * 128}, {"bad_signature"}),
        (lambda wire: wire | {"salt": "0" * 32}, {"body_altered"}),
        (lambda wire: wire | {"body": wire["body"] | {"title": "Something else"}}, {"body_altered"}),
        (lambda wire: wire | {"envelope": wire["envelope"] | {"created": 1}}, {"bad_signature"}),
        (lambda wire: wire | {"envelope": wire["envelope"] | {"type": "moderation"}}, {"bad_signature"}),
        (lambda wire: wire | {"envelope": wire["envelope"] | {"v": 2}}, {"unknown_version"}),
        (lambda wire: wire | {"envelope": wire["envelope"] | {"type": "agenda"}}, {"unknown_type"}),
        (lambda wire: wire | {"more": 1}, {"bad_field"}),
        (lambda wire: {"envelope": wire["envelope"], "sig": wire["sig"]}, {"body_missing"}),
    ],
)
def test_a_forged_record_is_refused(robin: Member, damage: Any, codes: set[str]) -> None:
    answer = robin.call("POST", "/records", damage(robin.sign(post()).to_wire()))
    assert answer.status == 422
    assert answer.code in codes


@pytest.mark.parametrize(
    "data",
    [
        lambda wire: encode(wire).replace(b'","', b'", "', 1),
        lambda wire: encode(wire).replace(b'{"body"', b'{"body":{},"body"', 1),
        lambda wire: b" " + encode(wire),
        lambda wire: encode(wire) + b"\n",
        lambda wire: b"[" * 10_000 + encode(wire)[:9_000] + b"]" * 10_000,
        lambda _: b"\x00" * 100,
    ],
)
def test_a_record_in_another_form_is_refused(robin: Member, data: Any) -> None:
    answer = robin.call("POST", "/records", data(robin.sign(post()).to_wire()))
    assert answer.status == 422
    assert answer.code in {"not_canonical", "too_deep"}


def test_dates_count_by_the_hub(robin: Member) -> None:
    ahead = robin.sign(post(), created_s=int(time.time()) + 3_600)
    assert robin.send(ahead).code == "from_the_future"
    back = robin.sign(post(), created_s=1)
    assert robin.send(back).status == 201  # dated by the order, whatever its author says
    assert lines(robin)[-1].entry.time_s > time.time() - 10
    old = replace(post(), happened=Span(1_000_000_000, 1_000_000_000))
    assert robin.post(old).code == "too_old"


def test_a_record_is_sent_by_its_author(street: Street, robin: Member) -> None:
    rita = join(street, f"Rita {time.time_ns() % 10**9}")
    record = rita.sign(post())
    answer = robin.call("POST", "/records", record.to_wire())
    assert (answer.status, answer.code) == (403, "bad_call")


def test_who_forks_is_frozen(street: Street, robin: Member) -> None:
    one, other = robin.sign(post("One")), robin.sign(post("Other"))
    assert robin.send(one).status == 201
    assert robin.call("POST", "/records", other.to_wire()).status == 201  # as evidence
    answer = robin.send(robin.sign(post("Third")))
    assert (answer.status, answer.code) == (403, "frozen")
    assert robin.call("GET", "/records?after=0").status == 200
    assert lines(robin)[-1].record.body is None  # evidence has no body


def test_searching(street: Street, robin: Member) -> None:
    words = post(
        "Fire near Union Station", "select (blue) from the roof; DROP TABLE records", category=Category.SAFETY
    )
    assert robin.post(words).status == 201
    first = robin.tip
    assert robin.post(post("Cat found", "grey", category=Category.ANIMAL, place=None)).status == 201
    for text in ("union station select (blue)", "UNION", '"blue" OR fire', "drop table records", "roof;--"):
        answer = search(robin, text=text)
        assert answer.status == 200, text
        hits = [item["id"] for item in answer.json["items"]]
        assert (first in hits) == ("OR" not in text), text
    assert search(robin, text="((((").json == {"items": [], "cursor": None}
    assert search(robin, text="NEAR(a b, 5) AND col:x*").json["items"] == []
    assert [i["id"] for i in search(robin, categories=["animal"], limit=1).json["items"]] == [robin.tip]
    near = {"lat_e6": CENTER.lat_e6, "lon_e6": CENTER.lon_e6, "radius_m": 500}
    found = search(robin, near=near, categories=["safety"]).json["items"]
    assert first in [item["id"] for item in found]
    assert search(robin, near=near | {"lat_e6": 0}).json["items"] == []
    assert search(robin, kinds=["alert"]).json["items"] == []
    assert search(robin, text="x" * 201).status == 422
    assert search(robin, categories=["suspicious_person"]).code == "bad_field"


def test_pages_of_the_feed(make_street: MakeStreet) -> None:
    street = make_street()
    members = [join(street, f"Neighbor {number}") for number in range(2)]
    for number in range(15):
        assert members[number % 2].post(post(f"Post {number}")).status == 201
    found, cursor = [], None
    for _ in range(4):
        page = search(members[0], limit=5, cursor=cursor).json
        found += [item["record"]["body"]["title"] for item in page["items"]]
        cursor = page["cursor"]
        if cursor is None:
            break
    assert found == [f"Post {number}" for number in reversed(range(15))]


def test_comments_thanks_and_members(street: Street, robin: Member) -> None:
    robin.post(post())
    post_id = str(robin.tip)
    rita = join(street, f"Rita {time.time_ns() % 10**9}")
    assert rita.post(comment(post_id, "First")).status == 201
    assert rita.post(Thanks(post_id)).status == 201
    assert rita.post(Thanks(post_id)).code == "already_done"
    item = rita.call("GET", f"/posts/{post_id}").json
    assert (item["thanks"], item["comments"], item["thanked"]) == (1, 1, True)
    assert robin.call("GET", f"/posts/{post_id}").json["thanked"] is False
    [found] = robin.call("GET", f"/posts/{post_id}/comments").json["items"]
    assert found["record"]["body"]["text"] == "First"
    members = robin.call("GET", "/members").json["members"]
    assert {"host"} == {one["role"] for one in members if one["handle"] == "Holly"}
    assert rita.key.public in {one["key"] for one in members}


def test_moderated_before_publication(make_street: MakeStreet) -> None:
    street = make_street(mode=Mode.BEFORE)
    robin, rita, mia = (join(street, name) for name in ("Robin", "Rita", "Mia"))
    street.host.catch_up()
    subject = mia.call("GET", "").json["you"]["subject"]
    assert street.host.post(Role(subject, RoleName.MODERATOR)).status == 201
    assert robin.post(post("Is it true?", "Held until somebody looked at it")).status == 201
    post_id = str(robin.tip)
    # the order shows that there is one, not what it says
    placed = {one.record.id: one.record for one in lines(rita)}
    assert placed[post_id].body is None
    assert rita.call("GET", f"/posts/{post_id}").status == 404
    assert rita.call("POST", "/bodies", {"ids": [post_id]}).json == {"records": []}
    assert search(rita).json["items"] == []
    assert search(rita, text="somebody").json["items"] == []
    for member in (robin, mia, street.host):
        [item] = search(member).json["items"]
        assert item["status"] == "pending"
        [record] = member.call("POST", "/bodies", {"ids": [post_id]}).json["records"]
        assert record["body"]["title"] == "Is it true?"
    mia.catch_up()
    assert mia.post(Moderation(post_id, Action.RESTORE, "")).status == 201
    assert {one.record.id: one.record for one in lines(rita)}[post_id].body is not None
    assert [item["status"] for item in search(rita).json["items"]] == ["visible"]


def test_three_flags_hide_and_a_moderator_decides(make_street: MakeStreet) -> None:
    street = make_street()
    robin, *others = (join(street, name) for name in ("Robin", "Ann", "Ben", "Cem", "Dan"))
    robin.post(post("Ben is a thief"))
    post_id = str(robin.tip)
    assert robin.post(Flag(post_id, FlagReason.FALSE, "")).code == "own_item"
    for member in others[:3]:
        assert others[3].call("GET", f"/posts/{post_id}").status == 200
        assert member.post(Flag(post_id, FlagReason.FALSE, "It wasn't so")).status == 201
    assert others[3].call("GET", f"/posts/{post_id}").status == 404
    assert others[3].call("POST", "/bodies", {"ids": [post_id]}).json == {"records": []}
    assert robin.call("GET", f"/posts/{post_id}").json["status"] == "hidden"
    street.host.catch_up()
    seen = street.host.call("GET", f"/posts/{post_id}").json
    assert (seen["status"], seen["flags"]) == ("hidden", 3)
    assert street.host.post(Moderation(post_id, Action.REMOVE, "An accusation")).status == 201
    robin.catch_up()
    assert robin.post(Appeal(post_id, "But it was him")).status == 201
    assert street.host.call("GET", f"/posts/{post_id}").json["appealed"] is True
    assert others[0].post(Moderation(post_id, Action.RESTORE, "")).code == "not_allowed"
    street.host.catch_up()
    assert street.host.post(Moderation(post_id, Action.RESTORE, "The police said so")).status == 201
    assert others[3].call("GET", f"/posts/{post_id}").json["status"] == "visible"
    log = others[3].call("GET", "/log").json["items"]
    assert [(one["action"], one["reason"]) for one in log] == [
        ("restore", "The police said so"),
        ("remove", "An accusation"),
    ]


def test_what_is_withdrawn_is_gone_from_the_disk(make_street: MakeStreet) -> None:
    street = make_street()
    robin, rita = join(street, "Robin"), join(street, "Rita")
    secret = "Quetzalcoatlus northropi"
    robin.post(post(f"My {secret}", f"A {secret} on the roof"))
    post_id = str(robin.tip)
    rita.catch_up()
    rita.post(comment(post_id, f"What is a {secret}?"))
    assert rita.post(post("Something else")).status == 201
    assert search(rita, text=secret).json["items"]
    assert files_with(street.hub.data, secret.encode())
    assert robin.post(Withdraw(post_id)).status == 201
    assert search(rita, text=secret).json["items"] == []
    assert rita.call("GET", f"/posts/{post_id}").status == 404
    bodies = {one.record.id: one.record.body for one in lines(rita)}
    assert bodies[post_id] is None
    assert street.hub.stop() == 0  # which empties the log of changes, as half a minute would
    assert files_with(street.hub.data, secret.encode()) == []


def test_what_happens_outside_is_refused(robin: Member) -> None:
    assert robin.post(post(place=snap(41_000_000, -87_000_000))).code == "outside_area"


def test_daily_limits_are_the_rules(make_street: MakeStreet) -> None:
    street = make_street()
    robin = join(street, "Robin")
    answers = [robin.post(post(f"Post {number}")) for number in range(21)]
    assert [answer.status for answer in answers] == [201] * 20 + [422]
    assert answers[-1].code == "limit_reached"
