"""Rules of what is written in the feed, and of what moderators do to it."""

from typing import Any

from .bodies import (
    Alert,
    Appeal,
    Body,
    Comment,
    Flag,
    FootageRequest,
    Moderation,
    Post,
    RequestDetails,
    Thanks,
    Withdraw,
)  # fmt: skip
from .bodies.care import Action
from .envelope import Record
from .limits import (
    AREA_SLACK_M,
    FUTURE_S,
    MAX_AGE_S,
    MAX_ALERT_S,
    MAX_APPEALS,
    MAX_COMMENTS,
    MAX_DECISIONS,
)  # fmt: skip
from .places import distance_m
from .rows import ENDED, KEPT_BACK, Item, Standing, Status, Subject
from .rows_requests import Ending
from .rules_requests import check_late_details, check_late_request
from .state import State
from .types import Type
from .violations import (
    AlreadyDone,
    BadField,
    FromTheFuture,
    LimitReached,
    NotAllowed,
    OutsideArea,
    OwnItem,
    TooOld,
    UnknownTarget,
    WrongTarget,
)  # fmt: skip
from .violations_requests import NotOpen

_COMMENTED = frozenset({Type.POST, Type.ALERT})
THANKS = "thanks"
FLAG = "flag"


def check_post(body: Post, state: State, time_s: int, *, valid_until_s: int | None = None) -> None:
    """Where and when it happened, and how long an alert holds."""
    hood = state.hood
    if body.place and distance_m(body.place, hood.center) > hood.radius_m + AREA_SLACK_M:
        raise OutsideArea(f"the place is more than {hood.radius_m} m from the center")
    if body.happened.end_s > time_s + FUTURE_S:
        raise FromTheFuture("it happened later than now")
    if body.happened.start_s < time_s - MAX_AGE_S:
        raise TooOld("it happened more than 60 days ago")
    if valid_until_s is not None and not time_s < valid_until_s <= time_s + MAX_ALERT_S:
        raise BadField("alert.valid_until: in the future, 7 days at most")


def check_comment(body: Comment, state: State) -> None:
    """Below a post or an alert that can be seen."""
    post = _visible(state, body.post)
    if post.type not in _COMMENTED:
        raise WrongTarget("comments are below posts and alerts")
    if post.comments >= MAX_COMMENTS:
        raise LimitReached(f"{MAX_COMMENTS} comments below one post")


def check_thanks(body: Thanks, subject: Subject, state: State) -> None:
    """Once, and not to oneself."""
    item = _visible(state, body.target)
    _not_a_request(item)
    _not_own(item, subject)
    if state.once(THANKS, item.id, subject.id):
        raise AlreadyDone("thanked already")


def check_flag(body: Flag, subject: Subject, state: State) -> None:
    """Once, of what others can see."""
    item = _visible(state, body.target)
    _not_own(item, subject)
    if state.once(FLAG, item.id, subject.id):
        raise AlreadyDone("flagged already")


def check_moderation(body: Moderation, subject: Subject, state: State, *, complete: bool) -> None:
    """Something that changes how an item stands, and isn't the moderator's own.

    Who reads old records may lack flags that are erased by now, and so what hid the item.
    """
    item = _living(state, body.target)
    request = state.request(item.id)
    if request and request.released_s is None and request.outcome not in {None, Ending.REFUSED}:
        raise NotOpen("the request has ended, and nobody has seen it")
    if item.subject == subject.id and subject.standing is not Standing.HOST:
        raise OwnItem("nobody moderates what is their own")
    done = {Action.HOLD: Status.HELD, Action.REMOVE: Status.REMOVED, Action.RESTORE: Status.VISIBLE}
    flagged = body.action is Action.RESTORE and item.open_flags
    if item.status is done[body.action] and not flagged and (complete or item.status is not Status.VISIBLE):
        raise AlreadyDone("it stands like that already")
    if len(item.decisions) >= MAX_DECISIONS and subject.standing is not Standing.HOST:
        raise LimitReached("moderators disagree: the host decides")


def check_appeal(body: Appeal, subject: Subject, state: State, *, complete: bool) -> None:
    """The author's, about what is kept back, once for each decision."""
    item = _living(state, body.target)
    if item.subject != subject.id:
        raise NotAllowed("only its author appeals")
    if item.status not in KEPT_BACK and complete:
        raise WrongTarget("it can be seen: there is nothing to appeal against")
    request = state.request(item.id)
    if request and request.outcome not in {None, Ending.REFUSED}:
        raise NotOpen("the request has ended")
    if item.open_appeal:
        raise AlreadyDone("the last appeal waits for a moderator")
    if len(item.appeals) >= MAX_APPEALS:
        raise LimitReached(f"{MAX_APPEALS} appeals for one item")


def check_withdraw(body: Withdraw, subject: Subject, state: State) -> None:
    """The author's own."""
    item = _living(state, body.target)
    _not_a_request(item)
    if item.subject != subject.id:
        raise NotAllowed("only its author takes it back")


def check_late(record: Record, body: Body, subject: Subject, state: State, waited: Any) -> None:
    """What can still be asked of a body that came later than its envelope: the rest has changed since.

    `waited` is what was kept for it: the time of its entry, and for a request what held then.
    """
    match body:
        case FootageRequest():
            check_late_request(record, body, state, waited)
        case RequestDetails():
            check_late_details(record, body, state)
        case Post():
            check_post(body, state, waited)
        case Alert():
            check_post(body.post, state, waited, valid_until_s=body.valid_until_s)
        case Comment() if (post := state.item(body.post)) and post.type not in _COMMENTED:
            raise WrongTarget("comments are below posts and alerts")
        case Thanks() | Flag() if item := state.item(body.target):
            _not_own(item, subject)
            if state.once(THANKS if isinstance(body, Thanks) else FLAG, item.id, subject.id):
                raise AlreadyDone("done already")
        case Appeal() if (item := state.item(body.target)) and item.subject != subject.id:
            raise NotAllowed("only its author appeals")
        case _:
            return


def _living(state: State, target: str) -> Item:
    item = state.item(target)
    if item is None:
        raise UnknownTarget("there is no such post or comment, or it has expired")
    if item.status in ENDED:
        raise WrongTarget("it was taken back")
    return item


def _visible(state: State, target: str) -> Item:
    item = _living(state, target)
    parent = state.item(item.parent) if item.parent else None
    if item.status is not Status.VISIBLE or (parent and parent.status is not Status.VISIBLE):
        raise WrongTarget("it can't be seen now")
    return item


def _not_a_request(item: Item) -> None:
    if item.type is Type.FOOTAGE_REQUEST:
        raise WrongTarget("a request is closed, and nobody thanks for it")


def _not_own(item: Item, subject: Subject) -> None:
    if item.subject == subject.id:
        raise OwnItem("not for what is one's own")
