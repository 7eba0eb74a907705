/** The rows of agencies, footage requests and partnerships. As `neighborhood/rows_requests.py`. */

import type { AgencyKind, AvailabilityAnswer, FaceRecognition, IncidentKind, Sharing } from "../protocol/bodies-requests";
import type { Json } from "../protocol/canonical";
import type { Place } from "../protocol/places";

/** How a request ended: an officer's word, a moderator's, or time's. */
export type Ending = "solved" | "unsolved" | "not_needed" | "withdrawn" | "refused" | "expired" | "void";

/** What an agency's newest profile says. The id is the subject's; `root` stays when the key changes. */
export interface AgencyRow {
  id: string;
  root: string;
  profile: string;
  issued: number;
  domain: string;
  ageRecipient: string;
  kind: AgencyKind;
  jurisdiction: Place[];
  retentionDays: number;
  sharing: Sharing;
  faceRecognition: FaceRecognition;
  terms: string;
  enrolled: number;
  keySince: number;
  holdUntil: number | null; // nothing is delivered before: the key has changed
}

export function packAgency(row: AgencyRow): Json {
  return [
    row.root,
    row.profile,
    row.issued,
    row.domain,
    row.ageRecipient,
    row.kind,
    packCorners(row.jurisdiction),
    row.retentionDays,
    row.sharing,
    row.faceRecognition,
    row.terms,
    row.enrolled,
    row.keySince,
    row.holdUntil,
  ];
}

type PackedAgency = [
  string, string, number, string, string, AgencyKind, [number, number][], number, Sharing, FaceRecognition, string,
  number, number, number | null,
];

export function unpackAgency(id: string, packed: Json): AgencyRow {
  const [root, profile, issued, domain, ageRecipient, kind, corners, ...rest] = packed as PackedAgency;
  const [retentionDays, sharing, faceRecognition, terms, enrolled, keySince, holdUntil] = rest;
  const jurisdiction = unpackCorners(corners);
  const start = { id, root, profile, issued, domain, ageRecipient, kind, jurisdiction };
  return { ...start, retentionDays, sharing, faceRecognition, terms, enrolled, keySince, holdUntil };
}

/** A record with a request's details: whose, and which request came next. */
export interface DetailsRow {
  id: string;
  subject: string;
  agency: string; // the root
  request: string | null;
  case: string | null; // a digest of agency and case number, if the body is here
}

export function packDetails(row: DetailsRow): Json {
  return [row.subject, row.agency, row.request, row.case];
}

export function unpackDetails(id: string, packed: Json): DetailsRow {
  const [subject, agency, request, caseDigest] = packed as [string, string, string | null, string | null];
  return { id, subject, agency, request, case: caseDigest };
}

/** A footage request. Until its body is `known`, what is from `area` on is empty. */
export interface RequestRow {
  id: string;
  subject: string; // the officer
  agency: string; // the root
  number: number;
  time: number;
  details: string;
  expires: number;
  released: number | null;
  extended: number | null;
  reminded: number | null;
  closed: number | null;
  outcome: Ending | null;
  answer: AvailabilityAnswer | null;
  known: boolean;
  area: Place[];
  start: number;
  end: number;
  incident: IncidentKind | null;
  asks: boolean; // whether anybody recorded
}

export type RequestStart = Pick<RequestRow, "id" | "subject" | "agency" | "number" | "time" | "details" | "expires">;

export function newRequest({ id, subject, agency, number, time, details, expires }: RequestStart): RequestRow {
  const dates = { released: null, extended: null, reminded: null, closed: null, outcome: null, answer: null };
  const said = { known: false, area: [], start: 0, end: 0, incident: null, asks: false };
  return { id, subject, agency, number, time, details, expires, ...dates, ...said };
}

/** Whether its body is for everybody. It has no free text, so what is over is. */
export function isPublic(row: RequestRow): boolean {
  return row.released !== null || row.closed !== null;
}

export function packRequest(row: RequestRow): Json {
  return [
    row.subject,
    row.agency,
    row.number,
    row.time,
    row.details,
    row.expires,
    row.released,
    row.extended,
    row.reminded,
    row.closed,
    row.outcome,
    row.answer,
    row.known,
    packCorners(row.area),
    row.start,
    row.end,
    row.incident,
    row.asks,
  ];
}

type PackedRequest = [
  string, string, number, number, string, number, number | null, number | null, number | null, number | null,
  Ending | null, AvailabilityAnswer | null, boolean, [number, number][], number, number, IncidentKind | null, boolean,
];

export function unpackRequest(id: string, packed: Json): RequestRow {
  const [subject, agency, number, time, details, expires, released, extended, ...rest] = packed as unknown as PackedRequest;
  const [reminded, closed, outcome, answer, known, corners, start, end, incident, asks] = rest;
  const first = { id, subject, agency, number, time, details, expires, released, extended, reminded, closed };
  return { ...first, outcome, answer, known, area: unpackCorners(corners), start, end, incident, asks };
}

/** An agreement, and what has come of it. */
export interface PartnershipRow {
  id: string;
  agency: string; // the root
  number: number;
  time: number;
  terms: string;
  code: string;
  seedCameras: number;
  households: number;
  camerasGiven: number;
  replaced: boolean;
}

export function packPartnership(row: PartnershipRow): Json {
  return [
    row.agency,
    row.number,
    row.time,
    row.terms,
    row.code,
    row.seedCameras,
    row.households,
    row.camerasGiven,
    row.replaced,
  ];
}

export function unpackPartnership(id: string, packed: Json): PartnershipRow {
  const [agency, number, time, terms, code, seedCameras, households, camerasGiven, replaced] = packed as [
    string, number, number, string, string, number, number, number, boolean,
  ];
  return { id, agency, number, time, terms, code, seedCameras, households, camerasGiven, replaced };
}

function packCorners(corners: Place[]): Json {
  return corners.map(({ lat_e6, lon_e6 }): Json => [lat_e6, lon_e6]);
}

function unpackCorners(packed: [number, number][]): Place[] {
  return packed.map(([lat_e6, lon_e6]) => ({ lat_e6, lon_e6 }));
}
