/** Records and their places in the order, many at once: gzip of JSON lines for what is settled, plain lines for the tail. */

import { parse } from "./canonical";
import { MAX_RECORD_BYTES, readRecord, type VerifiedRecord } from "./envelope";
import { Fields } from "./fields";
import { parseEntry, type Entry } from "./order";
import { HubViolation, RecordViolation } from "./violations";

export const SEGMENT_RECORDS = 1_000;
const MAX_LINE_BYTES = MAX_RECORD_BYTES + 1_024;
export const MAX_PACKED_BYTES = 8 * 1024 * 1024;
export const MAX_UNPACKED_BYTES = 16 * 1024 * 1024; // also bounds what a bomb can become
const AT_ONCE = 64; // signatures that are being checked at the same time

export interface Placed {
  entry: Entry;
  record: VerifiedRecord;
}

/** Read JSON lines: each record's form, hash and signature, and that it is the one its entry names. Throw HubViolation. */
export async function unpackLines(bytes: Uint8Array, neighborhood: string): Promise<Placed[]> {
  if (bytes.length > MAX_UNPACKED_BYTES) throw new HubViolation("bad_segment", `${bytes.length} bytes`);
  if (bytes.length && bytes.at(-1) !== NEWLINE) throw new HubViolation("bad_segment", "the last line is not complete");
  const lines: Uint8Array[] = [];
  for (let start = 0; start < bytes.length; ) {
    const end = bytes.indexOf(NEWLINE, start);
    lines.push(bytes.subarray(start, end));
    if (lines.length > SEGMENT_RECORDS) throw new HubViolation("bad_segment", "too many lines");
    start = end + 1;
  }
  const found: Placed[] = [];
  for (let start = 0; start < lines.length; start += AT_ONCE) {
    const some = lines.slice(start, start + AT_ONCE).map((line) => readLine(line, neighborhood));
    found.push(...(await Promise.all(some)));
  }
  return found;
}

const NEWLINE = 0x0a;

async function readLine(line: Uint8Array, neighborhood: string): Promise<Placed> {
  try {
    const fields = new Fields(parse(line, MAX_LINE_BYTES), "line");
    const entry = parseEntry(fields.take("entry"), neighborhood);
    const record = await readRecord(fields.take("record"));
    fields.end();
    if (record.id !== entry.id) {
      throw new HubViolation("wrong_record", `entry ${entry.number} names another record than the one beside it`);
    }
    return { entry, record };
  } catch (error) {
    if (!(error instanceof RecordViolation)) throw error;
    const newer = error.code === "unknown_type" || error.code === "unknown_version";
    throw new HubViolation(newer ? "newer_version" : "wrong_record", error.message);
  }
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
