/**
 * Records in their order, many at once: lines of canonical JSON, in gzip. A line leaves out what its reader can
 * compute, and has the numbers of entries in place of `prev` and `head`. As `neighborhood/segments.py`.
 */

import { digest } from "./bytes";
import { encode, parse, type Json } from "./canonical";
import { hashBody, MAX_RECORD_BYTES, readRecord, VERSION, type VerifiedRecord } from "./envelope";
import { Fields } from "./fields";
import { headOf, type Entry } from "./order";
import { HubViolation, RecordViolation } from "./violations";

export const SEGMENT_RECORDS = 1_000;
const MAX_LINE_BYTES = MAX_RECORD_BYTES + 1_024;
export const MAX_UNPACKED_BYTES = 36 * 1024 * 1024; // a thousand of the longest records; also bounds what a bomb can become
export const MAX_PACKED_BYTES = MAX_UNPACKED_BYTES;
const AT_ONCE = 64; // signatures that are being checked at the same time
const MAX_TIME = 4_102_444_800; // the year 2100

export interface Placed {
  entry: Entry;
  record: VerifiedRecord;
}

/** What stands in the order at a number. */
export interface Standing {
  id: string;
  head: string;
}

/** Looks up what stands at some numbers, as far as it is known. */
export type LookUp = (numbers: Iterable<number>) => Promise<ReadonlyMap<number, Standing>>;

/**
 * Read lines: each record's form, hash and signature. Whether the entries follow each other and what is known here
 * is the next question (`verifyChain`). Throw HubViolation.
 */
export async function unpackLines(bytes: Uint8Array, neighborhood: string, lookUp: LookUp): Promise<Placed[]> {
  if (bytes.length > MAX_UNPACKED_BYTES) throw new HubViolation("bad_segment", `${bytes.length} bytes`);
  if (bytes.length && bytes.at(-1) !== NEWLINE) throw new HubViolation("bad_segment", "the last line is not complete");
  const values: Json[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    if (values.length >= SEGMENT_RECORDS) throw new HubViolation("bad_segment", "too many lines");
    values.push(readJson(bytes.subarray(start, end)));
    start = end + 1;
  }
  const reader = new LineReader(neighborhood, await lookUp(numbersIn(values)));
  const lines = values.map((value) => reader.read(value));
  const found: Placed[] = [];
  for (let start = 0; start < lines.length; start += AT_ONCE) {
    found.push(...(await Promise.all(lines.slice(start, start + AT_ONCE).map(check))));
  }
  return found;
}

const NEWLINE = 0x0a;

function readJson(line: Uint8Array): Json {
  try {
    return parse(line, MAX_LINE_BYTES);
  } catch (error) {
    if (error instanceof RecordViolation) throw new HubViolation("bad_segment", error.message);
    throw error;
  }
}

/** Return the numbers that lines refer to, and the one before the first: what has to be known to read them. */
function numbersIn(values: readonly Json[]): Set<number> {
  const found = new Set<number>();
  for (const value of values) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) continue;
    for (const number of [value.prev, value.head]) if (typeof number === "number") found.add(number);
    if (typeof value.number === "number") found.add(value.number - 1);
  }
  return found;
}

interface Line {
  entry: Entry;
  wire: Json;
}

async function check({ entry, wire }: Line): Promise<Placed> {
  try {
    return { entry, record: await readRecord(wire) };
  } catch (error) {
    if (!(error instanceof RecordViolation)) throw error;
    const newer = error.code === "unknown_type" || error.code === "unknown_version";
    throw new HubViolation(newer ? "newer_version" : "wrong_record", error.message);
  }
}

/** Rebuilds envelopes and entries, a line after the other. */
class LineReader {
  readonly #near = new Map<number, Entry>();
  #before: Entry | null = null;

  constructor(
    readonly neighborhood: string,
    readonly known: ReadonlyMap<number, Standing>,
  ) {}

  read(value: Json): Line {
    try {
      const fields = new Fields(value, "line");
      const { number, time, previous } = this.#place(fields);
      const sig = fields.has("signed") ? fields.optional("signed", (name) => fields.signature(name)) : null;
      const { envelope, ...rest } = this.#record(fields, number, time);
      fields.end();
      const id = digest(encode(envelope));
      const head = headOf(this.neighborhood, number, id, time, previous);
      const entry: Entry = { neighborhood: this.neighborhood, number, id, time, previous, sig, head };
      this.#near.set(number, entry);
      this.#before = entry;
      return { entry, wire: { envelope, ...rest } };
    } catch (error) {
      if (error instanceof RecordViolation) throw new HubViolation("bad_segment", error.message);
      throw error;
    }
  }

  #place(fields: Fields): { number: number; time: number; previous: string | null } {
    const before = this.#before;
    if (before && !fields.has("number")) {
      const time = Math.min(before.time + fields.integer("later", 0, MAX_TIME), MAX_TIME);
      return { number: before.number + 1, time, previous: before.head };
    }
    const number = fields.integer("number", 1);
    if (before) throw new HubViolation("order_gap", `entry ${before.number + 1} is missing, ${number} came`);
    if (number > 1 && !this.known.has(number - 1)) {
      throw new HubViolation("order_gap", `entry ${number} came, and the one before it is not known here`);
    }
    const previous = fields.optional("previous", (name) => fields.digest(name));
    return { number, time: fields.time("time"), previous };
  }

  #record(fields: Fields, number: number, time: number): { envelope: Json; sig: string; body?: Json; salt?: string } {
    const created = time - fields.integer("ago", -MAX_TIME, MAX_TIME);
    const prev = fields.optional("prev", (name) => {
      const at = fields.integer(name, 1);
      return isKnown(name, this.#near.get(at)?.id ?? this.known.get(at)?.id);
    });
    const head = fields.optional("head", (name) => {
      if (typeof fields.peek(name) === "string") return fields.digest(name);
      const at = fields.integer(name, 1);
      return isKnown(name, this.#near.get(at)?.head ?? this.known.get(at)?.head);
    });
    const rest: { sig: string; body?: Json; salt?: string } = { sig: fields.signature("sig") };
    let bodyHash: string;
    if (fields.has("body_hash")) {
      bodyHash = fields.digest("body_hash");
    } else {
      rest.body = fields.take("body");
      rest.salt = fields.salt("salt");
      bodyHash = hashBody(rest.body, rest.salt);
    }
    const envelope: Json = {
      v: VERSION,
      type: fields.string("type"),
      neighborhood: number === 1 ? null : this.neighborhood,
      author: fields.key("author"),
      created,
      prev,
      head,
      body_hash: bodyHash,
    };
    return { envelope, ...rest };
  }
}

function isKnown(name: string, found: string | undefined): string {
  if (found === undefined) throw new RecordViolation("bad_field", `${name}: an entry that is not known here`);
  return found;
}

/** Unpack a segment, and stop where it becomes too large. Throw HubViolation. */
export async function gunzip(packed: Blob): Promise<Uint8Array> {
  if (packed.size > MAX_PACKED_BYTES) throw new HubViolation("bad_segment", `${packed.size} bytes packed`);
  const reader = packed.stream().pipeThrough(new DecompressionStream("gzip")).getReader();
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      size += value.length;
      if (size > MAX_UNPACKED_BYTES) throw new HubViolation("bad_segment", "larger than it may be when unpacked");
      parts.push(value);
    }
  } catch (error) {
    await reader.cancel().catch(() => undefined);
    if (error instanceof HubViolation) throw error;
    throw new HubViolation("bad_segment", "not gzip");
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
