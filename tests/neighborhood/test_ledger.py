"""A home's own copy: what comes is checked whole, lies are caught, what waits goes in order, once."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
import sqlite3

import pytest

from custom_components.ringwatch.neighborhood.bodies import Appeal, Comment, Post, Thanks, Withdraw
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Category, Span
from custom_components.ringwatch.neighborhood.bodies.people import Mode
from custom_components.ringwatch.neighborhood.invites import join_body
from custom_components.ringwatch.neighborhood.ledger import Ledger, LedgerView
from custom_components.ringwatch.neighborhood.ledger_schema import (
    MIGRATIONS,
    NAME,
    DamagedLedgerError,
    NewerLedgerError,
    migrate,
    set_aside,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.order import next_entry, sign_checkpoint
from custom_components.ringwatch.neighborhood.outbox import Waiting
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.state import State
from custom_components.ringwatch.neighborhood.store import MemoryHistory, MemoryStore, state_digest
from custom_components.ringwatch.neighborhood.violations import (
    LimitReached,
    OrderBroken,
    OrderForked,
    OrderGap,
    OrderRewound,
    OrderUnsigned,
    RecordRefused,
    TimeBackwards,
    UnknownTarget,
    Violation,
    WrongRecord,
    WrongTarget,
)  # fmt: skip

from .street import CENTER, CLIP, HUB, NOON_S, Neighbor, Street, key, replay, seed

POST = Post(Category.SAFETY, "Ice", "On the corner.", CENTER, Span(NOON_S, NOON_S), (CLIP,))


class Home:
    """A home with a ledger, and the way to the street's hub."""

    def __init__(self, street: Street, folder: Path, name: str = "Ann") -> None:
        self.street = street
        self.folder = folder
        self.who = Neighbor(key(name))
        self.ledger = Ledger(folder, str(street.id), HUB.public)

    def again(self) -> None:
        """Stop, and start from what is on disk."""
        self.ledger.close()
        self.ledger = Ledger(self.folder, str(self.street.id), HUB.public)

    def sync(self) -> None:
        """Catch up, as a poll does."""
        after = self.ledger.position.number
        self.ledger.receive(self.street.placed[after:], self.street.now_s)
        self.ledger.receive_checkpoint(self.street.checkpoint(), self.street.now_s)

    def enqueue(self, body: object) -> Waiting:
        return self.ledger.enqueue(self.who.key, body, self.street.now_s)  # type: ignore[arg-type]

    def send(self) -> list[str]:
        """Send what waits, and keep the hub's receipts."""
        sent = []
        for one in self.ledger.to_send(self.who.key, self.street.now_s):
            self.street.admit(one.record)
            self.ledger.sent(one.record.id, self.street.placed[-1].entry)
            sent.append(one.record.id)
        return sent

    def join(self) -> None:
        self.sync()
        name = "Home"
        self.enqueue(join_body(self.street.invite(name), self.who.key, name))
        self.send()
        self.sync()


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def home(street: Street, tmp_path: Path) -> Iterator[Home]:
    home = Home(street, tmp_path / "ledger")
    home.join()
    yield home
    home.ledger.close()


# ---- what comes -------------------------------------------------------------------------------------


def test_a_home_comes_to_the_hubs_state_and_keeps_it(home: Home, street: Street) -> None:
    bob = street.join("Bob")
    post = street.post(bob, media=(CLIP,))
    street.comment(bob, post)
    home.sync()
    assert state_digest(home.ledger.state.store) == state_digest(street.store)
    assert [one.record.id for one in home.ledger.records.range(1, 99)] == [
        one.record.id for one in street.placed
    ]
    assert home.ledger.record(post) == street.placed[-2].record
    assert home.ledger.record(seed("x").hex()) is None
    home.again()
    home.sync()
    assert state_digest(home.ledger.state.store) == state_digest(street.store)


def test_another_thread_reads(home: Home) -> None:
    view = LedgerView.open(home.folder, str(home.street.id))
    assert view.position == home.ledger.position
    with pytest.raises(sqlite3.OperationalError):
        view.state.store.put("meta", "x", 1)
    view.close()
    with pytest.raises(sqlite3.OperationalError):
        LedgerView.open(home.folder / "nothing", str(home.street.id))


def test_a_home_that_was_away_catches_up_in_parts(home: Home, street: Street) -> None:
    bob = street.join("Bob")
    for day in range(40):
        street.now_s += DAY_S
        street.comment(bob, street.post(bob, f"Day {day}"))
    while home.ledger.position.number < len(street.placed):
        after = home.ledger.position.number
        home.ledger.receive(street.placed[after : after + 7], street.now_s)
    home.sync()
    assert state_digest(home.ledger.state.store) == state_digest(
        replay(street.placed, time_s=street.now_s).store
    )


def test_what_is_sent_twice_counts_once(home: Home, street: Street) -> None:
    street.post(street.host)
    home.sync()
    digest = state_digest(home.ledger.state.store)
    assert home.ledger.receive(street.placed, street.now_s) == ()
    assert state_digest(home.ledger.state.store) == digest


def test_erasing_takes_body_and_salt_from_the_file(home: Home, street: Street) -> None:
    bob = street.join("Bob")
    secret = "the neighbor at number 12"
    street.post(bob, text=secret)
    post = street.last
    home.sync()
    street.say(bob, Withdraw(post))
    home.sync()
    record = home.ledger.record(post)
    assert record is not None
    assert (record.body, record.salt) == (None, None)
    # Neither in the write-ahead log, though nobody has closed the file
    assert not any(secret.encode() in file.read_bytes() for file in home.folder.iterdir())
    home.ledger.close()
    assert not any(secret.encode() in file.read_bytes() for file in home.folder.iterdir())


def test_what_expires_is_erased_by_the_hubs_time_only(home: Home, street: Street) -> None:
    post = street.post(street.host)
    home.sync()
    home.ledger.receive([], street.now_s + 99 * DAY_S)  # this home's clock says so: that is not enough
    assert home.ledger.record(post).body  # type: ignore[union-attr]
    street.now_s += 31 * DAY_S
    home.ledger.receive_checkpoint(
        sign_checkpoint(
            HUB, str(street.id), len(street.placed), str(street.state.position.head), street.now_s
        ),
        street.now_s,
    )
    assert home.ledger.record(post).body is None  # type: ignore[union-attr]


# ---- lies -------------------------------------------------------------------------------------------


def refused(home: Home, placed: list[Placed], kind: type[Violation]) -> None:
    digest = state_digest(home.ledger.state.store)
    with pytest.raises(kind):
        home.ledger.receive(placed, home.street.now_s)
    assert state_digest(home.ledger.state.store) == digest


def news(street: Street) -> list[Placed]:
    """Have three things said that the home hasn't heard of."""
    first = len(street.placed)
    for title in ("One", "Two", "Three"):
        street.post(street.host, title)
    return street.placed[first:]


def test_a_dropped_record_is_noticed(home: Home, street: Street) -> None:
    one, two, three = news(street)
    refused(home, [one, three], OrderGap)
    refused(home, [two, three], OrderGap)
    home.ledger.receive([one, two, three], street.now_s)


def test_a_reordered_record_is_noticed(home: Home, street: Street) -> None:
    one, two, three = news(street)
    refused(home, [two, one, three], OrderGap)
    refused(home, [Placed(one.entry, two.record), Placed(two.entry, one.record), three], WrongRecord)


def test_an_altered_record_is_noticed(home: Home, street: Street) -> None:
    one, two, three = news(street)
    forged = replace(one.record, envelope=replace(one.record.envelope, created_s=1))
    refused(home, [Placed(one.entry, forged)], WrongRecord)
    refused(home, [one, two, replace(three, entry=replace(three.entry, sig=None))], OrderUnsigned)
    refused(home, [Placed(replace(one.entry, previous=seed("x").hex()), one.record)], OrderBroken)


def test_a_replayed_order_is_noticed(home: Home, street: Street) -> None:
    old = street.checkpoint()
    news(street)
    home.sync()
    with pytest.raises(OrderRewound):
        home.ledger.receive_checkpoint(old, street.now_s)


def test_two_orders_are_noticed_by_either_home(home: Home, street: Street, tmp_path: Path) -> None:
    """The hub shows this home one order and the neighbors another one."""
    bob = street.join("Bob")
    home.sync()
    at = street.state.position
    hidden, shown = street.sign(street.host, POST), street.sign(bob, POST)
    here = next_entry(HUB, str(street.id), shown.id, street.now_s, at)
    home.ledger.receive([Placed(here, shown)], street.now_s)
    street.admit(hidden)
    there = street.placed[-1].entry
    with pytest.raises(OrderForked):  # the same number again, with another record
        home.ledger.receive([street.placed[-1]], street.now_s)
    with pytest.raises(OrderForked):
        home.ledger.receive_checkpoint(street.checkpoint(), street.now_s)
    said = street.sign(
        street.host, POST, prev=street.host.tip, head=there.head
    )  # who saw the other one says so
    entry = next_entry(HUB, str(street.id), said.id, street.now_s, here.position)
    refused(home, [Placed(entry, said)], OrderForked)


def test_a_head_that_was_promised_has_to_come(home: Home, street: Street) -> None:
    at = street.state.position
    other = next_entry(HUB, str(street.id), seed("x").hex(), street.now_s, at)
    home.ledger.receive_checkpoint(
        sign_checkpoint(HUB, str(street.id), other.number, other.head, street.now_s), street.now_s
    )
    assert home.ledger.to_send(home.who.key, street.now_s) == ()
    street.post(street.host)
    refused(home, street.placed[-1:], OrderForked)
    with pytest.raises(OrderForked):
        home.ledger.receive_checkpoint(street.checkpoint(), street.now_s)


def test_a_record_that_the_rules_refuse_is_the_hubs_fault(home: Home, street: Street) -> None:
    stranger = street.sign(Neighbor(key("stranger")), POST)
    entry = next_entry(HUB, str(street.id), stranger.id, street.now_s, street.state.position)
    refused(home, [Placed(entry, stranger)], RecordRefused)


def test_another_neighborhoods_founding_is_refused(street: Street, tmp_path: Path) -> None:
    other = Street(name="Other")
    ledger = Ledger(tmp_path, str(street.id), HUB.public)
    one = next_entry(
        HUB, str(street.id), str(other.id), NOON_S, State(MemoryStore(), MemoryHistory()).position
    )
    with pytest.raises(WrongRecord):
        ledger.receive([Placed(one, other.placed[0].record)], NOON_S)
    elsewhere = Ledger(tmp_path / "2", str(street.id), key("x").public)
    with pytest.raises(OrderUnsigned):
        elsewhere.receive(street.placed, NOON_S)
    ledger.close()
    elsewhere.close()


def test_a_hub_ahead_of_time_is_noticed(home: Home, street: Street) -> None:
    street.now_s += 3_600
    checkpoint = sign_checkpoint(HUB, str(street.id), 2, str(street.state.position.head), street.now_s)
    with pytest.raises(TimeBackwards):
        home.ledger.receive_checkpoint(checkpoint, NOON_S)
    street.post(street.host)
    with pytest.raises(TimeBackwards):
        home.ledger.receive(street.placed[2:], NOON_S)


# ---- what was kept back -----------------------------------------------------------------------------


def test_a_body_that_was_kept_back_is_asked_for_once_it_can_be_seen(tmp_path: Path) -> None:
    street = Street(mode=Mode.BEFORE)
    home = Home(street, tmp_path)
    home.join()
    bob = street.join("Bob")
    post = street.post(bob)
    placed = street.placed[-1]
    home.ledger.receive([*street.placed[2:-1], replace(placed, record=placed.record.erased())], street.now_s)
    public = home.who.key.public
    assert home.ledger.bodies_wanted(public) == []
    street.moderate(street.host, post, Action.RESTORE)
    home.sync()
    assert home.ledger.bodies_wanted(public) == [post]
    home.ledger.supply(placed.record)
    assert home.ledger.bodies_wanted(public) == []
    assert home.ledger.record(post) == placed.record
    with pytest.raises(UnknownTarget):
        home.ledger.supply(placed.record)
    home.ledger.close()


def test_a_body_that_can_not_be_is_the_hubs_fault(home: Home, street: Street) -> None:
    post = street.post(street.host)
    record = street.sign(street.host, Thanks(post))
    entry = next_entry(HUB, str(street.id), record.id, street.now_s, street.state.position)
    home.ledger.receive([street.placed[-1], Placed(entry, record.erased())], street.now_s)
    with pytest.raises(RecordRefused):
        home.ledger.supply(record)


def test_what_comes_late_about_a_withdrawn_post_is_not_kept(home: Home, street: Street) -> None:
    bob = street.join("Bob")
    post = street.post(street.host)
    comment = street.comment(bob, post)
    late = street.placed[-1]
    home.ledger.receive([*street.placed[2:-1], replace(late, record=late.record.erased())], street.now_s)
    street.say(street.host, Withdraw(post))
    home.sync()
    home.ledger.supply(late.record)
    assert home.ledger.record(comment) == late.record.erased()


def test_an_author_keeps_the_own_body_while_it_waits_for_a_moderator(tmp_path: Path) -> None:
    street = Street(mode=Mode.BEFORE)
    home = Home(street, tmp_path)
    home.join()
    post = home.enqueue(POST).record
    home.send()
    placed = street.placed[-1]
    home.ledger.receive([replace(placed, record=placed.record.erased())], street.now_s)
    assert home.ledger.record(post.id) == post
    assert home.ledger.waiting() == ()
    home.ledger.close()


# ---- what goes --------------------------------------------------------------------------------------


def test_what_was_posted_while_the_hub_was_away_goes_later_in_order_once(home: Home, street: Street) -> None:
    posts = [home.enqueue(replace(POST, title=f"Ice {at}")).record.id for at in range(3)]
    comment = home.enqueue(Comment(posts[0], "About one that waits.")).record.id
    home.again()
    assert home.ledger.to_send(home.who.key, street.now_s) == ()  # it hasn't heard from the hub yet
    street.post(street.host, "Meanwhile")
    home.sync()
    assert home.send() == [*posts, comment]
    assert home.send() == []
    assert len(home.ledger.waiting()) == 4
    home.sync()
    assert home.ledger.waiting() == ()
    assert [one.record.id for one in street.placed[-4:]] == [*posts, comment]


def test_a_lost_answer_sends_nothing_twice(home: Home, street: Street) -> None:
    record = home.enqueue(POST).record
    street.admit(record)  # and the answer is lost
    home.ledger.tried(record.id)
    assert home.ledger.waiting()[0].tries == 1
    home.again()
    home.sync()
    assert home.send() == []
    assert home.ledger.waiting() == ()


def test_a_restored_backup_forks_nothing(home: Home, street: Street, tmp_path: Path) -> None:
    home.ledger.close()
    backup = {file.name: file.read_bytes() for file in home.folder.iterdir()}
    home.again()
    home.sync()
    home.enqueue(POST)
    assert len(home.send()) == 1
    home.sync()
    home.ledger.close()
    for file in home.folder.iterdir():
        file.unlink()
    for name, data in backup.items():
        (home.folder / name).write_bytes(data)
    home.again()
    before = home.enqueue(replace(POST, title="After the backup"))
    home.sync()
    [sent] = home.send()
    assert sent != before.record.id  # signed anew, behind what the backup didn't know of
    assert home.ledger.waiting()[0].seq == before.seq
    home.sync()
    assert not street.state.subject_of(home.who.key.public).frozen  # type: ignore[union-attr]


def test_what_the_hub_refuses_is_kept_to_be_read_and_the_rest_goes_on(home: Home, street: Street) -> None:
    first, second = home.enqueue(POST), home.enqueue(replace(POST, title="Second"))
    third = home.enqueue(Comment(second.record.id, "About the second."))
    home.ledger.refuse(first.record.id, "limit_reached", "20 a day")
    sent = home.send()
    assert len(sent) == 2
    assert second.record.id not in sent
    [told] = home.ledger.refused()
    assert (told.seq, told.code, told.about) == (first.seq, "limit_reached", "20 a day")
    home.sync()
    comment = home.ledger.record(sent[1])
    assert comment is not None
    assert isinstance(comment.body, Comment)
    assert comment.body.post == sent[0]
    assert third.seq > second.seq
    home.ledger.dismiss(first.record.id)
    assert home.ledger.refused() == ()


def test_what_can_no_longer_be_said_is_refused_here(home: Home, street: Street) -> None:
    post = street.post(street.host)
    home.sync()
    home.enqueue(Thanks(post))
    street.say(street.host, Withdraw(post))
    home.sync()
    assert home.send() == []
    assert [told.code for told in home.ledger.refused()] == ["wrong_target"]


def test_the_rules_are_asked_before_anything_is_signed(home: Home, street: Street) -> None:
    post = home.enqueue(POST).record.id
    with pytest.raises(UnknownTarget):
        home.enqueue(Thanks(seed("x").hex()))
    with pytest.raises(WrongTarget):
        home.enqueue(Appeal(post, "Why?"))
    assert len(home.ledger.waiting()) == 1


def test_an_outbox_has_an_end(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.outbox.MAX_WAITING", 2)
    for _ in range(2):
        home.enqueue(POST)
    with pytest.raises(LimitReached):
        home.enqueue(POST)


def test_a_receipt_is_for_the_record_and_a_free_place(home: Home, street: Street) -> None:
    record = home.enqueue(POST).record
    at = street.state.position
    good = next_entry(HUB, str(street.id), record.id, street.now_s, at)
    taken = replace(street.placed[-1].entry, id=record.id)
    other = next_entry(HUB, str(street.id), seed("x").hex(), street.now_s, at)
    signed = next_entry(HUB, str(street.id), record.id, street.now_s, street.placed[0].entry.position)
    for entry in (replace(good, sig=None), other, taken, signed):
        with pytest.raises(OrderForked):
            home.ledger.sent(record.id, entry)
    home.ledger.sent(record.id, good)
    street.post(street.host)  # the hub puts another record where it promised ours
    refused(home, street.placed[-1:], OrderForked)


# ---- the file ---------------------------------------------------------------------------------------


def test_a_damaged_file_is_set_aside(home: Home) -> None:
    home.ledger.close()
    file = home.folder / NAME
    file.write_bytes(b"SQLite format 3\x00" + b"\xff" * 8_192)
    with pytest.raises(DamagedLedgerError):
        Ledger(home.folder, str(home.street.id), HUB.public)
    assert set_aside(home.folder, "20261123")
    assert set_aside(home.folder, "20261123") is None
    home.ledger = Ledger(home.folder, str(home.street.id), HUB.public)
    home.sync()
    assert home.ledger.position.number == 2


def test_a_file_that_is_damaged_inside_is_noticed(home: Home) -> None:
    for _ in range(15):
        home.enqueue(replace(POST, text="x" * 3_000))
    home.ledger.close()
    file = home.folder / NAME
    data = bytearray(file.read_bytes())
    data[8_192:40_960] = b"\x55" * 32_768
    file.write_bytes(data)
    with pytest.raises(DamagedLedgerError):
        Ledger(home.folder, str(home.street.id), HUB.public)


def test_a_newer_file_is_left_alone(home: Home, tmp_path: Path) -> None:
    db = sqlite3.connect(":memory:", autocommit=True)
    migrate(db, (*MIGRATIONS, "CREATE TABLE later (x)"))
    with pytest.raises(NewerLedgerError):
        migrate(db)
    db.close()
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="exists"):
        Ledger(tmp_path / "file", str(home.street.id), HUB.public)
    blocked = tmp_path / "blocked"
    (blocked / NAME).mkdir(parents=True)
    with pytest.raises(OSError, match="can't be opened"):
        Ledger(blocked, str(home.street.id), HUB.public)
