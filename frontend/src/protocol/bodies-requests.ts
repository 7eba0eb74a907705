/** Bodies of agencies, footage requests and partnerships. As `neighborhood/bodies/{agencies,requests,partnership}.py`. */

import { encode, type Json } from "./canonical";
import { sha256 } from "./bytes";
import { Fields, point } from "./fields";
import { isSimple } from "./geometry";
import { verify } from "./keys";
import type { Place } from "./places";
import { RecordViolation } from "./violations";

const MAX_NAME = 80;
const MAX_TERMS = 2_000;
const MAX_CORNERS = 64;
const MAX_AREA_CORNERS = 32;
const MAX_RETENTION_DAYS = 36_525;
const MAX_AGREEMENT = 8_000;
const MAX_SPAN_S = 7 * 86_400;
export const MAX_CASE_NUMBER = 40;
export const MAX_PURPOSE = 500;
export const MAX_CONTACT = 200;
export const MAX_DESCRIPTION = 2_000;
export const MAX_SEED_CAMERAS = 25;
export const HOUSEHOLDS_STEP = 20;
const MAX_HOUSEHOLDS = 25_000;
const PROFILE_CONTEXT = "ringwatch/agency/v1";
const AGE_RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/; // Bech32
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;
const CODE = /^[A-Z0-9]{4,12}$/;

const AGENCY_KINDS = [
  "municipal_police",
  "county_sheriff",
  "campus_police",
  "tribal_police",
  "state_police",
  "fire",
  "federal",
  "immigration",
] as const;
export type AgencyKind = (typeof AGENCY_KINDS)[number];
const SHARING = ["none", "courts", "other_local", "any"] as const;
export type Sharing = (typeof SHARING)[number];
const FACE_RECOGNITION = ["never", "with_warrant", "used"] as const;
export type FaceRecognition = (typeof FACE_RECOGNITION)[number];
export const INCIDENTS = [
  "burglary",
  "robbery",
  "theft",
  "vehicle_theft",
  "package_theft",
  "hit_and_run",
  "traffic",
  "assault",
  "homicide",
  "shooting",
  "arson",
  "vandalism",
  "missing_person",
  "kidnapping",
  "animal",
  "assembly", // refused: gathering is lawful
] as const;
export type IncidentKind = (typeof INCIDENTS)[number];
export const OUTCOMES = ["solved", "unsolved", "not_needed", "withdrawn"] as const;
export type Outcome = (typeof OUTCOMES)[number];
const ANSWERS = ["likely", "not_enough"] as const;
export type AvailabilityAnswer = (typeof ANSWERS)[number];

/** From when to when, in seconds. */
export interface Span {
  from: number;
  to: number;
}

export interface Agency {
  name: string;
  key: string;
  ageRecipient: string;
  domain: string;
  agencyKind: AgencyKind;
  jurisdiction: Place[];
  retentionDays: number;
  sharing: Sharing;
  faceRecognition: FaceRecognition;
  terms: string;
  replaces: string | null;
  issued: number;
  proof: string;
}

export interface FootageRequest {
  details: string;
  area: Place[];
  window: Span;
  incident: IncidentKind;
  retentionDays: number;
  sharing: Sharing;
  availability: boolean;
}

export interface RequestDetails {
  caseNumber: string;
  purpose: string;
  contact: string;
  description: string;
}

export type RequestBody =
  | ({ kind: "request_details" } & RequestDetails)
  | ({ kind: "footage_request" } & FootageRequest)
  | { kind: "extension"; request: string }
  | { kind: "reminder"; request: string }
  | { kind: "close"; request: string; outcome: Outcome }
  | { kind: "availability"; request: string; answer: AvailabilityAnswer }
  | { kind: "partnership"; terms: string; code: string; seedCameras: number; replaces: string | null }
  | { kind: "partnership_count"; partnership: string; households: number; camerasGiven: number };

export const REQUEST_READERS: { [K in RequestBody["kind"]]: (fields: Fields) => RequestBody } = {
  request_details: (fields) => ({
    kind: "request_details",
    caseNumber: fields.text("case_number", MAX_CASE_NUMBER, { empty: false }),
    purpose: fields.text("purpose", MAX_PURPOSE, { empty: false }),
    contact: fields.text("contact", MAX_CONTACT, { empty: false }),
    description: fields.text("description", MAX_DESCRIPTION, { lines: true }),
  }),
  footage_request: (fields) => ({
    kind: "footage_request",
    details: fields.digest("details"),
    area: readCorners(fields, "area", MAX_AREA_CORNERS),
    window: readSpan(fields.inner("window")),
    incident: fields.choice("incident", INCIDENTS),
    retentionDays: fields.integer("retention_days", 0, MAX_RETENTION_DAYS),
    sharing: fields.choice("sharing", SHARING),
    availability: fields.boolean("availability"),
  }),
  extension: (fields) => ({ kind: "extension", request: fields.digest("request") }),
  reminder: (fields) => ({ kind: "reminder", request: fields.digest("request") }),
  close: (fields) => ({
    kind: "close",
    request: fields.digest("request"),
    outcome: fields.choice("outcome", OUTCOMES),
  }),
  availability: (fields) => ({
    kind: "availability",
    request: fields.digest("request"),
    answer: fields.choice("answer", ANSWERS),
  }),
  partnership: (fields) => {
    const code = fields.string("code");
    if (!CODE.test(code)) throw new RecordViolation("bad_field", "partnership.code: 4 to 12 capital letters and digits");
    return {
      kind: "partnership",
      code,
      terms: fields.text("terms", MAX_AGREEMENT, { lines: true, empty: false }),
      seedCameras: fields.integer("seed_cameras", 0, MAX_SEED_CAMERAS),
      replaces: fields.optional("replaces", (name) => fields.digest(name)),
    };
  },
  partnership_count: (fields) => {
    const most = MAX_SEED_CAMERAS + MAX_HOUSEHOLDS / HOUSEHOLDS_STEP;
    const households = fields.integer("households", 0, MAX_HOUSEHOLDS);
    if (households % HOUSEHOLDS_STEP) throw new RecordViolation("bad_field", "partnership_count.households: in steps of 20");
    return {
      kind: "partnership_count",
      partnership: fields.digest("partnership"),
      households,
      camerasGiven: fields.integer("cameras_given", 0, most),
    };
  },
};

export function readAgency(fields: Fields): { kind: "agency" } & Agency {
  const found = {
    kind: "agency" as const,
    name: fields.text("name", MAX_NAME, { empty: false }),
    key: fields.key("key"),
    ageRecipient: fields.string("age_recipient"),
    domain: fields.string("domain"),
    agencyKind: fields.choice("kind", AGENCY_KINDS),
    jurisdiction: readCorners(fields, "jurisdiction", MAX_CORNERS),
    retentionDays: fields.integer("retention_days", 0, MAX_RETENTION_DAYS),
    sharing: fields.choice("sharing", SHARING),
    faceRecognition: fields.choice("face_recognition", FACE_RECOGNITION),
    terms: fields.text("terms", MAX_TERMS, { lines: true }),
    replaces: fields.optional("replaces", (name) => fields.digest(name)),
    issued: fields.time("issued"),
    proof: fields.signature("proof"),
  };
  if (!AGE_RECIPIENT.test(found.ageRecipient) || !DOMAIN.test(found.domain)) {
    throw new RecordViolation("bad_field", "agency: not an age recipient, or not a domain");
  }
  if (!isSimple(found.jurisdiction)) {
    throw new RecordViolation("bad_field", "agency.jurisdiction: its edges cross or touch");
  }
  return found;
}

/** Whether the holder of an agency's key has signed this profile: all of it but `proof` and `replaces`. */
export async function isProved(agency: Agency, written: Json): Promise<boolean> {
  if (typeof written !== "object" || written === null || Array.isArray(written)) return false;
  const signed = Object.fromEntries(Object.entries(written).filter(([name]) => name !== "proof" && name !== "replaces"));
  return verify(agency.key, PROFILE_CONTEXT, sha256(encode(signed)), agency.proof);
}

function readCorners(fields: Fields, name: string, most: number): Place[] {
  const corners = fields.items(name, 3, most).map((corner) => point(new Fields(corner, name)));
  if (new Set(corners.map(({ lat_e6, lon_e6 }) => `${lat_e6} ${lon_e6}`)).size !== corners.length) {
    throw new RecordViolation("bad_field", `${name}: the same corner twice`);
  }
  return corners;
}

/** Read from when to when something was: 7 days at most. */
export function readSpan(fields: Fields): Span {
  const from = fields.time("from");
  const to = fields.time("to");
  fields.end();
  if (to < from || to - from > MAX_SPAN_S) throw new RecordViolation("bad_field", "a span of 7 days at most");
  return { from, to };
}

/** Return how a request is written. */
export function requestToJson(body: FootageRequest): Json {
  return {
    details: body.details,
    area: body.area.map(({ lat_e6, lon_e6 }): Json => ({ lat_e6, lon_e6 })),
    window: { from: body.window.from, to: body.window.to },
    incident: body.incident,
    retention_days: body.retentionDays,
    sharing: body.sharing,
    availability: body.availability,
  };
}

/** Return how a request's details are written. */
export function detailsToJson({ caseNumber, purpose, contact, description }: RequestDetails): Json {
  return { case_number: caseNumber, purpose, contact, description };
}
