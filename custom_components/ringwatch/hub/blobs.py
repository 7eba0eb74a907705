"""Clips and pictures: which are there, whose they are, which records name them. Files: `blob_files.py`.

A medium is uploaded first and named by a record then. What no record names within a day goes again. Two
members may upload the same bytes: each has to send all of them, one file is kept.
"""

from dataclasses import dataclass
import hashlib
import hmac
import json
import secrets
import sqlite3
from typing import Any, Final

from ..neighborhood.bodies import Alert, Body, Post
from ..neighborhood.bodies.feed import Media
from ..neighborhood.limits import DAY_S
from ..neighborhood.rows import Subject
from ..neighborhood.state import State, may_see_body
from .errors import Refusal, forbidden, not_found, quota_exceeded

PART_BYTES: Final = 1024 * 1024
MAX_OPEN: Final = 10  # uploads of one member at a time: two posts' worth
UNNAMED_S: Final = DAY_S
# What a file costs that was not what it was announced as, in bytes of the day's uploads: looking into one may
# take 20 s, so a member has some 30 tries a day.
REFUSED_BYTES: Final = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Quotas:
    """What a member may store and move. The host changes them."""

    member_media_bytes: int = 2 * 1024**3
    member_upload_bytes_day: int = 1024**3
    member_download_bytes_day: int = 5 * 1024**3
    total_media_bytes: int = 20 * 1024**3


@dataclass(frozen=True, slots=True)
class Upload:
    """One member's upload of one medium."""

    owner: str
    media: Media
    offset: int
    ready: bool

    @property
    def is_complete(self) -> bool:
        """Whether all its bytes are there."""
        return self.offset >= self.media.size_bytes


def find(db: sqlite3.Connection, sha256: str, owner: str) -> Upload | None:
    """Return a member's upload, or None."""
    row = db.execute(
        "SELECT media, offset, ready FROM uploads WHERE sha256 = ? AND owner = ?", (sha256, owner)
    ).fetchone()
    return Upload(owner, Media.parse(json.loads(row[0])), row[1], bool(row[2])) if row else None


def begin(
    db: sqlite3.Connection, media: Media, owner: str, quotas: Quotas, now_s: int
) -> tuple[Upload, str | None]:
    """Begin an upload or go on with it; return it with the token for its next part. Raise Refusal."""
    upload = find(db, media.sha256, owner)
    if upload is None:
        if media.size_bytes + _sum(db, "WHERE owner = ?", owner) > quotas.member_media_bytes:
            raise quota_exceeded("media", 3_600)
        if media.size_bytes + _sum(db, "") > quotas.total_media_bytes:
            raise quota_exceeded("media of all members", 3_600)
        if media.size_bytes + _spent(db, owner, now_s) > quotas.member_upload_bytes_day:
            raise quota_exceeded("uploads a day", DAY_S - now_s % DAY_S)
        [count] = db.execute(
            "SELECT count(*) FROM uploads WHERE owner = ? AND ready = 0", (owner,)
        ).fetchone()
        if count >= MAX_OPEN:
            raise quota_exceeded("unfinished uploads", 60)
        db.execute(
            "INSERT INTO uploads (sha256, owner, media, size, touched_s) VALUES (?, ?, ?, ?, ?)",
            (media.sha256, owner, json.dumps(media.to_json()), media.size_bytes, now_s),
        )
        upload = Upload(owner, media, 0, False)
    elif upload.media != media:
        raise Refusal(409, "media_differs", "it was announced with another size or type before")
    return upload, next_token(db, upload, now_s)


def next_token(db: sqlite3.Connection, upload: Upload, now_s: int) -> str | None:
    """Return the token for the next part, good once; the one before is void. None if nothing is missing."""
    if upload.ready or upload.is_complete:
        return None
    token = secrets.token_hex(16)
    _touch(db, upload, hashlib.sha256(token.encode()).digest(), now_s)
    return token


def take_token(db: sqlite3.Connection, sha256: str, owner: str, token: str, offset: int) -> Upload:
    """Use a token up. Raise Refusal.

    It is bound to the member, the digest, the size and the type by the row it stands in.
    """
    row = db.execute("SELECT token FROM uploads WHERE sha256 = ? AND owner = ?", (sha256, owner)).fetchone()
    upload = find(db, sha256, owner)
    if row is None or upload is None:
        raise not_found()
    if row[0] is None or not hmac.compare_digest(row[0], hashlib.sha256(token.encode()).digest()):
        raise forbidden("bad_token", "the token was used, or is for another part")
    if offset != upload.offset:
        raise Refusal(409, "offset_moved", "the upload is somewhere else", more={"offset": upload.offset})
    db.execute("UPDATE uploads SET token = NULL WHERE sha256 = ? AND owner = ?", (sha256, owner))
    return upload


def advance(db: sqlite3.Connection, upload: Upload, length: int, now_s: int) -> tuple[Upload, str | None]:
    """Note that a part is on the disk; return the token for the next one. Raise Refusal."""
    changed = db.execute(
        "UPDATE uploads SET offset = offset + ?, touched_s = ? WHERE sha256 = ? AND owner = ? AND offset = ?",
        (length, now_s, upload.media.sha256, upload.owner, upload.offset),
    ).rowcount
    if not changed:
        raise not_found()
    spend(db, upload.owner, length, now_s)
    after = Upload(upload.owner, upload.media, upload.offset + length, False)
    return after, next_token(db, after, now_s)


def spend(db: sqlite3.Connection, owner: str, count: int, now_s: int) -> None:
    """Note bytes of a day's uploads."""
    day = now_s // DAY_S
    db.execute("DELETE FROM spent WHERE day < ?", (day - 1,))
    db.execute(
        "INSERT INTO spent VALUES (?, ?, ?) ON CONFLICT (owner, day) DO UPDATE SET up = up + excluded.up",
        (owner, day, count),
    )


def finish(db: sqlite3.Connection, upload: Upload, now_s: int) -> None:
    """Note that a file was looked at, is what it says, and is in its place."""
    db.execute(
        "UPDATE uploads SET ready = 1, token = NULL, touched_s = ? WHERE sha256 = ? AND owner = ?",
        (now_s, upload.media.sha256, upload.owner),
    )


def drop(db: sqlite3.Connection, sha256: str, owner: str) -> bool:
    """Forget an upload, unless a record names it. Return whether its file is nobody's now."""
    row = db.execute("SELECT 1 FROM names WHERE sha256 = ? AND owner = ? LIMIT 1", (sha256, owner)).fetchone()
    if row:
        raise Refusal(409, "media_named", "a record names it: withdraw that")
    if not db.execute("DELETE FROM uploads WHERE sha256 = ? AND owner = ?", (sha256, owner)).rowcount:
        raise not_found()
    return not is_wanted(db, sha256)


def name(db: sqlite3.Connection, body: Body | None, record_id: str, subject: Subject) -> None:
    """Note which media a new record names. Raise Refusal if one isn't there for its author."""
    if not isinstance(body, Post | Alert):
        return
    media = body.post.media if isinstance(body, Alert) else body.media
    missing = [one.sha256 for one in media if not _is_there_for(db, one, subject)]
    if missing:
        raise Refusal(
            409, "media_missing", "upload what the record names, then send it again", more={"media": missing}
        )
    for one in media:
        db.execute("INSERT OR IGNORE INTO names VALUES (?, ?, ?)", (one.sha256, record_id, subject.id))


def unname(db: sqlite3.Connection, record_id: str) -> list[str]:
    """Note that a record's media go; return those that nobody else names, to be deleted."""
    gone = []
    rows = db.execute("SELECT sha256, owner FROM names WHERE record = ?", (record_id,)).fetchall()
    db.execute("DELETE FROM names WHERE record = ?", (record_id,))
    for sha256, owner in rows:
        db.execute(
            "DELETE FROM uploads WHERE sha256 = ?1 AND owner = ?2 AND NOT EXISTS "
            "(SELECT 1 FROM names WHERE sha256 = ?1 AND owner = ?2)",
            (sha256, owner),
        )
        if not is_wanted(db, sha256):
            gone.append(sha256)
    return gone


def is_wanted(db: sqlite3.Connection, sha256: str) -> bool:
    """Return whether anybody has uploaded a file to keep it, or names it."""
    return bool(
        db.execute(
            "SELECT 1 FROM uploads WHERE sha256 = ?1 AND ready = 1"
            " UNION SELECT 1 FROM names WHERE sha256 = ?1",
            (sha256,),
        ).fetchone()
    )


def forgotten(db: sqlite3.Connection, now_s: int) -> list[tuple[str, str]]:
    """Forget uploads that came to nothing; return (digest, owner) of each."""
    return db.execute(
        "DELETE FROM uploads WHERE touched_s < ?1 AND NOT EXISTS "
        "(SELECT 1 FROM names WHERE names.sha256 = uploads.sha256 AND names.owner = uploads.owner) "
        "RETURNING sha256, owner",
        (now_s - UNNAMED_S,),
    ).fetchall()


def seen_by(db: sqlite3.Connection, state: State, sha256: str, viewer: Subject) -> Media | None:
    """Return a medium if the viewer uploaded it or may see a record that names it."""
    mine = find(db, sha256, viewer.id)
    if mine and mine.ready:
        return mine.media
    for (record_id,) in db.execute("SELECT record FROM names WHERE sha256 = ?", (sha256,)):
        item = state.item(record_id)
        if item and not item.media_gone and may_see_body(item, viewer):
            return next((one for one in item.media if one.sha256 == sha256), None)
    return None


def usage(db: sqlite3.Connection) -> list[dict[str, Any]]:
    """Return what members keep here, most first."""
    rows = db.execute(
        "SELECT owner, sum(size * ready), sum(size * (1 - ready)) FROM uploads"
        " GROUP BY owner ORDER BY sum(size) DESC"
    )
    return [
        {"subject": owner, "media_bytes": media, "uploads_bytes": under_way}
        for owner, media, under_way in rows
    ]


def _is_there_for(db: sqlite3.Connection, media: Media, subject: Subject) -> bool:
    """Return whether an author has sent a file.

    To have seen it is not enough: it would stay here, in nobody's quota, after whoever sent it took it back.
    """
    upload = find(db, media.sha256, subject.id)
    return upload is not None and upload.ready and upload.media == media


def _sum(db: sqlite3.Connection, where: str, *values: str) -> int:
    [total] = db.execute(f"SELECT coalesce(sum(size), 0) FROM uploads {where}", values).fetchone()  # noqa: S608
    return int(total)


def _spent(db: sqlite3.Connection, owner: str, now_s: int) -> int:
    row = db.execute("SELECT up FROM spent WHERE owner = ? AND day = ?", (owner, now_s // DAY_S)).fetchone()
    return row[0] if row else 0


def _touch(db: sqlite3.Connection, upload: Upload, token: bytes, now_s: int) -> None:
    db.execute(
        "UPDATE uploads SET token = ?, touched_s = ? WHERE sha256 = ? AND owner = ?",
        (token, now_s, upload.media.sha256, upload.owner),
    )
