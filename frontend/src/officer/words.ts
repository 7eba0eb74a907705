/** The officer's page's texts, and how lengths, areas and moments of a form are written. */

import { errorText, language, texts as common } from "../texts";
import { en } from "../texts/en-officer";

export const words = en; // a translation stands beside it, as in texts/index.ts

/** Say what a code means: as an officer needs to hear it, or as everybody. */
export function codeText(code: string): string {
  return words.errors[code] ?? errorText(code);
}

const KM2 = new Intl.NumberFormat(language, { minimumFractionDigits: 2, maximumFractionDigits: 3 });

export function squareKm(squareMeters: number): string {
  return KM2.format(squareMeters / 1_000_000);
}

/** Say how long something takes: "45 min", "2 hr 15 min". */
export function hours(seconds: number): string {
  const unit = (value: number, name: "hour" | "minute"): string =>
    new Intl.NumberFormat(language, { style: "unit", unit: name, unitDisplay: "short" }).format(value);
  const minutes = Math.round(seconds / 60);
  const whole = Math.floor(minutes / 60);
  const parts = [whole ? unit(whole, "hour") : "", minutes % 60 || !whole ? unit(minutes % 60, "minute") : ""];
  return parts.filter(Boolean).join(" ");
}

/** A time as a field of the kind datetime-local shows it, and back; null if the field is empty. */
export function toField(time: number): string {
  const date = new Date(time * 1000);
  return new Date(date.getTime() - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function fromField(value: string): number | null {
  const time = Date.parse(value);
  return Number.isNaN(time) ? null : Math.floor(time / 1000);
}

const EXACT = new Intl.DateTimeFormat(language, { dateStyle: "medium", timeStyle: "medium" });
const UTC = new Intl.DateTimeFormat(language, { dateStyle: "short", timeStyle: "medium", timeZone: "UTC" });

/** A moment to the second, in this computer's time. */
export const exact = (milliseconds: number): string => EXACT.format(milliseconds);
export const exactUtc = (milliseconds: number): string => `${UTC.format(milliseconds)} UTC`;
export const zone = Intl.DateTimeFormat(language).resolvedOptions().timeZone;
export { common };
