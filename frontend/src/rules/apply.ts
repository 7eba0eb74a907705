/** A record takes its place in the order and has its effect. The same records in the same order give the same state. */

import type { VerifiedRecord } from "../protocol/envelope";
import type { Entry } from "../protocol/order";
import { ERASABLE } from "../protocol/types";
import { HubViolation, RecordViolation } from "../protocol/violations";
import { decide, fill, isItem, placeItem } from "./applying-feed";
import { changePeople, found, joinMember, replaceKey } from "./applying-people";
import {
  agree,
  answerAvailability,
  countHouseholds,
  followUp,
  keepDemand,
  passRequest,
  placeAsked,
  waitFor,
} from "./applying-requests";
import { DAY_S } from "./limits";
import type { Subject } from "./rows";
import { check } from "./rules";
import { checkLate } from "./rules-feed";
import { numbered, type State } from "./state";
import { Writer, type Change } from "./writing";

/** Check a record and bring it into the state. Throw RecordViolation. The caller rolls its store back then. */
export function apply(record: VerifiedRecord, state: State, entry: Entry): Change[] {
  const at = state.position;
  if (entry.number !== at.number + 1 || entry.previous !== at.head) {
    throw new HubViolation("order_gap", `entry ${at.number + 1} comes next`);
  }
  const writer = new Writer(state);
  passTime(writer, entry.time);
  const verdict = check(record, writer, entry.time, false);
  writer.store.put("meta", "position", [entry.number, entry.head, Math.max(entry.time, at.time)]);
  if (verdict === "evidence") {
    freeze(writer, record);
  } else {
    const subject = admit(writer, record, entry);
    if (subject) writer.countToday(writer.subject(subject.id) ?? subject, record.type, entry.time);
  }
  state.history.places.set(record.id, { number: entry.number, author: record.author });
  state.history.heads.set(entry.head, entry.number);
  return writer.changes;
}

/** Bring in a body that came later than its envelope. Throw RecordViolation if the hub should have refused it. */
export function supply(record: VerifiedRecord, state: State): Change[] {
  const waited = state.store.get("waiting", record.id);
  const place = state.history.places.get(record.id);
  const author = state.author(record.author);
  const subject = author && state.subject(author.subject);
  if (waited === undefined || !place || !record.body) {
    throw new RecordViolation("unknown_target", "nobody waits for this body");
  }
  if (!subject) throw new RecordViolation("not_a_member", "nobody here has this key");
  checkLate(record, record.body, subject, state, waited);
  const writer = new Writer(state);
  writer.store.delete("waiting", record.id);
  fill(writer, record, subject, place.number);
  return writer.changes;
}

/** Let the hub's signed time go on: what is due ends. Never give it a clock of one's own. */
export function advance(state: State, time: number): Change[] {
  const writer = new Writer(state);
  passTime(writer, time);
  return writer.changes;
}

function admit(writer: Writer, record: VerifiedRecord, entry: Entry): Subject | null {
  const { body } = record;
  if (!writer.isFounded && body?.kind === "founding") return found(writer, body, record, entry);
  if (body?.kind === "join") return joinMember(writer, body, record, entry);
  if (body?.kind === "replace") return replaceKey(writer, body, record, entry);
  if (body?.kind === "availability") {
    answerAvailability(writer, body);
    return null;
  }
  const author = writer.author(record.author);
  const subject = author && writer.subject(author.subject);
  if (!author || !subject) return null;
  writer.writeAuthor({ ...author, tip: record.id });
  if (isItem(record.type)) placeItem(writer, record, subject, entry);
  const asked = placeAsked(writer, record, subject, entry);
  if (ERASABLE.has(record.type)) {
    if (body) {
      fill(writer, record, subject, entry.number);
    } else {
      writer.store.put("waiting", record.id, waitFor(writer, record, subject, entry));
      if (!asked) writer.due(entry.time + writer.hood.post_days * DAY_S, "body", record.id);
    }
  } else if (body?.kind === "legal_demand") {
    keepDemand(writer, record, subject, entry);
  } else if (body?.kind === "extension" || body?.kind === "reminder" || body?.kind === "close") {
    followUp(writer, body, record, subject, entry);
  } else if (body?.kind === "partnership") {
    agree(writer, body, record, subject, entry);
  } else if (body?.kind === "partnership_count") {
    countHouseholds(writer, body, subject);
  } else if (body?.kind === "moderation" || body?.kind === "withdraw") {
    decide(writer, body, record, subject, entry);
  } else if (body) {
    changePeople(writer, body, record, subject, entry);
  }
  return subject;
}

/** Keep what shows that an author forked, and have nothing more of that author until the host decides. */
function freeze(writer: Writer, record: VerifiedRecord): void {
  const author = writer.author(record.author);
  const subject = author && writer.subject(author.subject);
  if (!subject) return;
  writer.store.put("once", `evidence/${record.id}`, true);
  writer.writeSubject({ ...subject, frozen: true });
  writer.tell("frozen", record.id, subject.id);
  if (ERASABLE.has(record.type)) writer.erase(record.id);
}

function passTime(writer: Writer, time: number): void {
  const at = writer.position;
  if (time <= at.time) return;
  for (let due = dueBy(writer, time); due.length; due = dueBy(writer, time)) {
    for (const key of due) end(writer, key); // one end can bring another
  }
  writer.store.put("meta", "position", [at.number, at.head, time]);
}

function dueBy(writer: Writer, time: number): string[] {
  return writer.store.keys("due", "", numbered(time + 1));
}

function end(writer: Writer, key: string): void {
  writer.store.delete("due", key);
  const [due, what = "", id = ""] = key.split("/");
  if (passRequest(writer, what, id, Number(due))) return;
  const item = writer.item(id);
  if (what === "body") {
    writer.store.delete("waiting", id);
  } else if (item && what === "item") {
    writer.dropItem(item);
  } else if (item && !item.ended) {
    writer.dropMedia(item);
    writer.writeItem({ ...item, mediaGone: true });
  }
}
