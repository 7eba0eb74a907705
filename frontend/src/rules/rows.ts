/** The rows that a state is made of, written as short JSON arrays. As `neighborhood/rows.py`. */

import { mediaToJson, type Action, type Media, type Mode } from "../protocol/bodies";
import type { Json } from "../protocol/canonical";
import type { Place } from "../protocol/places";
import type { Type } from "../protocol/types";
import { FLAGS_TO_HIDE } from "./limits";

export type Kind = "member" | "agency" | "officer";
export type Standing = "host" | "moderator" | "member" | "suspended" | "revoked" | "removed" | "left";
export type Status = "visible" | "pending" | "hidden" | "held" | "removed" | "withdrawn" | "void";

const ACTIVE: ReadonlySet<Standing> = new Set<Standing>(["host", "moderator", "member"]);
export const MODERATING: ReadonlySet<Standing> = new Set<Standing>(["host", "moderator"]);
export const KEPT_BACK: ReadonlySet<Status> = new Set<Status>(["pending", "hidden", "held", "removed"]);
export const ENDED: ReadonlySet<Status> = new Set<Status>(["withdrawn", "void"]);

export interface Hood {
  id: string;
  name: string;
  center: Place;
  radius_m: number;
  hub_key: string;
  mode: Mode;
  post_days: number;
  media_days: number;
  rules: string;
}

export function packHood(hood: Hood): Json {
  const place = [hood.center.lat_e6, hood.center.lon_e6];
  const { id, name, radius_m, hub_key, mode, post_days, media_days, rules } = hood;
  return [id, name, place, radius_m, hub_key, mode, post_days, media_days, rules];
}

export function unpackHood(row: Json): Hood {
  const [id, name, place, radius_m, hub_key, mode, post_days, media_days, rules] = row as [
    string, string, [number, number], number, string, Mode, number, number, string,
  ];
  return { id, name, center: unpackPlace(place), radius_m, hub_key, mode, post_days, media_days, rules };
}

/** A key: whose it is, and the last valid record it signed. */
export interface Author {
  key: string;
  subject: string;
  tip: string | null;
  since: number; // the number of the entry that brought it
  active: boolean;
}

export function packAuthor({ subject, tip, since, active }: Author): Json {
  return [subject, tip, since, active];
}

export function unpackAuthor(key: string, row: Json): Author {
  const [subject, tip, since, active] = row as [string, string | null, number, boolean];
  return { key, subject, tip, since, active };
}

/** A member, an agency or an officer. The id is that of the record which brought them, and stays when keys change. */
export interface Subject {
  id: string;
  kind: Kind;
  name: string;
  key: string;
  standing: Standing;
  since: number;
  since_s: number;
  frozen: boolean;
  agency: string | null;
  expires: number;
  day: number;
  counted: [Type, number][];
}

export function isActive(subject: Subject): boolean {
  return ACTIVE.has(subject.standing);
}

export function packSubject(subject: Subject): Json {
  const { kind, name, key, standing, since, since_s, frozen, agency, expires, day, counted } = subject;
  return [kind, name, key, standing, since, since_s, frozen, agency, expires, day, counted];
}

export function unpackSubject(id: string, row: Json): Subject {
  const [kind, name, key, standing, since, since_s, frozen, agency, expires, day, counted] = row as [
    Kind, string, string, Standing, number, number, boolean, string | null, number, number, [Type, number][],
  ];
  return { id, kind, name, key, standing, since, since_s, frozen, agency, expires, day, counted };
}

/** A moderator's, on one item. */
export interface Decision {
  number: number;
  subject: string;
  action: Action;
}

/** A post, an alert or a comment. Without its body (`known` is false) the fields from `category` on are empty. */
export interface Item {
  id: string;
  type: Type;
  subject: string;
  number: number;
  time: number;
  expires: number;
  checkedFirst: boolean;
  parent: string | null;
  known: boolean;
  ended: Status | null;
  decisions: Decision[];
  flags: [number, string][];
  appeals: number[];
  thanks: number;
  comments: number;
  category: string;
  place: Place | null;
  from: number;
  to: number;
  validUntil: number;
  media: Media[];
  mediaGone: boolean;
}

export function newItem(start: Pick<Item, "id" | "type" | "subject" | "number" | "time" | "expires" | "checkedFirst">): Item {
  return {
    ...start,
    parent: null,
    known: false,
    ended: null,
    decisions: [],
    flags: [],
    appeals: [],
    thanks: 0,
    comments: 0,
    category: "",
    place: null,
    from: 0,
    to: 0,
    validUntil: 0,
    media: [],
    mediaGone: false,
  };
}

/** How many flags no moderator has decided on yet. */
export function openFlags(item: Item): number {
  const decided = item.decisions.at(-1)?.number ?? 0;
  return item.flags.filter(([number]) => number > decided).length;
}

/** Whether the author has appealed since the last decision. */
export function openAppeal(item: Item): boolean {
  return (item.appeals.at(-1) ?? 0) > (item.decisions.at(-1)?.number ?? 0);
}

/** Whether it is to be seen. */
export function statusOf(item: Item): Status {
  if (item.ended) return item.ended;
  const last = item.decisions.at(-1)?.action;
  if (last === "remove") return "removed";
  if (last === "hold") return "held";
  if (openFlags(item) >= FLAGS_TO_HIDE) return "hidden";
  return item.checkedFirst && last === undefined ? "pending" : "visible";
}

export function packItem(item: Item): Json {
  return [
    item.type,
    item.subject,
    item.number,
    item.time,
    item.expires,
    item.checkedFirst,
    item.parent,
    item.known,
    item.ended,
    item.decisions.map(({ number, subject, action }): Json => [number, subject, action]),
    item.flags.map(([number, subject]): Json => [number, subject]),
    [...item.appeals],
    item.thanks,
    item.comments,
    item.category,
    item.place && [item.place.lat_e6, item.place.lon_e6],
    item.from,
    item.to,
    item.validUntil,
    item.media.map(mediaToJson),
    item.mediaGone,
  ];
}

type ItemRow = [
  Type, string, number, number, number, boolean, string | null, boolean, Status | null, [number, string, Action][],
  [number, string][], number[], number, number, string, [number, number] | null, number, number, number, Media[], boolean,
];

export function unpackItem(id: string, row: Json): Item {
  const [type, subject, number, time, expires, checkedFirst, parent, known, ended, decisions, ...rest] = row as unknown as ItemRow;
  const [flags, appeals, thanks, comments, category, place, from, to, validUntil, media, mediaGone] = rest;
  return {
    id,
    type,
    subject,
    number,
    time,
    expires,
    checkedFirst,
    parent,
    known,
    ended,
    decisions: decisions.map(([at, by, action]) => ({ number: at, subject: by, action })),
    flags,
    appeals,
    thanks,
    comments,
    category,
    place: place && unpackPlace(place),
    from,
    to,
    validUntil,
    media,
    mediaGone,
  };
}

function unpackPlace([lat_e6, lon_e6]: [number, number]): Place {
  return { lat_e6, lon_e6 };
}
