/** What an officer is shown of agencies and footage requests: from the verified state, and from records whose text is still there. */

import type { Home } from "../hub/home";
import type { Place } from "../protocol/places";
import { isActive } from "../rules/rows";
import type { AgencyRow, RequestRow } from "../rules/rows-requests";
import { mayHaveBody, requestStatus, type RequestStatus, type State } from "../rules/state";
import { words } from "./words";

/** The own agency, as its newest profile says. */
export interface AgencyView {
  row: AgencyRow;
  name: string;
  key: string;
  active: boolean;
}

export interface Details {
  caseNumber: string;
  purpose: string;
  contact: string;
  description: string;
}

export interface RequestView {
  row: RequestRow;
  status: RequestStatus;
  agency: string; // its name
  officer: string;
  own: boolean; // of the own agency
  details: Details | null; // null: erased, or not for officers of other agencies
  erased: boolean;
  reason: string | null; // a moderator's, where one has refused or held it
}

/** Return the agency that this officer belongs to; null before it is known. */
export function ownAgency(home: Home): AgencyView | null {
  const { state } = home.copy;
  const root = home.me && state.rootOf(home.me);
  const row = root ? state.agencyNow(root) : null;
  const subject = row && state.subject(row.id);
  return row && subject ? { row, name: subject.name, key: subject.key, active: isActive(subject) } : null;
}

export function jurisdictionOf(home: Home): readonly Place[] {
  return ownAgency(home)?.row.jurisdiction ?? [];
}

/** Return whether a key is the own agency's, or was before the agency changed its key. */
export function isOwnAgencyKey(home: Home, key: string): boolean {
  const { state } = home.copy;
  const author = state.author(key);
  const subject = author && state.subject(author.subject);
  const root = home.me && state.rootOf(home.me);
  return subject?.kind === "agency" && root !== null && state.rootOf(subject) === root;
}

/** Return whether the own agency has made that request. */
export function isOwnRequest(home: Home, id: string): boolean {
  const { state } = home.copy;
  const row = state.request(id);
  return row !== null && home.me !== null && state.rootOf(home.me) === row.agency;
}

/** Return requests that this officer may see, newest first. */
export function readRequests(home: Home): RequestView[] {
  const { state } = home.copy;
  return [...state.requests()].map((row) => readRequest(home, row)).filter((view) => view !== null).sort((a, b) => b.row.number - a.row.number);
}

export function readRequest(home: Home, row: RequestRow): RequestView | null {
  const { state } = home.copy;
  const { me } = home;
  if (!row.known || row.outcome === "void" || !mayHaveBody(state, row.id, me)) return null;
  const agency = state.agencyNow(row.agency);
  const body = mayHaveBody(state, row.details, me) ? home.copy.record(row.details)?.body : null;
  return {
    row,
    status: requestStatus(state, row),
    agency: (agency && state.subject(agency.id)?.name) ?? "",
    officer: state.subject(row.subject)?.name ?? "",
    own: me !== null && state.rootOf(me) === row.agency,
    details: body?.kind === "request_details" ? body : null,
    erased: state.details(row.details) === null,
    reason: reasonOf(home, row.id),
  };
}

/** Return the reason of the last decision about it, if it has one. */
function reasonOf(home: Home, request: string): string | null {
  const { store } = home.copy.state;
  for (const key of store.keys("log").reverse()) {
    const [action, item, , , record] = store.get("log", key) as [string, string, string, number, string];
    if (item !== request) continue;
    const body = action === "restore" ? null : home.copy.record(record)?.body;
    return body?.kind === "moderation" && body.reason ? body.reason : null;
  }
  return null;
}

/** Say in a few words what a request is about: "Burglary, case 26-1234". */
export function requestName(home: Home, id: string): string | null {
  const row = home.copy.state.request(id);
  if (!row?.incident) return null;
  const body = home.copy.record(row.details)?.body;
  const incident = words.requests.incidents[row.incident] ?? row.incident;
  return body?.kind === "request_details" ? `${incident}, ${body.caseNumber}` : incident;
}

/** Return how many requests of the own agency wait or are open. */
export function unfinished(state: State, root: string): number {
  return [...state.unfinished(root)].length;
}
