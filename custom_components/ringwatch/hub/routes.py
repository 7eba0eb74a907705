"""Every call below a neighborhood's address: what answers it, and what the OpenAPI description says of it."""

from . import handlers_feed as reading, handlers_write as writing
from .blobs import PART_BYTES
from .call import DIGEST, NUMBER, Route
from .handlers_clock import confirm_clock, get_clock

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        ("records",),
        reading.records,
        "The newest records after a number; waits for one with `wait`",
        query=("after", "wait"),
        answers=((200, "Lines"), (304, ""), (409, "Error")),
    ),
    Route("GET", (), reading.overview, "What the neighborhood is", who="invited"),
    Route(
        "POST",
        ("records",),
        writing.post_record,
        "Send a record",
        who="invited",
        max_body=writing.MAX_RECORD,
        body="Record",
        answers=((200, "Placed"), (201, "Placed"), (409, "Error"), (422, "Error")),
    ),
    Route(
        "GET",
        ("segments", NUMBER),
        reading.segment,
        "A thousand records, packed",
        answers=((200, "Gzip"), (304, "")),
    ),
    Route("POST", ("bodies",), reading.bodies, "Records with bodies that are kept back", body="Ids"),
    Route("POST", ("search",), reading.search, "A page of the feed, or what a search finds", body="Search"),
    Route("GET", ("posts", DIGEST), reading.post, "One post or alert"),
    Route(
        "GET", ("posts", DIGEST, "comments"), reading.comments, "Comments, oldest first", query=("cursor",)
    ),
    Route("GET", ("log",), reading.log, "Moderators' decisions, newest first", query=("cursor",)),
    Route("GET", ("members",), reading.members, "Who belongs to the neighborhood", query=("cursor",)),
    Route(
        "POST",
        ("uploads",),
        writing.begin_upload,
        "Announce a clip or picture",
        body="Media",
        answers=((200, "Upload"), (201, "Upload"), (409, "Error"), (422, "Error")),
    ),
    Route(
        "GET",
        ("uploads", DIGEST),
        writing.look_upload,
        "How far an upload is",
        answers=((200, "Upload"), (422, "Error")),
    ),
    Route(
        "PUT",
        ("uploads", DIGEST),
        writing.put_part,
        "Send a part",
        query=("offset",),
        max_body=PART_BYTES,
        body="Part",
        answers=((200, "Upload"), (409, "Error"), (422, "Error")),
    ),
    Route(
        "DELETE",
        ("uploads", DIGEST),
        writing.drop_upload,
        "Forget an upload",
        answers=((204, ""), (409, "Error")),
    ),
    Route(
        "GET",
        ("blobs", DIGEST),
        writing.blob,
        "A clip or picture, or a part of it",
        answers=((200, "Bytes"), (206, "Bytes"), (304, ""), (416, "Error")),
    ),
    Route(
        "HEAD",
        ("blobs", DIGEST),
        writing.blob,
        "Its size and type",
        answers=((200, ""), (206, ""), (304, "")),
    ),
    Route("GET", ("usage",), writing.usage, "What members keep here", who="host"),
    Route("GET", ("clock",), get_clock, "Whether the hub's clock is believed", who="host"),
    Route(
        "POST",
        ("clock",),
        confirm_clock,
        "Confirm the hub's clock",
        who="host",
        body="Clock",
        answers=((200, "Json"), (409, "Error")),
    ),
    Route("GET", ("quotas",), writing.get_quotas, "Which quotas hold", who="host"),
    Route("PUT", ("quotas",), writing.put_quotas, "Set quotas", who="host", body="Quotas"),
    Route("GET", ("invites",), writing.invites, "Invites that were taken back or used", who="host"),
    Route(
        "POST", ("invites", "revoke"), writing.revoke_invite, "Take an invite back", who="host", body="Invite"
    ),
)
