/**
 * May this record have the next place in the order? Reads the state and changes nothing. As `neighborhood/rules.py`.
 *
 * Asked before something is sent, and of everything the hub has taken, with the entry's time.
 */

import type { VerifiedRecord } from "../protocol/envelope";
import type { Type } from "../protocol/types";
import { RecordViolation } from "../protocol/violations";
import { DAILY, DAY_S, FUTURE_S } from "./limits";
import { isActive, MODERATING, type Author, type Subject } from "./rows";
import {
  checkAppeal,
  checkComment,
  checkFlag,
  checkModeration,
  checkPost,
  checkThanks,
  checkWithdraw,
} from "./rules-feed";
import {
  checkAgency,
  checkAmendment,
  checkFounding,
  checkJoin,
  checkOfficer,
  checkReplace,
  checkRole,
  checkStandingChange,
} from "./rules-people";
import {
  checkAvailability,
  checkFollowUp,
  checkPartnership,
  checkPartnershipCount,
  checkRequest,
} from "./rules-requests";
import type { State } from "./state";

/** "evidence": a second successor of one record. It gets its place, has no effect, and its author is frozen. */
export type Verdict = "accept" | "evidence";

const OF_THE_HOST: ReadonlySet<Type> = new Set<Type>(["founding", "role", "agency", "legal_demand", "partnership_count"]);
const OF_OFFICERS: ReadonlySet<Type> = new Set<Type>([
  "alert",
  "request_details",
  "footage_request",
  "extension",
  "reminder",
  "close",
]);
const OF_AGENCIES: ReadonlySet<Type> = new Set<Type>(["officer", "partnership"]);
const WRITING: ReadonlySet<Type> = new Set<Type>(["post", "comment", "thanks", "withdraw", "appeal"]);

/** Throw RecordViolation if the rules refuse the record. `complete` is false for a reader of old ones. */
export function check(record: VerifiedRecord, state: State, time: number, complete = true): Verdict {
  const { envelope, body } = record;
  if (state.history.places.has(record.id)) throw new RecordViolation("duplicate", "it is in the order already");
  if (envelope.created > time + FUTURE_S) throw new RecordViolation("from_the_future", "created ahead of the hub's time");
  if (!state.isFounded) {
    checkFounding(record);
    return "accept";
  }
  if (envelope.neighborhood !== state.hood.id) {
    throw new RecordViolation("other_neighborhood", "it belongs to another neighborhood");
  }
  if (envelope.head === null || !state.history.heads.has(envelope.head)) {
    throw new RecordViolation("unknown_head", "its author has seen an order that this is not");
  }
  if (body?.kind === "join" || body?.kind === "replace") {
    if (envelope.prev !== null) throw new RecordViolation("bad_previous", "a new key's first record has none before it");
    if (body.kind === "join") checkJoin(record, body, state, time);
    else checkReplace(record, body, state, time);
    return "accept";
  }
  if (record.type === "availability") {
    checkAvailability(record, state);
    return "accept";
  }
  const [author, subject] = known(record, state, time);
  const fork = isFork(record, author, state);
  if (subject.frozen && (fork || !freesTheHost(record, subject))) {
    throw new RecordViolation("frozen", "its author signed two records after one; the host decides first");
  }
  if (fork) return "evidence";
  checkAllowed(record, subject);
  checkDaily(record, subject, time);
  checkBody(record, subject, state, time, complete);
  return "accept";
}

function known(record: VerifiedRecord, state: State, time: number): [Author, Subject] {
  const author = state.author(record.author);
  const subject = author && state.subject(author.subject);
  if (!author || !subject) throw new RecordViolation("not_a_member", "nobody here has this key");
  if (!author.active || !isActive(subject)) {
    throw new RecordViolation("removed", "its author was removed, has left or has another key now");
  }
  if (subject.kind === "officer" && !state.officerIsValid(subject, time)) {
    throw new RecordViolation("expired", "the officer's certificate or the agency's enrolment has ended");
  }
  return [author, subject];
}

function isFork(record: VerifiedRecord, author: Author, state: State): boolean {
  const { prev } = record.envelope;
  if (prev === author.tip) return false;
  const place = prev === null ? undefined : state.history.places.get(prev);
  const theirs = place && state.author(place.author);
  if (theirs?.subject !== author.subject) {
    throw new RecordViolation("bad_previous", "`prev` is not its author's last record");
  }
  return true;
}

function freesTheHost(record: VerifiedRecord, subject: Subject): boolean {
  if (subject.standing !== "host") return false;
  return record.body?.kind === "rotate" || (record.body?.kind === "settle" && record.body.member === subject.id);
}

function checkAllowed({ type }: VerifiedRecord, subject: Subject): void {
  let allowed: boolean;
  if (OF_THE_HOST.has(type)) allowed = subject.standing === "host";
  else if (type === "moderation") allowed = MODERATING.has(subject.standing);
  else if (OF_OFFICERS.has(type)) allowed = subject.kind === "officer";
  else if (OF_AGENCIES.has(type)) allowed = subject.kind === "agency";
  else if (WRITING.has(type)) allowed = subject.kind !== "agency";
  else allowed = subject.kind === "member";
  if (!allowed) throw new RecordViolation("not_allowed", `a ${subject.standing} ${subject.kind} writes no ${type}`);
}

function checkDaily({ type }: VerifiedRecord, subject: Subject, time: number): void {
  if (subject.day !== Math.floor(time / DAY_S)) return;
  const count = subject.counted.find(([counted]) => counted === type)?.[1] ?? 0;
  if (count >= DAILY[type]) throw new RecordViolation("limit_reached", `${DAILY[type]} of the type ${type} a day`);
}

function checkBody(record: VerifiedRecord, subject: Subject, state: State, time: number, complete: boolean): void {
  const { body } = record;
  if (record.type === "footage_request") checkRequest(record, subject, state, time);
  if (!body) return; // an erased one has nothing to check
  switch (body.kind) {
    case "join":
    case "replace":
    case "availability":
    case "footage_request": // these went another way
    case "request_details": // has no rules of its own
      return;
    case "extension":
    case "reminder":
    case "close":
      checkFollowUp(body, subject, state);
      return;
    case "partnership":
      checkPartnership(body, subject, state);
      return;
    case "partnership_count":
      checkPartnershipCount(body, state);
      return;
    case "founding":
      checkAmendment(body, state);
      return;
    case "role":
      checkRole(body, state);
      return;
    case "post":
      checkPost(body, state, time);
      return;
    case "alert":
      checkPost(body, state, time, body.validUntil);
      return;
    case "comment":
      checkComment(body, state);
      return;
    case "thanks":
      checkThanks(body, subject, state);
      return;
    case "withdraw":
      checkWithdraw(body, subject, state);
      return;
    case "flag":
      checkFlag(body, subject, state);
      return;
    case "moderation":
      checkModeration(body, subject, state, complete);
      return;
    case "appeal":
      checkAppeal(body, subject, state, complete);
      return;
    case "agency":
      checkAgency(record, body, state, time);
      return;
    case "officer":
      checkOfficer(body, subject, state, time);
      return;
    case "legal_demand":
      if (body.served > time + FUTURE_S) throw new RecordViolation("from_the_future", "served later than now");
      return;
    default:
      checkStandingChange(record, body, subject, state);
  }
}
