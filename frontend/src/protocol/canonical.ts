/**
 * Canonical JSON (RFC 8785), the part of it that records use: no floats, whole numbers up to 2^53 - 1.
 *
 * `parse` takes only what `encode` would give, byte for byte, so two readers can't read two things into one record.
 */

import { utf8, type Bytes } from "./bytes";
import { RecordViolation } from "./violations";

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };

export const MAX_DEPTH = 16; // a record needs 6

/** Return the value's canonical form. Throw RecordViolation for what has none. */
export function encode(value: Json): Bytes {
  return utf8(write(value, 0));
}

/** Read canonical JSON. Throw RecordViolation. */
export function parse(bytes: Uint8Array, maxBytes: number): Json {
  if (bytes.length > maxBytes) throw new RecordViolation("too_large", `${bytes.length} bytes`);
  let text: string;
  let value: Json;
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    value = JSON.parse(text) as Json;
  } catch {
    throw new RecordViolation("not_canonical", "not JSON in UTF-8");
  }
  if (write(value, 0) !== text) throw new RecordViolation("not_canonical", "not in the canonical form of RFC 8785");
  return value;
}

function write(value: unknown, depth: number): string {
  if (depth > MAX_DEPTH) throw new RecordViolation("too_deep", `nested more than ${MAX_DEPTH} deep`);
  switch (typeof value) {
    case "boolean":
      return value ? "true" : "false";
    case "number":
      if (!Number.isSafeInteger(value)) throw new RecordViolation("not_canonical", "numbers are whole and below 2^53");
      return JSON.stringify(value);
    case "string":
      if (HALF_A_PAIR.test(value)) throw new RecordViolation("not_canonical", "a text has half a surrogate pair");
      return JSON.stringify(value);
    case "object":
      if (value === null) return "null";
      if (Array.isArray(value)) return `[${value.map((item) => write(item, depth + 1)).join(",")}]`;
      return writeObject(value as Record<string, unknown>, depth);
    default:
      throw new RecordViolation("not_canonical", `a ${typeof value} has no place in a record`);
  }
}

const HALF_A_PAIR = /\p{Surrogate}/u;

function writeObject(value: Record<string, unknown>, depth: number): string {
  const names = Object.keys(value).sort(); // by UTF-16 code units, which is the standard's order
  return `{${names.map((name) => `${write(name, depth)}:${write(value[name], depth + 1)}`).join(",")}}`;
}
