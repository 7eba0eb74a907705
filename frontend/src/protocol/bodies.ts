/** Bodies of records. Whoever parses one refuses every field that it doesn't know. As `neighborhood/bodies/`. */

import { parseCertificate, type Certificate } from "./certificates";
import type { Json } from "./canonical";
import { readAgency, readSpan, REQUEST_READERS, type Agency, type RequestBody } from "./bodies-requests";
import { Fields } from "./fields";
import type { Place } from "./places";
import type { Type } from "./types";
import { RecordViolation } from "./violations";

export const MAX_COMMENT = 2_000;
export const MAX_REASON = 1_000;
const MAX_TITLE = 120;
const MAX_TEXT = 4_000;
const MAX_MEDIA = 5;
const MAX_CLIP_BYTES = 100 * 1024 * 1024;
const MAX_PICTURE_BYTES = 8 * 1024 * 1024;
const MAX_CLIP_MS = 10 * 60 * 1000;
const MAX_SIDE_PX = 8_192;
const MAX_NAME = 80;
const MAX_RULES = 4_000;
const MAX_TERMS = 2_000;
const MAX_DAYS = 60;

export const CATEGORIES = [
  "safety",
  "crime",
  "package",
  "lost_and_found",
  "animal",
  "environment",
  "community",
] as const;
export type Category = (typeof CATEGORIES)[number];
export const FLAG_REASONS = ["privacy", "hate", "harassment", "false", "spam", "violence", "other"] as const;
export type FlagReason = (typeof FLAG_REASONS)[number];
const ACTIONS = ["hold", "remove", "restore"] as const;
export type Action = (typeof ACTIONS)[number];
const MODES = ["before", "after"] as const;
export type Mode = (typeof MODES)[number];
const ROLES = ["moderator", "member", "agency", "none"] as const;
export type RoleName = (typeof ROLES)[number];
const MEDIA_TYPES = ["video/mp4", "image/jpeg"] as const;
const DEMANDS = ["warrant", "subpoena", "court_order", "other"] as const;
export type DemandKind = (typeof DEMANDS)[number];
export interface Media {
  sha256: string;
  size: number;
  type: (typeof MEDIA_TYPES)[number];
  duration_ms: number;
  width: number;
  height: number;
}

export interface Post {
  category: Category;
  title: string;
  text: string;
  place: Place | null;
  from: number;
  to: number;
  media: Media[];
}

export interface Founding {
  name: string;
  handle: string;
  center: Place;
  radius_m: number;
  hub_key: string;
  mode: Mode;
  post_days: number;
  media_days: number;
  rules: string;
}

export type Body =
  | ({ kind: "founding" } & Founding)
  | { kind: "join"; handle: string; invite: Certificate; proof: string }
  | { kind: "replace"; invite: Certificate; proof: string }
  | { kind: "rotate"; key: string; proof: string }
  | { kind: "remove"; member: string; last: string; reason: string }
  | { kind: "settle"; member: string; last: string }
  | { kind: "leave" }
  | { kind: "role"; subject: string; role: RoleName }
  | ({ kind: "post" } & Post)
  | ({ kind: "alert"; validUntil: number } & Post)
  | { kind: "comment"; post: string; text: string }
  | { kind: "thanks"; target: string }
  | { kind: "withdraw"; target: string }
  | { kind: "flag"; target: string; reason: FlagReason; text: string }
  | { kind: "moderation"; target: string; action: Action; reason: string }
  | { kind: "appeal"; target: string; text: string }
  | ({ kind: "agency" } & Agency)
  | { kind: "officer"; action: "certify" | "revoke"; key: string; name: string; expires: number }
  | { kind: "legal_demand"; demand: DemandKind; served: number; authority: string; given: string; told: string }
  | RequestBody;

export type BodyOf<K extends Body["kind"]> = Extract<Body, { kind: K }>;

/** Read a body of that type. Throw RecordViolation. */
export function parseBody(type: Type, value: Json): Body {
  const fields = new Fields(value, type);
  const found = READERS[type](fields);
  fields.end();
  return found;
}

const READERS: Record<Type, (fields: Fields) => Body> = {
  founding: readFounding,
  member: readMember,
  role: (fields) => ({ kind: "role", subject: fields.digest("subject"), role: fields.choice("role", ROLES) }),
  post: (fields) => ({ kind: "post", ...readPost(fields) }),
  alert: (fields) => ({ kind: "alert", validUntil: fields.time("valid_until"), ...readPost(fields) }),
  comment: (fields) => ({
    kind: "comment",
    post: fields.digest("post"),
    text: fields.text("text", MAX_COMMENT, { lines: true, empty: false }),
  }),
  thanks: (fields) => ({ kind: "thanks", target: fields.digest("target") }),
  withdraw: (fields) => ({ kind: "withdraw", target: fields.digest("target") }),
  flag: (fields) => ({
    kind: "flag",
    target: fields.digest("target"),
    reason: fields.choice("reason", FLAG_REASONS),
    text: fields.text("text", MAX_REASON, { lines: true }),
  }),
  moderation: readModeration,
  appeal: (fields) => ({
    kind: "appeal",
    target: fields.digest("target"),
    text: fields.text("text", MAX_REASON, { lines: true, empty: false }),
  }),
  agency: readAgency,
  officer: (fields) => ({
    kind: "officer",
    action: fields.choice("action", ["certify", "revoke"]),
    key: fields.key("key"),
    name: fields.text("name", MAX_NAME, { empty: false }),
    expires: fields.time("expires"),
  }),
  legal_demand: (fields) => {
    return {
      kind: "legal_demand",
      demand: fields.choice("kind", DEMANDS),
      authority: fields.text("authority", MAX_NAME, { empty: false }),
      served: fields.time("served"),
      given: fields.text("given", MAX_TERMS, { lines: true, empty: false }),
      told: fields.text("told", MAX_TERMS, { lines: true, empty: false }),
    };
  },
  ...REQUEST_READERS,
};

function readFounding(fields: Fields): Body {
  const postDays = fields.integer("post_days", 1, MAX_DAYS);
  return {
    kind: "founding",
    name: fields.text("name", MAX_NAME, { empty: false }),
    handle: fields.handle("handle"),
    center: fields.place("center"),
    radius_m: fields.integer("radius_m", 805, 8_047), // half a mile to five
    hub_key: fields.key("hub_key"),
    mode: fields.choice("moderation", MODES),
    post_days: postDays,
    media_days: fields.integer("media_days", 1, postDays),
    rules: fields.text("rules", MAX_RULES, { lines: true }),
  };
}

function readMember(fields: Fields): Body {
  const action = fields.string("action");
  switch (action) {
    case "join":
      return {
        kind: "join",
        handle: fields.handle("handle"),
        invite: parseCertificate(fields.take("invite")),
        proof: fields.signature("proof"),
      };
    case "replace":
      return { kind: "replace", invite: parseCertificate(fields.take("invite")), proof: fields.signature("proof") };
    case "rotate":
      return { kind: "rotate", key: fields.key("key"), proof: fields.signature("proof") };
    case "remove":
      return {
        kind: "remove",
        member: fields.digest("member"),
        last: fields.digest("last"),
        reason: fields.text("reason", MAX_REASON, { lines: true }),
      };
    case "settle":
      return { kind: "settle", member: fields.digest("member"), last: fields.digest("last") };
    case "leave":
      return { kind: "leave" };
    default:
      throw new RecordViolation("bad_field", "member.action: unknown");
  }
}

function readPost(fields: Fields): Post {
  const media = fields.items("media", 0, MAX_MEDIA).map(readMedia);
  if (new Set(media.map((medium) => medium.sha256)).size !== media.length) {
    throw new RecordViolation("bad_field", "media: the same twice");
  }
  const { from, to } = readSpan(fields.inner("happened"));
  return {
    category: fields.choice("category", CATEGORIES),
    title: fields.text("title", MAX_TITLE, { empty: false }),
    text: fields.text("text", MAX_TEXT, { lines: true }),
    place: fields.optional("place", (name) => fields.place(name)),
    from,
    to,
    media,
  };
}

function readMedia(value: Json): Media {
  const fields = new Fields(value, "media");
  const type = fields.choice("type", MEDIA_TYPES);
  const clip = type === "video/mp4";
  const found: Media = {
    type,
    sha256: fields.digest("sha256"),
    size: fields.integer("size", 1, clip ? MAX_CLIP_BYTES : MAX_PICTURE_BYTES),
    duration_ms: clip ? fields.integer("duration_ms", 1, MAX_CLIP_MS) : fields.integer("duration_ms", 0, 0),
    width: fields.integer("width", 16, MAX_SIDE_PX),
    height: fields.integer("height", 16, MAX_SIDE_PX),
  };
  fields.end();
  return found;
}

export function mediaToJson({ sha256, size, type, duration_ms, width, height }: Media): Json {
  return { sha256, size, type, duration_ms, width, height };
}

function readModeration(fields: Fields): Body {
  const action = fields.choice("action", ACTIONS);
  return {
    kind: "moderation",
    action,
    target: fields.digest("target"),
    reason: fields.text("reason", MAX_REASON, { lines: true, empty: action === "restore" }),
  };
}
