/** Rules of what officers may ask for, and of what agencies and hosts agree on. As `neighborhood/rules_requests.py`. */

import type { BodyOf } from "../protocol/bodies";
import { HOUSEHOLDS_STEP, type FootageRequest, type IncidentKind, type Span } from "../protocol/bodies-requests";
import { digest, utf8 } from "../protocol/bytes";
import type { Json } from "../protocol/canonical";
import type { VerifiedRecord } from "../protocol/envelope";
import { areaM2, isSimple, touchesCircle, within, type Polygon } from "../protocol/geometry";
import { folded } from "../protocol/text";
import { RecordViolation } from "../protocol/violations";
import {
  FUTURE_S,
  MAX_AREA_M2,
  MAX_INCIDENT_AGE_S,
  MAX_OPEN,
  MAX_PER_CASE,
  MAX_WINDOW_S,
  MIN_AREA_M2,
  MIN_WINDOW_S,
} from "./limits";
import { unpackHood, type Hood, type Subject } from "./rows";
import { unpackAgency, type AgencyRow, type RequestRow } from "./rows-requests";
import { requestStatus, type State } from "./state";

/** What a request is judged against. */
export interface Ground {
  agency: { jurisdiction: Polygon };
  hood: Pick<Hood, "center" | "radius_m">;
  now: number;
}

/** Return what is wrong with a request by itself: for the page that draws it, and for `checkRequest`. */
export function previewRequest(area: Polygon, window: Span, incident: IncidentKind, ground: Ground): RecordViolation[] {
  const found: RecordViolation[] = [];
  const wrong = (code: string, about: string): number => found.push(new RecordViolation(code, about));
  if (incident === "assembly") wrong("lawful_assembly", "nobody is asked for footage of people who gather lawfully");
  const length = window.to - window.from;
  if (length < MIN_WINDOW_S) wrong("window_too_short", "15 minutes at least");
  if (length > MAX_WINDOW_S) wrong("window_too_long", "12 hours at most");
  if (window.to > ground.now + FUTURE_S) wrong("from_the_future", "the window ends later than now");
  if (window.from < ground.now - MAX_INCIDENT_AGE_S) wrong("too_old", "it began more than 30 days ago");
  if (!isSimple(area)) {
    wrong("bad_area", "the edges of the area cross or touch");
    return found;
  }
  const size = areaM2(area);
  if (size < MIN_AREA_M2) wrong("area_too_small", `${size} square metres, ${MIN_AREA_M2} at least`);
  if (size > MAX_AREA_M2) wrong("area_too_large", `${size} square metres, ${MAX_AREA_M2} at most`);
  if (!within(area, ground.agency.jurisdiction)) {
    wrong("outside_jurisdiction", "the area is not all in the agency's jurisdiction");
  }
  if (!touchesCircle(area, ground.hood.center, ground.hood.radius_m)) {
    wrong("outside_area", "the area doesn't touch the neighborhood");
  }
  return found;
}

/** Behind its details, within all limits, with the promises of the agency's profile. Without its body only its place counts. */
export function checkRequest(record: VerifiedRecord, officer: Subject, state: State, time: number): void {
  const details = state.details(record.envelope.prev ?? "");
  const agency = state.agency(officer.agency);
  if (details?.subject !== officer.id || !agency) {
    throw new RecordViolation("wrong_target", "a request comes right after the record with its details");
  }
  if (record.body?.kind === "footage_request") {
    if (record.body.details !== details.id) throw new RecordViolation("wrong_target", "these are not the details before it");
    checkAsking(record.body, agency, state.hood, time);
  }
  if (state.unfinished(agency.root).length >= MAX_OPEN) {
    throw new RecordViolation("too_many_open", `${MAX_OPEN} requests of one agency at a time`);
  }
  if (details.case !== null && state.requestsOfCase(details.case) >= MAX_PER_CASE) {
    throw new RecordViolation("third_of_case", `${MAX_PER_CASE} requests for one case`);
  }
}

/** What a request says: where, when, what, and what the agency promises. */
function checkAsking(body: FootageRequest, agency: AgencyRow, hood: Hood, now: number): void {
  const [violation] = previewRequest(body.area, body.window, body.incident, { agency, hood, now });
  if (violation) throw violation;
  if (body.retentionDays !== agency.retentionDays || body.sharing !== agency.sharing) {
    throw new RecordViolation("terms_differ", "retention and sharing are not as in the agency's profile");
  }
}

/** What a body says that a hub kept back, against profile and neighborhood as they were at its place. */
export function checkLateRequest(id: string, body: BodyOf<"footage_request">, state: State, waited: Json): void {
  const row = state.request(id);
  if (!row) throw new RecordViolation("unknown_target", "there is no such request");
  if (body.details !== row.details) throw new RecordViolation("wrong_target", "these are not the details before it");
  const [time, [agency, packed, hood]] = waited as [number, [string, Json, Json]];
  checkAsking(body, unpackAgency(agency, packed), unpackHood(hood), time);
}

/** Whether a case had more requests than it may, now that its number is known. */
export function checkLateDetails(id: string, body: BodyOf<"request_details">, state: State): void {
  const row = state.details(id);
  if (!row) throw new RecordViolation("unknown_target", "nobody waits for this body");
  if (row.request !== null && state.requestsOfCase(caseOf(row.agency, body.caseNumber)) >= MAX_PER_CASE) {
    throw new RecordViolation("third_of_case", `${MAX_PER_CASE} requests for one case`);
  }
}

/** Return a digest of a case: its letters and digits, without the difference of case or of spaces. */
export function caseOf(root: string, caseNumber: string): string {
  return digest(utf8(`${root} ${folded(caseNumber) || caseNumber}`));
}

export type FollowUp = BodyOf<"extension"> | BodyOf<"reminder"> | BodyOf<"close">;

/** An officer of the same agency, about a request that goes on; extended and reminded of once. */
export function checkFollowUp(body: FollowUp, officer: Subject, state: State): void {
  const row = requestThere(state, body.request);
  if (state.rootOf(officer) !== row.agency) throw new RecordViolation("not_allowed", "another agency's request");
  if (row.closed !== null) throw new RecordViolation("not_open", "the request has ended");
  if (body.kind === "close") return;
  if (row.released === null) throw new RecordViolation("not_released", "no moderator has let the request through");
  if (requestStatus(state, row) !== "open") throw new RecordViolation("not_open", "the request is held");
  if (body.kind === "extension" && row.extended !== null) {
    throw new RecordViolation("already_extended", "a request is extended once");
  }
  if (body.kind === "reminder" && row.reminded !== null) {
    throw new RecordViolation("already_reminded", "a request is called to mind once");
  }
}

/** The hub's own word, once, on a request that asked for it and is open. */
export function checkAvailability(record: VerifiedRecord, state: State): void {
  if (record.author !== state.hood.hub_key) {
    throw new RecordViolation("not_allowed", "the hub alone says whether anybody recorded");
  }
  if (record.envelope.prev !== null) throw new RecordViolation("wrong_target", "what the hub says follows nothing");
  if (record.body?.kind !== "availability") return;
  const row = requestThere(state, record.body.request);
  if (row.released === null) throw new RecordViolation("not_released", "no moderator has let the request through");
  if (row.closed !== null) throw new RecordViolation("not_open", "the request has ended");
  if (row.known && !row.asks) throw new RecordViolation("wrong_target", "the request doesn't ask that");
  if (row.answer !== null) throw new RecordViolation("already_done", "answered once, and kept");
}

/** One at a time for an agency, with a code of its own. */
export function checkPartnership(body: BodyOf<"partnership">, agency: Subject, state: State): void {
  const root = state.rootOf(agency);
  const current = state.partnerships().filter(({ replaced }) => !replaced);
  const own = current.filter((row) => row.agency === root).map(({ id }): string | null => id);
  if (!(own.length ? own : [null]).includes(body.replaces)) {
    throw new RecordViolation("wrong_target", "a new agreement replaces the agency's last one");
  }
  if (current.some((row) => row.agency !== root && row.code === body.code)) {
    throw new RecordViolation("code_taken", "another agency's partnership has this code");
  }
}

/** Never less than before, and no more cameras than were earned. */
export function checkPartnershipCount(body: BodyOf<"partnership_count">, state: State): void {
  const row = state.partnership(body.partnership);
  if (!row) throw new RecordViolation("unknown_target", "there is no such partnership");
  if (row.replaced) throw new RecordViolation("wrong_target", "this agreement was replaced");
  if (body.households < row.households || body.camerasGiven < row.camerasGiven) {
    throw new RecordViolation("bad_field", "partnership_count: never less than before");
  }
  if (body.households === row.households && body.camerasGiven === row.camerasGiven) {
    throw new RecordViolation("already_done", "it says so already");
  }
  if (body.camerasGiven > row.seedCameras + body.households / HOUSEHOLDS_STEP) {
    throw new RecordViolation("bad_field", "partnership_count.cameras_given: one for each 20 households, and the first ones");
  }
}

function requestThere(state: State, id: string): RequestRow {
  const row = state.request(id);
  if (!row) throw new RecordViolation("unknown_target", "there is no such request");
  return row;
}
