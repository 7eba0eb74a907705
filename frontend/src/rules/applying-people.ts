/** What records about members, keys and agencies do to the state. As `neighborhood/applying_people.py`. */

import type { Body, BodyOf } from "../protocol/bodies";
import type { VerifiedRecord } from "../protocol/envelope";
import type { Entry } from "../protocol/order";
import { folded } from "../protocol/text";
import { writeProfile } from "./applying-requests";
import { packHood, type Kind, type Standing, type Subject } from "./rows";
import { STANDINGS } from "./rules-people";
import type { Writer } from "./writing";

/** Begin a neighborhood. */
export function found(writer: Writer, body: BodyOf<"founding">, record: VerifiedRecord, entry: Entry): Subject {
  writeHood(writer, body, record.id);
  const host = welcome(writer, record, body.handle, "host", entry);
  writer.store.put("handles", folded(body.handle), host.id);
  writer.addToCount("members", 1);
  writer.tell("founding", record.id, host.id);
  return host;
}

/** Take in a member. */
export function joinMember(writer: Writer, body: BodyOf<"join">, record: VerifiedRecord, entry: Entry): Subject {
  const member = welcome(writer, record, body.handle, "member", entry);
  writer.store.put("handles", folded(body.handle), member.id);
  writer.store.put("invites", body.invite.invite, entry.number);
  writer.addToCount("members", 1);
  writer.tell("member", record.id, member.id);
  return member;
}

/** Give a member a new key, and void what the old one signed after the last valid record. */
export function replaceKey(
  writer: Writer,
  body: BodyOf<"replace">,
  record: VerifiedRecord,
  entry: Entry,
): Subject | null {
  const { replaces } = body.invite;
  const before = replaces && writer.subject(replaces.member);
  if (!replaces || !before) return null;
  cut(writer, before, replaces.last);
  retire(writer, before.key);
  const member = { ...before, key: record.author, frozen: false };
  writer.writeSubject(member);
  writer.writeAuthor({ key: record.author, subject: member.id, tip: record.id, since: entry.number, active: true });
  writer.store.put("invites", body.invite.invite, entry.number);
  writer.tell("member", record.id, member.id);
  return member;
}

/** Everything else that is about who belongs here. */
export function changePeople(writer: Writer, body: Body, record: VerifiedRecord, subject: Subject, entry: Entry): void {
  switch (body.kind) {
    case "founding":
      writeHood(writer, body, writer.hood.id);
      writer.tell("founding", record.id, subject.id);
      return;
    case "rotate":
      retire(writer, record.author);
      writer.writeAuthor({ key: body.key, subject: subject.id, tip: record.id, since: entry.number, active: true });
      writer.writeSubject({ ...subject, key: body.key, frozen: false });
      writer.tell("member", record.id, subject.id);
      return;
    case "leave":
      part(writer, subject, "left");
      writer.tell("member", record.id, subject.id);
      return;
    case "remove": {
      const member = writer.subject(body.member);
      if (!member) return;
      cut(writer, member, body.last);
      part(writer, { ...member, frozen: false }, "removed");
      writer.tell("member", record.id, member.id);
      return;
    }
    case "settle": {
      const member = writer.subject(body.member);
      if (member) settle(writer, member, body.last, record);
      return;
    }
    case "role": {
      const other = writer.subject(body.subject);
      if (!other) return;
      changeRole(writer, other, STANDINGS[body.role]);
      writer.tell("role", record.id, other.id);
      return;
    }
    case "agency":
      enrol(writer, body, record, entry);
      return;
    case "officer":
      certify(writer, body, record, subject, entry);
      return;
    default:
  }
}

function newSubject(id: string, kind: Kind, name: string, key: string, standing: Standing, entry: Entry): Subject {
  const start = { since: entry.number, since_s: entry.time, frozen: false, agency: null, expires: 0, day: 0 };
  return { id, kind, name, key, standing, ...start, counted: [] };
}

function welcome(writer: Writer, record: VerifiedRecord, name: string, standing: Standing, entry: Entry): Subject {
  const subject = newSubject(record.id, "member", name, record.author, standing, entry);
  writer.writeSubject(subject);
  writer.writeAuthor({ key: record.author, subject: record.id, tip: record.id, since: entry.number, active: true });
  return subject;
}

function writeHood(writer: Writer, body: BodyOf<"founding">, id: string): void {
  writer.store.put("meta", "hood", packHood({ ...body, id }));
}

function retire(writer: Writer, key: string): void {
  const author = writer.author(key);
  if (author) writer.writeAuthor({ ...author, active: false });
}

function cut(writer: Writer, member: Subject, last: string): void {
  const place = writer.history.places.get(last);
  if (place) writer.voidAfter(member.id, place.number);
}

/** End a membership. */
function part(writer: Writer, member: Subject, standing: Standing): void {
  retire(writer, member.key);
  if (member.standing === "moderator") writer.addToCount("moderators", -1);
  writer.addToCount("members", -1);
  writer.writeSubject({ ...member, standing });
}

/** Let a frozen author go on after the last valid record. */
function settle(writer: Writer, member: Subject, last: string, record: VerifiedRecord): void {
  cut(writer, member, last);
  writer.writeSubject({ ...member, frozen: false });
  const author = writer.author(member.key);
  if (author && record.author !== member.key) writer.writeAuthor({ ...author, tip: last });
  writer.tell("settled", record.id, member.id);
}

function changeRole(writer: Writer, subject: Subject, standing: Standing): void {
  const what = subject.kind === "member" ? "moderators" : "agencies";
  writer.addToCount(what, standing === "moderator" || what === "agencies" ? 1 : -1);
  if (standing === "suspended") writer.addToCount(what, -2);
  writer.writeSubject({ ...subject, standing });
}

/** Take in an agency. With another key it is another one, and its officers are certified anew. */
function enrol(writer: Writer, body: BodyOf<"agency">, record: VerifiedRecord, entry: Entry): void {
  const agency = newSubject(record.id, "agency", body.name, body.key, "member", entry);
  const earlier = body.replaces === null ? null : writer.subject(body.replaces);
  if (earlier?.key === body.key) {
    const changed = { ...earlier, name: body.name };
    writer.writeSubject(changed);
    writeProfile(writer, changed, body, record, entry);
    writer.tell("agency", record.id, changed.id);
    return;
  }
  if (earlier) {
    writer.writeSubject({ ...earlier, standing: "removed" });
    retire(writer, earlier.key);
  } else {
    writer.addToCount("agencies", 1);
  }
  writer.writeSubject(agency);
  writer.writeAuthor({ key: body.key, subject: agency.id, tip: null, since: entry.number, active: true });
  writeProfile(writer, agency, body, record, entry);
  writer.tell("agency", record.id, agency.id);
}

function certify(
  writer: Writer,
  body: BodyOf<"officer">,
  record: VerifiedRecord,
  agency: Subject,
  entry: Entry,
): void {
  const known = writer.author(body.key);
  let officer = known && writer.subject(known.subject);
  if (!officer) {
    officer = newSubject(record.id, "officer", body.name, body.key, "member", entry);
    writer.writeAuthor({ key: body.key, subject: officer.id, tip: null, since: entry.number, active: true });
    writer.addToCount(`officers/${agency.id}`, 1);
  } else if (officer.agency !== agency.id && body.action === "certify") {
    writer.addToCount(`officers/${agency.id}`, 1); // by its new key
  }
  if (body.action === "revoke") {
    writer.addToCount(`officers/${officer.agency ?? ""}`, -1);
    officer = { ...officer, standing: "revoked" };
  } else {
    officer = { ...officer, name: body.name, expires: body.expires, agency: agency.id };
  }
  writer.writeSubject(officer);
  writer.tell("officer", record.id, officer.id);
}
