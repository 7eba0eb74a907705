"""What records about members, keys and agencies do to the state."""

from dataclasses import replace

from .applying_requests import write_profile
from .bodies import Agency, Body, Founding, Join, Leave, Officer, Remove, Replace, Role, Rotate, Settle
from .bodies.agencies import OfficerAction
from .changes import ChangeKind
from .envelope import Record
from .order import Entry
from .rows import Author, Hood, Kind, Standing, Subject
from .rules_people import STANDINGS
from .text import folded
from .types import Type
from .voiding import void_after
from .writing import Writer


def found(writer: Writer, body: Founding, record: Record, entry: Entry) -> Subject:
    """Begin a neighborhood."""
    _write_hood(writer, body, record.id)
    host = _welcome(writer, record, body.handle, Standing.HOST, entry)
    writer.store.put("handles", folded(body.handle), host.id)
    writer.add_to_count("members", 1)
    writer.tell(ChangeKind.FOUNDING, record.id, host.id)
    return host


def join(writer: Writer, body: Join, record: Record, entry: Entry) -> Subject:
    """Take in a member."""
    member = _welcome(writer, record, body.handle, Standing.MEMBER, entry)
    writer.store.put("handles", folded(body.handle), member.id)
    writer.store.put("invites", body.invite.invite, entry.number)
    writer.add_to_count("members", 1)
    writer.tell(ChangeKind.MEMBER, record.id, member.id)
    return member


def replace_key(writer: Writer, body: Replace, record: Record, entry: Entry) -> Subject | None:
    """Give a member a new key, and void what the old one signed after the last valid record."""
    replaced = body.invite.replaces
    member = writer.subject(replaced.member) if replaced else None
    if replaced is None or member is None:
        return None
    _cut(writer, member, replaced.last)
    _retire(writer, member.key)
    member = replace(member, key=record.author, frozen=False)
    writer.write_subject(member)
    writer.write_author(Author(record.author, member.id, record.id, entry.number, active=True))
    writer.store.put("invites", body.invite.invite, entry.number)
    writer.tell(ChangeKind.MEMBER, record.id, member.id)
    return member


def change_people(writer: Writer, body: Body, record: Record, subject: Subject, entry: Entry) -> None:
    """Everything else that is about who belongs here."""
    match body:
        case Founding():
            _write_hood(writer, body, writer.hood.id)
            writer.tell(ChangeKind.FOUNDING, record.id, subject.id)
        case Rotate():
            _retire(writer, record.author)
            writer.write_author(Author(body.key, subject.id, record.id, entry.number, active=True))
            writer.write_subject(replace(subject, key=body.key, frozen=False))
            writer.tell(ChangeKind.MEMBER, record.id, subject.id)
        case Leave():
            _part(writer, subject, Standing.LEFT)
            writer.tell(ChangeKind.MEMBER, record.id, subject.id)
        case Remove() if member := writer.subject(body.member):
            _cut(writer, member, body.last)
            _part(writer, replace(member, frozen=False), Standing.REMOVED)
            writer.tell(ChangeKind.MEMBER, record.id, member.id)
        case Settle() if member := writer.subject(body.member):
            _settle(writer, member, body.last, record)
        case Role() if other := writer.subject(body.subject):
            _change_role(writer, other, STANDINGS[body.role])
            writer.tell(ChangeKind.ROLE, record.id, other.id)
        case Agency():
            _enrol(writer, body, record, entry)
        case Officer():
            _certify(writer, body, record, subject, entry)


def _welcome(writer: Writer, record: Record, name: str, standing: Standing, entry: Entry) -> Subject:
    subject = Subject(record.id, Kind.MEMBER, name, record.author, standing, entry.number, entry.time_s)
    writer.write_subject(subject)
    writer.write_author(Author(record.author, record.id, record.id, entry.number, active=True))
    return subject


def _write_hood(writer: Writer, body: Founding, id_: str) -> None:
    hood = Hood(
        id_,
        body.name,
        body.center,
        body.radius_m,
        body.hub_key,
        body.mode,
        body.post_days,
        body.media_days,
        body.rules,
    )
    writer.store.put("meta", "hood", hood.pack())


def _retire(writer: Writer, key: str) -> None:
    if author := writer.author(key):
        writer.write_author(replace(author, active=False))


def _cut(writer: Writer, member: Subject, last: str) -> None:
    if place := writer.history.place_of(last):
        void_after(writer, member.id, place.number)


def _part(writer: Writer, member: Subject, standing: Standing) -> None:
    """End a membership."""
    _retire(writer, member.key)
    if member.standing is Standing.MODERATOR:
        writer.add_to_count("moderators", -1)
    writer.add_to_count("members", -1)
    writer.write_subject(replace(member, standing=standing))


def _settle(writer: Writer, member: Subject, last: str, record: Record) -> None:
    """Let a frozen author go on after the last valid record."""
    _cut(writer, member, last)
    writer.write_subject(replace(member, frozen=False))
    author = writer.author(member.key)
    if author and record.author != member.key:  # the host's own settling is the host's last record itself
        writer.write_author(replace(author, tip=last))
    writer.tell(ChangeKind.SETTLED, record.id, member.id)


def _change_role(writer: Writer, subject: Subject, standing: Standing) -> None:
    what = "moderators" if subject.kind is Kind.MEMBER else "agencies"
    writer.add_to_count(what, 1 if standing is Standing.MODERATOR or what == "agencies" else -1)
    if standing is Standing.SUSPENDED:
        writer.add_to_count(what, -2)
    writer.write_subject(replace(subject, standing=standing))


def _enrol(writer: Writer, body: Agency, record: Record, entry: Entry) -> None:
    """Take in an agency. With another key it is another one, and its officers are certified anew."""
    known = writer.subject(body.replaces) if body.replaces else None
    if known and known.key == body.key:
        known = replace(known, name=body.name)
        writer.write_subject(known)
        write_profile(writer, known, body, record, entry)
        writer.tell(ChangeKind.AGENCY, record.id, known.id)
        return
    agency = Subject(record.id, Kind.AGENCY, body.name, body.key, Standing.MEMBER, entry.number, entry.time_s)
    if known:
        writer.write_subject(replace(known, standing=Standing.REMOVED))
        _retire(writer, known.key)
    else:
        writer.add_to_count("agencies", 1)
    writer.write_subject(agency)
    writer.write_author(Author(body.key, agency.id, None, entry.number, active=True))
    write_profile(writer, agency, body, record, entry)
    writer.tell(ChangeKind.AGENCY, record.id, agency.id)


def _certify(writer: Writer, body: Officer, record: Record, agency: Subject, entry: Entry) -> None:
    known = writer.author(body.key)
    officer = writer.subject(known.subject) if known else None
    if officer is None:
        officer = Subject(
            record.id, Kind.OFFICER, body.name, body.key, Standing.MEMBER, entry.number, entry.time_s
        )
        writer.write_author(Author(body.key, officer.id, None, entry.number, active=True))
        writer.add_to_count(f"officers/{agency.id}", 1)
    elif officer.agency != agency.id and body.action is OfficerAction.CERTIFY:  # by its new key
        writer.add_to_count(f"officers/{agency.id}", 1)
    if body.action is OfficerAction.REVOKE:
        writer.add_to_count(f"officers/{officer.agency}", -1)
        officer = replace(officer, standing=Standing.REVOKED)
    else:
        officer = replace(officer, name=body.name, expires_s=body.expires_s, agency=agency.id)
    writer.write_subject(officer)
    writer.tell(ChangeKind.OFFICER, record.id, officer.id)


PEOPLE = frozenset({Type.FOUNDING, Type.MEMBER, Type.ROLE, Type.AGENCY, Type.OFFICER})
