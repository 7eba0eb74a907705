/**
 * What agencies, footage requests and partnerships do to the state. As `neighborhood/applying_requests.py`.
 *
 * A request is an item, so that it can be flagged, moderated and appealed for, and a row of its own that stays when the item
 * goes. Its dates follow from the last decision about it, so that a void decision undoes itself.
 */

import type { Action, BodyOf } from "../protocol/bodies";
import type { Json } from "../protocol/canonical";
import type { VerifiedRecord } from "../protocol/envelope";
import type { Entry } from "../protocol/order";
import { DETAILS_KEPT_S, DETAILS_WAIT_S, KEY_HOLD_S, REQUEST_S } from "./limits";
import { newItem, packHood, type Item, type Subject } from "./rows";
import {
  newRequest,
  packAgency,
  packDetails,
  packPartnership,
  packRequest,
  type AgencyRow,
  type DetailsRow,
  type Ending,
  type PartnershipRow,
  type RequestRow,
} from "./rows-requests";
import { caseOf, type FollowUp } from "./rules-requests";
import { numbered } from "./state";
import type { Writer } from "./writing";

const FOREVER_S = 999_999_999_999; // what doesn't end by itself

// ---- agencies

/** Keep what an agency promises. A new key, or a new one to encrypt for, is held back from deliveries. */
export function writeProfile(writer: Writer, agency: Subject, body: BodyOf<"agency">, record: VerifiedRecord, entry: Entry): void {
  const before = writer.agency(body.replaces);
  const held = before !== null && (before.id !== agency.id || before.ageRecipient !== body.ageRecipient);
  const row: AgencyRow = {
    id: agency.id,
    root: before ? before.root : agency.id,
    profile: record.id,
    issued: body.issued,
    domain: body.domain,
    ageRecipient: body.ageRecipient,
    kind: body.agencyKind,
    jurisdiction: body.jurisdiction,
    retentionDays: body.retentionDays,
    sharing: body.sharing,
    faceRecognition: body.faceRecognition,
    terms: body.terms,
    enrolled: before ? before.enrolled : entry.time,
    keySince: before && !held ? before.keySince : entry.time,
    holdUntil: held ? entry.time + KEY_HOLD_S : (before?.holdUntil ?? null),
  };
  writer.store.put("agencies", agency.id, packAgency(row));
  writer.store.put("meta", `agency/${row.root}`, agency.id);
}

// ---- requests

/** Give a request, or its details, its rows: what can be said without its body. Return whether it was one. */
export function placeAsked(writer: Writer, record: VerifiedRecord, officer: Subject, entry: Entry): boolean {
  if (record.type === "request_details") placeDetails(writer, record, officer, entry);
  else if (record.type === "footage_request") placeRequest(writer, record, officer, entry);
  else return false;
  return true;
}

function placeDetails(writer: Writer, record: VerifiedRecord, officer: Subject, entry: Entry): void {
  const agency = writer.rootOf(officer);
  if (agency === null) return;
  writeDetails(writer, { id: record.id, subject: officer.id, agency, request: null, case: null });
  writer.due(entry.time + DETAILS_WAIT_S, "details", record.id);
  writer.tell("request_details", record.id, officer.id);
}

function placeRequest(writer: Writer, record: VerifiedRecord, officer: Subject, entry: Entry): void {
  const details = writer.details(record.envelope.prev ?? "");
  if (!details) return;
  const start = { id: record.id, subject: officer.id, number: entry.number, time: entry.time };
  const row = newRequest({ ...start, agency: details.agency, details: details.id, expires: entry.time + REQUEST_S });
  writer.writeItem(newItem({ ...start, type: record.type, expires: FOREVER_S, checkedFirst: true }));
  write(writer, row);
  writer.store.put("asked", numbered(row.number), row.id);
  writer.note(officer.id, entry.number, record.type, record.id, record.id);
  writer.due(row.expires, "request", row.id);
  writeDetails(writer, { ...details, request: row.id });
  writer.tell("footage_request", row.id, officer.id);
}

/** Return what a body that the hub keeps back has to be checked against when it comes. */
export function waitFor(writer: Writer, record: VerifiedRecord, officer: Subject, entry: Entry): Json {
  const agency = writer.agency(officer.agency);
  if (record.type !== "footage_request" || !agency) return entry.time;
  return [entry.time, [agency.id, packAgency(agency), packHood(writer.hood)]];
}

/** Bring in what only a request's body says. */
export function fillRequest(writer: Writer, id: string, body: BodyOf<"footage_request">): void {
  const row = writer.request(id);
  const item = writer.item(id);
  if (!row || row.outcome === "void") {
    writer.erase(id);
    return;
  }
  const { area, window, incident, availability } = body;
  write(writer, { ...row, known: true, area, start: window.from, end: window.to, incident, asks: availability });
  if (item) writer.writeItem({ ...item, known: true });
}

/** Bring in which case it is about. */
export function fillDetails(writer: Writer, id: string, body: BodyOf<"request_details">): void {
  const row = writer.details(id);
  if (row) writeDetails(writer, { ...row, case: caseOf(row.agency, body.caseNumber) });
  else writer.erase(id);
}

function writeDetails(writer: Writer, row: DetailsRow): void {
  writer.store.put("details", row.id, packDetails(row));
  const request = row.request === null ? null : writer.request(row.request);
  if (row.case !== null && request) writer.store.put("cases", `${row.case}/${numbered(request.number)}`, request.id);
}

/** An extension, a reminder or the end of a request, by an officer. */
export function followUp(writer: Writer, body: FollowUp, record: VerifiedRecord, officer: Subject, entry: Entry): void {
  let row = writer.request(body.request);
  if (!row) return;
  if (body.kind === "extension") {
    row = { ...row, extended: entry.time, expires: row.expires + REQUEST_S };
    writer.due(row.expires, "request", row.id);
  } else if (body.kind === "reminder") {
    row = { ...row, reminded: entry.time };
  } else {
    row = ended(writer, row, body.outcome, entry.time);
  }
  write(writer, row);
  writer.note(officer.id, entry.number, record.type, record.id, row.id);
  writer.tell(body.kind, row.id, officer.id);
}

/** Keep the hub's answer. */
export function answerAvailability(writer: Writer, body: BodyOf<"availability">): void {
  const row = writer.request(body.request);
  if (!row) return;
  write(writer, { ...row, answer: body.answer });
  writer.tell("availability", row.id);
}

/** Bring a request's dates to what moderators decided last, after a decision came or became void. */
export function followDecisions(writer: Writer, id: string): void {
  const item = writer.item(id);
  let row = writer.request(id);
  if (!item || !row || item.ended) return;
  const now = writer.position.time;
  const last = item.decisions.at(-1)?.action ?? null;
  if (last === "remove") {
    if (row.closed === null) {
      write(writer, ended(writer, row, "refused", now));
      writer.tell("close", row.id);
    }
    return;
  }
  if (row.outcome === "refused") row = { ...row, outcome: null, closed: null };
  if (row.closed !== null) return;
  row = released(writer, row, last, now);
  write(writer, row);
  expireIfDue(writer, row, now);
}

function released(writer: Writer, row: RequestRow, last: Action | null, now: number): RequestRow {
  if (last === null && row.released !== null) return { ...row, released: null, expires: row.time + REQUEST_S };
  if (last !== "restore" || row.released !== null) return row;
  writer.due(now + REQUEST_S, "request", row.id);
  return { ...row, released: now, expires: now + REQUEST_S };
}

/** Undo an extension, a reminder or a closing. */
export function voidFollowUp(writer: Writer, id: string, what: FollowUp["kind"]): void {
  let row = writer.request(id);
  if (!row) return;
  if (what === "extension") row = { ...row, extended: null, expires: row.expires - REQUEST_S };
  else if (what === "reminder") row = { ...row, reminded: null };
  else row = { ...row, closed: null, outcome: null };
  write(writer, row);
  if (row.closed === null) expireIfDue(writer, row, writer.position.time);
}

/** Undo a request: it is as if it had never been, for whoever had its body and whoever hadn't. */
export function voidRequest(writer: Writer, item: Item): void {
  writer.endItem(item, "void");
  const row = writer.request(item.id);
  if (!row) return;
  eraseDetails(writer, row.details);
  const closed = writer.position.time;
  write(writer, { ...newRequest(row), closed, outcome: "void" });
  writer.due(closed + DETAILS_KEPT_S, "forget", row.id);
}

/** Do what is due: a request expires, or its details go. Return whether this was about a request. */
export function passRequest(writer: Writer, what: string, id: string, due: number): boolean {
  if (what === "details") {
    if (writer.details(id)?.request === null) eraseDetails(writer, id);
    return true;
  }
  if (what !== "request" && what !== "forget") return false;
  const row = writer.request(id);
  if (!row) return true;
  if (what === "request") {
    if (row.closed === null) expireIfDue(writer, row, Math.min(row.expires, due));
  } else if (row.closed !== null && row.closed + DETAILS_KEPT_S <= due) {
    eraseDetails(writer, row.details);
    const item = writer.item(row.id);
    if (item) writer.forgetItem(item);
  }
  return true;
}

function expireIfDue(writer: Writer, row: RequestRow, now: number): void {
  if (row.expires > now) return;
  write(writer, ended(writer, row, "expired", now));
  writer.tell("close", row.id);
}

function ended(writer: Writer, row: RequestRow, outcome: Ending, now: number): RequestRow {
  writer.due(now + DETAILS_KEPT_S, "forget", row.id);
  return { ...row, closed: now, outcome };
}

function eraseDetails(writer: Writer, id: string): void {
  const row = writer.details(id);
  if (!row) return;
  const request = row.request === null ? null : writer.request(row.request);
  if (row.case !== null && request) writer.store.delete("cases", `${row.case}/${numbered(request.number)}`);
  writer.store.delete("details", id);
  writer.erase(id);
}

function write(writer: Writer, row: RequestRow): void {
  writer.store.put("requests", row.id, packRequest(row));
  const key = `${row.agency}/${numbered(row.number)}`;
  if (row.closed === null) writer.store.put("open", key, row.id);
  else writer.store.delete("open", key);
}

// ---- partnerships and demands

/** Keep an agreement. What came of the one before it goes on. */
export function agree(writer: Writer, body: BodyOf<"partnership">, record: VerifiedRecord, agency: Subject, entry: Entry): void {
  const before = body.replaces === null ? null : writer.partnership(body.replaces);
  if (before) writer.store.put("partnerships", before.id, packPartnership({ ...before, replaced: true }));
  const row: PartnershipRow = {
    id: record.id,
    agency: writer.rootOf(agency) ?? agency.id,
    number: entry.number,
    time: entry.time,
    terms: body.terms,
    code: body.code,
    seedCameras: body.seedCameras,
    households: before?.households ?? 0,
    camerasGiven: before?.camerasGiven ?? 0,
    replaced: false,
  };
  writer.store.put("partnerships", row.id, packPartnership(row));
  writer.tell("partnership", row.id, agency.id);
}

/** Keep how many households have come. */
export function countHouseholds(writer: Writer, body: BodyOf<"partnership_count">, subject: Subject): void {
  const row = writer.partnership(body.partnership);
  if (!row) return;
  const { households, camerasGiven } = body;
  writer.store.put("partnerships", row.id, packPartnership({ ...row, households, camerasGiven }));
  writer.tell("partnership_count", row.id, subject.id);
}

/** Note what the hub was served with. */
export function keepDemand(writer: Writer, record: VerifiedRecord, host: Subject, entry: Entry): void {
  writer.store.put("demands", numbered(entry.number), [record.id, entry.time]);
  writer.tell("legal_demand", record.id, host.id);
}
