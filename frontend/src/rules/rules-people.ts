/** Rules of who belongs to a neighborhood: founding, joining, keys, roles, agencies. As `neighborhood/rules_people.py`. */

import type { Body, BodyOf, RoleName } from "../protocol/bodies";
import type { Certificate } from "../protocol/certificates";
import type { VerifiedRecord } from "../protocol/envelope";
import { RecordViolation } from "../protocol/violations";
import { FUTURE_S, INVITE_S, MAX_AGENCIES, MAX_CERTIFICATE_S, MAX_MEMBERS, MAX_MODERATORS, MAX_OFFICERS } from "./limits";
import { isActive, type Standing, type Subject } from "./rows";
import type { State } from "./state";

export function checkFounding(record: VerifiedRecord): void {
  const { body, envelope } = record;
  if (body?.kind !== "founding" || envelope.neighborhood !== null) {
    throw new RecordViolation("not_founded", "the first record is the founding");
  }
  if (envelope.prev !== null || envelope.head !== null) {
    throw new RecordViolation("bad_previous", "there is nothing before the founding");
  }
  if (body.hub_key === record.author) throw new RecordViolation("bad_field", "the hub has a key of its own");
}

/** What the host may change later: name, radius, moderation, days and rules. */
export function checkAmendment(body: BodyOf<"founding">, state: State): void {
  const { hub_key, center } = state.hood;
  const moved = body.center.lat_e6 !== center.lat_e6 || body.center.lon_e6 !== center.lon_e6;
  if (body.hub_key !== hub_key || moved || body.handle !== state.host.name) {
    throw new RecordViolation("not_allowed", "center, hub key and the host's name stay as they were founded");
  }
}

export function checkJoin(record: VerifiedRecord, body: BodyOf<"join">, state: State, time: number): void {
  checkInvite(record, body.invite, state, time);
  if (body.invite.replaces) throw new RecordViolation("bad_invite", "this invite replaces a member's key");
  if (state.handleIsTaken(body.handle)) throw new RecordViolation("handle_taken", "somebody has that name");
  if (state.count("members") >= MAX_MEMBERS) throw new RecordViolation("limit_reached", `${MAX_MEMBERS} members`);
}

export function checkReplace(record: VerifiedRecord, body: BodyOf<"replace">, state: State, time: number): void {
  checkInvite(record, body.invite, state, time);
  const { replaces } = body.invite;
  if (!replaces) throw new RecordViolation("bad_invite", "this invite is for a new member");
  checkLast(memberThere(state, replaces.member), replaces.last, state);
}

function checkInvite(record: VerifiedRecord, invite: Certificate, state: State, time: number): void {
  if (invite.neighborhood !== state.hood.id || invite.host !== state.host.key || !record.proved) {
    throw new RecordViolation("bad_invite", "the host didn't sign this invite");
  }
  if (invite.expires <= time) throw new RecordViolation("expired", "the invite has expired");
  if (invite.expires > time + INVITE_S) throw new RecordViolation("bad_invite", "an invite is good for 7 days");
  if (state.inviteIsUsed(invite.invite)) throw new RecordViolation("invite_used", "somebody joined with this invite");
  checkNewKey(record.author, state);
}

function checkNewKey(key: string, state: State): void {
  if (state.author(key) || key === state.hood.hub_key || state.inviteIsUsed(key)) {
    throw new RecordViolation("key_taken", "the key is known here already");
  }
}

type StandingChange = Extract<Body, { kind: "rotate" | "remove" | "settle" | "leave" }>;

export function checkStandingChange(record: VerifiedRecord, body: StandingChange, subject: Subject, state: State): void {
  switch (body.kind) {
    case "rotate":
      checkNewKey(body.key, state);
      if (!record.proved) throw new RecordViolation("key_taken", "whoever has the new key didn't say so");
      return;
    case "leave":
      if (subject.standing === "host") throw new RecordViolation("not_allowed", "the host can't leave");
      return;
    case "remove":
      byHost(subject);
      checkLast(memberThere(state, body.member), body.last, state);
      return;
    case "settle": {
      byHost(subject);
      const member = frozenOne(state, body.member);
      const last = checkLast(member, body.last, state);
      const author = state.author(member.key);
      if (!author || last < author.since) {
        throw new RecordViolation("wrong_target", "`last` is older than the member's key");
      }
    }
  }
}

function byHost(subject: Subject): void {
  if (subject.standing !== "host") throw new RecordViolation("not_allowed", "only the host decides about members");
}

/** Return a member that the host may decide about: not the host, who signed this. */
function memberThere(state: State, id: string): Subject {
  const member = state.subject(id);
  if (!member) throw new RecordViolation("unknown_target", "there is no such member");
  if (member.kind !== "member" || member.standing === "host") {
    throw new RecordViolation("wrong_target", "not a member that can be removed or replaced");
  }
  if (!isActive(member)) throw new RecordViolation("already_done", "the member is gone already");
  return member;
}

function frozenOne(state: State, id: string): Subject {
  const subject = state.subject(id);
  if (!subject) throw new RecordViolation("unknown_target", "there is no such author");
  if (!subject.frozen) throw new RecordViolation("already_done", "the author is not frozen");
  return subject;
}

/** Return the number of the member's last valid record. */
function checkLast(member: Subject, last: string, state: State): number {
  const place = state.history.places.get(last);
  const author = place && state.author(place.author);
  if (!place || author?.subject !== member.id || state.isEvidence(last)) {
    throw new RecordViolation("wrong_target", "`last` is not a valid record of that author");
  }
  return place.number;
}

export const STANDINGS: Record<RoleName, Standing> = {
  moderator: "moderator",
  member: "member",
  agency: "member",
  none: "suspended",
};

export function checkRole(body: BodyOf<"role">, state: State): void {
  const subject = state.subject(body.subject);
  if (!subject) throw new RecordViolation("unknown_target", "there is nobody with this id");
  const fits =
    subject.kind === "member"
      ? (body.role === "moderator" || body.role === "member") && subject.standing !== "host"
      : (body.role === "agency" || body.role === "none") && subject.kind === "agency";
  if (!fits || subject.standing === "removed" || subject.standing === "left") {
    throw new RecordViolation("wrong_target", "that one can't have this role");
  }
  if (subject.standing === STANDINGS[body.role]) throw new RecordViolation("already_done", "that one has this role");
  if (body.role === "moderator" && state.count("moderators") >= MAX_MODERATORS) {
    throw new RecordViolation("limit_reached", `${MAX_MODERATORS} moderators`);
  }
  if (body.role === "agency" && state.count("agencies") >= MAX_AGENCIES) {
    throw new RecordViolation("limit_reached", `${MAX_AGENCIES} agencies`);
  }
}

/** A local agency that signed its profile; or one that is here, with another profile or key. */
export function checkAgency(record: VerifiedRecord, body: BodyOf<"agency">, state: State, time: number): void {
  if (body.agencyKind === "federal" || body.agencyKind === "immigration") {
    throw new RecordViolation("agency_refused", "federal and immigration agencies are not enrolled");
  }
  if (!record.proved) throw new RecordViolation("not_proved", "the agency's key has not signed this profile");
  if (body.issued > time + FUTURE_S) throw new RecordViolation("from_the_future", "the profile was signed later than now");
  const earlier = state.agency(body.replaces);
  const subject = body.replaces === null ? null : state.subject(body.replaces);
  if (subject?.kind !== "agency" || subject.key !== body.key) checkNewKey(body.key, state);
  for (const other of state.agencies()) {
    const isNow = state.agencyNow(other.root)?.id === other.id;
    if (other.domain === body.domain && isNow && other.root !== earlier?.root) {
      throw new RecordViolation("domain_taken", "an agency with this domain is here: change its profile or key");
    }
  }
  if (body.replaces === null) {
    if (state.count("agencies") >= MAX_AGENCIES) throw new RecordViolation("limit_reached", `${MAX_AGENCIES} agencies`);
    return;
  }
  if (!subject) throw new RecordViolation("unknown_target", "there is no such agency");
  if (!earlier || !isActive(subject)) throw new RecordViolation("wrong_target", "not an agency that is enrolled");
  if (body.issued <= earlier.issued) throw new RecordViolation("profile_old", "the agency has signed a newer profile");
}

export function checkOfficer(body: BodyOf<"officer">, agency: Subject, state: State, time: number): void {
  const author = state.author(body.key);
  const officer = author && state.subject(author.subject);
  const root = officer?.agency ? state.rootOf(officer) : null;
  const own = root !== null && root === state.rootOf(agency);
  if (body.action === "revoke") {
    if (!officer || !own) throw new RecordViolation("unknown_target", "no officer with this key");
    if (!isActive(officer)) throw new RecordViolation("already_done", "the officer's key is revoked");
    return;
  }
  if (!(time < body.expires && body.expires <= time + MAX_CERTIFICATE_S)) {
    throw new RecordViolation("bad_field", "officer.expires: in the future, 400 days at most");
  }
  if (!officer) checkNewKey(body.key, state);
  else if (!own || !isActive(officer)) throw new RecordViolation("key_taken", "the key is somebody else's, or was revoked");
  const isNew = officer?.agency !== agency.id; // to the agency, or to its present key
  if (isNew && state.count(`officers/${agency.id}`) >= MAX_OFFICERS) {
    throw new RecordViolation("limit_reached", `${MAX_OFFICERS} officers of one agency`);
  }
}
