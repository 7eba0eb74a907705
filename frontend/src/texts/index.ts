/** The texts of the language that the browser asks for, and how numbers, times and distances are written in it. */

import type { Category } from "../protocol/bodies";
import { direction, distanceM, type Place } from "../protocol/places";
import { en, type Texts } from "./en";

const LANGUAGES: Record<string, Texts> = { en };

const wanted = navigator.languages.find((language) => (language.split("-")[0] ?? "") in LANGUAGES) ?? "en";
export const texts: Texts = LANGUAGES[wanted.split("-")[0] ?? ""] ?? en;
export const language = wanted;

const METRES_A_MILE = 1_609.344;
const METRES_A_FOOT = 0.3048;
const IN_MILES = ["en-US", "en-LR", "en-GB", "my"].includes(wanted);

const ago = new Intl.RelativeTimeFormat(wanted, { numeric: "auto" });
const moment = new Intl.DateTimeFormat(wanted, { dateStyle: "medium", timeStyle: "short" });
const day = new Intl.DateTimeFormat(wanted, { dateStyle: "medium" });
const hour = new Intl.DateTimeFormat(wanted, { timeStyle: "short" });

/** Say how long ago something was: "3 hours ago". */
export function timeAgo(time: number, now: number): string {
  const steps: [Intl.RelativeTimeFormatUnit, number][] = [
    ["day", 86_400],
    ["hour", 3_600],
    ["minute", 60],
  ];
  for (const [unit, seconds] of steps) {
    if (Math.abs(now - time) >= seconds) return ago.format(-Math.floor((now - time) / seconds), unit);
  }
  return ago.format(0, "second");
}

export function when(time: number): string {
  return moment.format(time * 1000);
}

/** Say when something happened: a moment, or from when to when. */
export function span(from: number, to: number): string {
  if (from === to) return when(from);
  const sameDay = day.format(from * 1000) === day.format(to * 1000);
  return texts.post.span(when(from), sameDay ? hour.format(to * 1000) : when(to));
}

export function distance(metres: number): string {
  const format = (value: number, unit: string, digits = 0): string =>
    new Intl.NumberFormat(wanted, { style: "unit", unit, maximumFractionDigits: digits }).format(value);
  if (IN_MILES) {
    if (metres < 300) return format(Math.round(metres / METRES_A_FOOT / 100) * 100, "foot");
    return format(metres / METRES_A_MILE, "mile", 1);
  }
  return metres < 950 ? format(Math.round(metres / 100) * 100, "meter") : format(metres / 1000, "kilometer", 1);
}

/** Say where something was, seen from the middle of the neighborhood. */
export function whereabouts(center: Place, place: Place): string {
  const way = direction(center, place);
  if (way === null) return texts.post.here;
  return texts.post.place(distance(distanceM(center, place)), texts.post.directions[way] ?? "");
}

export function count(value: number): string {
  return new Intl.NumberFormat(wanted).format(value);
}

export function bytes(value: number): string {
  const unit = value < 1_000_000 ? "kilobyte" : "megabyte";
  const scaled = value / (unit === "kilobyte" ? 1_000 : 1_000_000);
  return new Intl.NumberFormat(wanted, { style: "unit", unit, maximumFractionDigits: scaled < 10 ? 1 : 0 }).format(scaled);
}

export function duration(milliseconds: number): string {
  const seconds = Math.max(1, Math.round(milliseconds / 1000));
  if (seconds < 60) return new Intl.NumberFormat(wanted, { style: "unit", unit: "second" }).format(seconds);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

export function days(value: number): string {
  return new Intl.NumberFormat(wanted, { style: "unit", unit: "day", unitDisplay: "long" }).format(value);
}

/** Say what a code means. */
export function errorText(code: string): string {
  const known = texts.errors[code as keyof Texts["errors"]];
  return typeof known === "string" ? known : texts.errors.unknown(code);
}

export function categoryName(category: string): string {
  return texts.categories[category as Category];
}
