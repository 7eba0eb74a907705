"""The feed: posts, comments, thanks, flags, moderators, appeals, taking back, and what ends by itself."""

from dataclasses import replace
from typing import Any

import pytest

from custom_components.ringwatch.neighborhood.apply import advance, apply, supply
from custom_components.ringwatch.neighborhood.bodies import (
    Appeal,
    Comment,
    Moderation,
    Post,
    Role,
    Thanks,
    Withdraw,
)  # fmt: skip
from custom_components.ringwatch.neighborhood.bodies.care import Action
from custom_components.ringwatch.neighborhood.bodies.feed import Category, Span
from custom_components.ringwatch.neighborhood.bodies.people import Mode, RoleName
from custom_components.ringwatch.neighborhood.changes import Change, ChangeKind
from custom_components.ringwatch.neighborhood.feed import comments, moderation_log, page, to_moderate
from custom_components.ringwatch.neighborhood.limits import DAY_S
from custom_components.ringwatch.neighborhood.rows import Item, Status
from custom_components.ringwatch.neighborhood.segments import Placed
from custom_components.ringwatch.neighborhood.state import may_see_body, withheld
from custom_components.ringwatch.neighborhood.violations import (
    AlreadyDone,
    FromTheFuture,
    LimitReached,
    NotAllowed,
    OutsideArea,
    OwnItem,
    TooOld,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip

from .agencies import enrol, officer
from .street import CENTER, CLIP, HUB, PICTURE, Neighbor, Street, beside, next_entry, replay, seed
from .test_people import alert


@pytest.fixture
def street() -> Street:
    return Street()


@pytest.fixture
def ann(street: Street) -> Neighbor:
    return street.join("Ann")


@pytest.fixture
def bob(street: Street) -> Neighbor:
    return street.join("Bob")


def item(street: Street, item_id: str) -> Item:
    found = street.state.item(item_id)
    assert found is not None
    return found


def kinds(changes: tuple[Change, ...]) -> list[str]:
    return [change.kind.value for change in changes]


def test_a_post_stands_in_the_feed(street: Street, ann: Neighbor) -> None:
    first, second = street.post(ann, media=(CLIP,)), street.post(ann, "A dog")
    assert [found.id for found in page(street.state).items] == [second, first]
    found = item(street, first)
    assert (found.category, found.place, found.media) == ("animal", CENTER, (CLIP,))
    assert (found.subject, found.status, found.known) == (ann.id, Status.VISIBLE, True)


def test_a_page_goes_on_where_the_last_ended(street: Street, ann: Neighbor) -> None:
    posts = [street.post(ann, f"Fox {at}") for at in range(7)][::-1]
    first = page(street.state, limit=3)
    second = page(street.state, limit=3, cursor=first.cursor)
    third = page(street.state, limit=3, cursor=second.cursor)
    assert [found.id for part in (first, second, third) for found in part.items] == posts
    assert third.cursor is None
    odd = page(street.state, wanted=lambda found: found.number % 2 == 1)
    assert all(found.number % 2 for found in odd.items)


def test_a_filter_that_fits_nothing_costs_a_page_only(
    street: Street, ann: Neighbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.feed.MAX_LOOKED_AT", 2)
    posts = [street.post(ann) for _ in range(3)]
    part = page(street.state, wanted=lambda found: found.id == posts[0])
    assert part.items == ()
    assert [found.id for found in page(street.state, cursor=part.cursor).items] == posts[:1]


def test_a_place_is_inside_the_neighborhood(street: Street, ann: Neighbor) -> None:
    street.post(ann, place=beside(CENTER, north_m=1_600))
    street.post(ann, place=None)
    for place in (beside(CENTER, north_m=2_300), beside(CENTER, east_m=-2_300)):
        with pytest.raises(OutsideArea):
            street.post(ann, place=place)


def test_what_happened_is_neither_old_nor_to_come(street: Street, ann: Neighbor) -> None:
    with pytest.raises(FromTheFuture):
        street.post(ann, happened=Span(street.now_s, street.now_s + 601))
    with pytest.raises(TooOld):
        street.post(ann, happened=Span(street.now_s - 60 * DAY_S - 1, street.now_s - 60 * DAY_S))


def test_comments_stand_below_a_post(
    street: Street, ann: Neighbor, bob: Neighbor, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = street.post(ann)
    said = [street.comment(bob, post), street.comment(ann, post)]
    assert [found.id for found in comments(street.state, post)] == said
    assert item(street, post).comments == 2
    with pytest.raises(WrongTarget):
        street.comment(ann, said[0])
    for target in (seed("x").hex(), ann.id):
        with pytest.raises(UnknownTarget):
            street.comment(ann, target)
    monkeypatch.setattr("custom_components.ringwatch.neighborhood.rules_feed.MAX_COMMENTS", 2)
    with pytest.raises(LimitReached):
        street.comment(ann, post)


def test_thanks_count_once_and_are_for_others(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    street.thank(bob, post)
    assert item(street, post).thanks == 1
    with pytest.raises(AlreadyDone):
        street.thank(bob, post)
    with pytest.raises(OwnItem):
        street.thank(ann, post)
    street.thank(ann, street.comment(bob, post))


def test_three_members_flags_hide_until_a_moderator_decides(street: Street, ann: Neighbor) -> None:
    post = street.post(ann)
    flaggers = street.join_all("Bob", "Cy", "Di", "Ed", "Flo", "Gus")
    for who in flaggers[:2]:
        street.flag(who, post)
        assert item(street, post).status is Status.VISIBLE
    with pytest.raises(AlreadyDone):
        street.flag(flaggers[0], post)
    with pytest.raises(OwnItem):
        street.flag(ann, post)
    street.flag(flaggers[2], post)
    assert item(street, post).status is Status.HIDDEN
    assert page(street.state).items == ()
    assert [found.id for found in to_moderate(street.state)] == [post]
    with pytest.raises(WrongTarget):
        street.comment(flaggers[0], post)
    with pytest.raises(WrongTarget):
        street.flag(flaggers[3], post)
    street.moderate(street.host, post, Action.RESTORE)
    assert item(street, post).status is Status.VISIBLE
    for who in flaggers[3:]:  # three more of others hide it again
        street.flag(who, post)
    assert item(street, post).status is Status.HIDDEN


def test_officers_and_agencies_flag_nothing(street: Street, ann: Neighbor) -> None:
    who = officer(street, enrol(street))
    with pytest.raises(NotAllowed):
        street.flag(who, street.post(ann))


def test_moderators_hold_remove_and_restore_with_a_reason_in_the_log(
    street: Street, ann: Neighbor, bob: Neighbor
) -> None:
    street.say(street.host, Role(bob.id, RoleName.MODERATOR))
    post = street.post(ann)
    decisions = []
    for action, status in (
        (Action.HOLD, Status.HELD),
        (Action.REMOVE, Status.REMOVED),
        (Action.RESTORE, Status.VISIBLE),
    ):
        decisions.append(street.moderate(bob, post, action))
        assert item(street, post).status is status
        with pytest.raises(AlreadyDone):
            street.moderate(bob, post, action)
    log = moderation_log(street.state)
    assert [entry.record for entry in log] == decisions[::-1]
    assert [entry.action for entry in log] == ["restore", "remove", "hold"]
    assert {(entry.item, entry.moderator) for entry in log} == {(post, bob.id)}
    assert moderation_log(street.state, cursor=log[0].number, limit=1) == log[1:2]


def test_a_moderator_does_not_judge_what_is_their_own(street: Street, bob: Neighbor) -> None:
    street.say(street.host, Role(bob.id, RoleName.MODERATOR))
    with pytest.raises(OwnItem):
        street.moderate(bob, street.post(bob), Action.HOLD)
    street.moderate(street.host, street.post(street.host), Action.HOLD)  # there is nobody above


def test_a_flag_is_answered_by_restoring(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    street.flag(bob, post)
    street.moderate(street.host, post, Action.RESTORE)
    assert item(street, post).open_flags == 0


def test_moderators_who_disagree_leave_it_to_the_host(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    street.say(street.host, Role(bob.id, RoleName.MODERATOR))
    post = street.post(ann)
    for at in range(20):
        street.moderate(bob, post, (Action.HOLD, Action.RESTORE)[at % 2])
    with pytest.raises(LimitReached):
        street.moderate(bob, post, Action.HOLD)
    street.moderate(street.host, post, Action.REMOVE)


def test_an_author_appeals(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    with pytest.raises(WrongTarget):
        street.say(ann, Appeal(post, "Why?"))
    for at in range(3):
        street.moderate(street.host, post, (Action.HOLD, Action.REMOVE)[at % 2])
        street.say(ann, Appeal(post, "It is my own street."))
        assert item(street, post).open_appeal
        with pytest.raises(AlreadyDone):
            street.say(ann, Appeal(post, "Again."))
    assert [found.id for found in to_moderate(street.state)] == [post]
    with pytest.raises(NotAllowed):
        street.say(bob, Appeal(post, "For Ann."))
    street.moderate(street.host, post, Action.REMOVE)
    assert list(to_moderate(street.state)) == []
    with pytest.raises(LimitReached):
        street.say(ann, Appeal(post, "Again."))
    street.moderate(street.host, post, Action.RESTORE)
    assert item(street, post).status is Status.VISIBLE


def test_where_moderators_look_first_a_post_waits() -> None:
    street = Street(mode=Mode.BEFORE)
    ann, bob = street.join_all("Ann", "Bob")
    post = street.post(ann)
    assert item(street, post).status is Status.PENDING
    assert page(street.state, viewer=street.state.subject(bob.id)).items == ()
    for viewer in (ann, street.host):
        assert page(street.state, viewer=street.state.subject(viewer.id)).items[0].id == post
    told = street.say(street.host, Moderation(post, Action.RESTORE, ""))
    assert ChangeKind.SHOWN in {change.kind for change in told}
    assert item(street, post).status is Status.VISIBLE
    assert item(street, street.post(street.host)).status is Status.VISIBLE
    assert item(street, alert(street, officer(street, enrol(street)))).status is Status.VISIBLE


def test_bodies_that_are_kept_back_are_for_the_author_and_moderators(
    street: Street, ann: Neighbor, bob: Neighbor
) -> None:
    post = street.post(ann)
    viewers: list[Any] = [street.state.subject(who.id) for who in (ann, street.host)]
    strangers: list[Any] = [street.state.subject(bob.id), None]
    assert all(may_see_body(item(street, post), viewer) for viewer in viewers + strangers)
    street.moderate(street.host, post, Action.REMOVE)
    assert all(may_see_body(item(street, post), viewer) for viewer in viewers)
    assert not any(may_see_body(item(street, post), viewer) for viewer in strangers)
    street.say(ann, Withdraw(post))
    assert not any(may_see_body(item(street, post), viewer) for viewer in viewers + strangers)


def test_what_is_withdrawn_is_erased_with_what_was_said_about_it(
    street: Street, ann: Neighbor, bob: Neighbor
) -> None:
    post = street.post(ann, media=(CLIP, PICTURE))
    said = [street.comment(bob, post), street.thank(bob, post), street.flag(bob, post)]
    with pytest.raises(NotAllowed):
        street.say(bob, Withdraw(post))
    told = street.say(ann, Withdraw(post))
    assert {change.id for change in told if change.kind is ChangeKind.ERASE} == {post, *said}
    [media] = [change for change in told if change.kind is ChangeKind.ERASE_MEDIA]
    assert media.media == (CLIP, PICTURE)
    assert item(street, post).status is Status.WITHDRAWN
    assert item(street, post).media == ()
    for again in (Withdraw(post), Appeal(post, "x")):
        with pytest.raises(WrongTarget):
            street.say(ann, again)
    with pytest.raises(WrongTarget):
        street.moderate(street.host, post, Action.HOLD)


def test_a_comment_is_withdrawn_alone(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    comment = street.comment(bob, post)
    told = street.say(bob, Withdraw(comment))
    assert [change.id for change in told if change.kind is ChangeKind.ERASE] == [comment]
    assert list(comments(street.state, post)) == []
    assert (item(street, post).comments, item(street, post).status) == (0, Status.VISIBLE)


def test_what_stands_below_a_hidden_post_is_hidden_too(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    comment = street.comment(bob, post)
    street.moderate(street.host, post, Action.HOLD)
    with pytest.raises(WrongTarget):
        street.thank(ann, comment)


def test_clips_end_after_14_days_and_posts_after_30(street: Street, ann: Neighbor) -> None:
    post = street.post(ann, media=(CLIP,))
    alone = street.comment(ann, post)
    begin_s = street.now_s
    assert advance(street.state, begin_s + 14 * DAY_S - 1) == ()
    [told] = advance(street.state, begin_s + 14 * DAY_S)
    assert (told.kind, told.media) == (ChangeKind.ERASE_MEDIA, (CLIP,))
    assert item(street, post).media_gone
    street.now_s = begin_s + 30 * DAY_S
    told_all = advance(street.state, street.now_s)
    assert kinds(told_all) == ["erase", "gone", "erase", "gone"]
    assert {change.id for change in told_all} == {post, alone}
    assert street.state.item(post) is None
    assert page(street.state).items == ()
    with pytest.raises(UnknownTarget):
        street.comment(ann, post)
    assert advance(street.state, begin_s) == ()  # time never goes back
    assert street.state.position.time_s == street.now_s


def test_an_expired_neighborhood_leaves_nothing_behind(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann, media=(CLIP,))
    comment = street.comment(bob, post)
    for target in (post, comment):
        street.thank(street.host, target)
        street.flag(street.host, target)
    for target in (post, comment):
        street.moderate(street.host, target, Action.HOLD)
    street.say(ann, Appeal(post, "Why?"))
    street.say(bob, Withdraw(comment))
    advance(street.state, street.now_s + 31 * DAY_S)
    for table in ("items", "below", "feed", "due", "mine", "once", "waiting"):
        assert list(street.store.scan(table)) == []


def test_a_body_that_comes_later_counts_as_if_it_had_been_there(
    street: Street, ann: Neighbor, bob: Neighbor
) -> None:
    post = street.post(ann, media=(CLIP,))
    said = [street.comment(bob, post), street.thank(bob, post), street.flag(bob, post)]
    late = {post, *said}
    placed = [
        replace(one, record=one.record.erased()) if one.record.id in late else one for one in street.placed
    ]
    state = replay(placed)
    assert set(state.waiting()) == late
    assert list(withheld(state)) == [post]
    assert page(state).items == ()
    records = {one.record.id: one.record for one in street.placed}
    for record_id in (post, *said):
        supply(records[record_id], state)
        with pytest.raises(UnknownTarget):
            supply(records[record_id], state)
    advance(state, street.now_s)
    found = state.item(post)
    assert found == item(street, post)
    assert list(withheld(state)) == []


def test_a_late_body_is_checked_as_well(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    comment = street.comment(bob, post)
    far = Post(Category.ANIMAL, "x", "", beside(CENTER, north_m=9_000), Span(street.now_s, street.now_s))
    cases = [
        (far, OutsideArea),
        (Comment(comment, "x"), WrongTarget),
        (Thanks(post), OwnItem),
        (Appeal(comment, "x"), NotAllowed),
    ]
    for body, kind in cases:
        record = street.sign(ann, body)
        entry = next_entry(HUB, str(street.id), record.id, street.now_s, street.state.position)
        apply(record.erased(), street.state, entry)
        street.note(record, entry)
        ann.tip = record.id
        with pytest.raises(kind):
            supply(record, street.state)
    street.thank(bob, post)
    record = street.sign(bob, Thanks(post))
    entry = next_entry(HUB, str(street.id), record.id, street.now_s, street.state.position)
    apply(record.erased(), street.state, entry)
    street.note(record, entry)
    with pytest.raises(AlreadyDone):
        supply(record, street.state)


def test_bodies_that_never_come_are_forgotten_in_the_end(
    street: Street, ann: Neighbor, bob: Neighbor
) -> None:
    post = street.post(ann)
    for record_id in (street.comment(bob, post), street.thank(bob, post), street.flag(bob, post)):
        assert record_id
    placed = [replace(one, record=one.record.erased()) for one in street.placed[3:]]
    state = replay([*street.placed[:3], *placed])
    assert len(list(state.waiting())) == 4
    advance(state, street.now_s + 30 * DAY_S)
    for table in ("items", "below", "feed", "due", "mine", "once", "waiting"):
        assert list(state.store.scan(table)) == []


def test_a_clip_that_comes_after_its_time_is_gone(street: Street, ann: Neighbor) -> None:
    post = street.post(ann, media=(CLIP,))
    placed = street.placed[-1]
    state = replay([*street.placed[:-1], replace(placed, record=placed.record.erased())])
    advance(state, street.now_s + 14 * DAY_S)
    supply(placed.record, state)
    found = state.item(post)
    assert found is not None
    assert found.media_gone
    assert ChangeKind.ERASE_MEDIA not in {change.kind for change in advance(state, street.now_s + 31 * DAY_S)}


def test_what_comes_late_about_something_gone_is_erased(street: Street, ann: Neighbor, bob: Neighbor) -> None:
    post = street.post(ann)
    street.thank(bob, post)
    thanks = street.placed[-1]
    state = replay([*street.placed[:-1], replace(thanks, record=thanks.record.erased())])
    record = street.sign(ann, Withdraw(post))
    entry = next_entry(HUB, str(street.id), record.id, street.now_s, state.position)
    apply(record, state, entry)
    assert kinds(supply(thanks.record, state)) == ["erase"]


def test_who_never_saw_the_flags_takes_what_was_decided_about_them(street: Street) -> None:
    """A flag that is void, or about something that has gone, is erased; what it led to stays in the order."""
    ann, *flagging = street.join_all("Ann", "Bob", "Cy", "Di")
    post = street.post(ann)
    for who in flagging:
        street.flag(who, post)
    street.say(ann, Appeal(post, "Why?"))
    street.moderate(street.host, post, Action.RESTORE)
    late = [
        Placed(one.entry, one.record.erased()) if one.record.type == "flag" else one for one in street.placed
    ]
    found = replay(late).item(post)
    assert found is not None
    assert found.status is Status.VISIBLE
    with pytest.raises(AlreadyDone):  # nobody begins that now
        street.moderate(street.host, post, Action.RESTORE)
    with pytest.raises(WrongTarget):
        street.say(ann, Appeal(post, "Again?"))
