/** The hub's order: a chain of signed entries, one for each record, numbered from 1. As `neighborhood/order.py`. */

import { digest, fromHex } from "./bytes";
import { encode, type Json } from "./canonical";
import { Fields } from "./fields";
import { isDigest, isSignature, verify } from "./keys";
import { HubViolation } from "./violations";

const ORDER_CONTEXT = "ringwatch/order/v1";
const CHECKPOINT_CONTEXT = "ringwatch/checkpoint/v1";
const MAX_AHEAD_S = 600; // how far ahead of the clock a hub's time may be

/** Where a reader is in the order: after this entry. Number 0 is before the founding. */
export interface Position {
  number: number;
  head: string | null;
  time: number;
}

export const BEGINNING: Position = { number: 0, head: null, time: 0 };

/** One record's place in the order. */
export interface Entry {
  neighborhood: string;
  number: number;
  id: string;
  time: number;
  previous: string | null;
  sig: string | null; // null where a later one's signature covers it
  head: string;
}

export function parseEntry(value: Json, neighborhood: string): Entry {
  const fields = new Fields(value, "entry");
  const number = fields.integer("number", 1);
  const id = fields.digest("id");
  const time = fields.time("time");
  const previous = fields.optional("previous", (name) => fields.digest(name));
  const sig = fields.optional("sig", (name) => fields.signature(name));
  fields.end();
  return { neighborhood, number, id, time, previous, sig, head: headOf(neighborhood, number, id, time, previous) };
}

export function headOf(neighborhood: string, number: number, id: string, time: number, previous: string | null): string {
  return digest(encode({ neighborhood, number, id, time, previous }));
}

/** Check that entries follow each other and what was read before; return where that leads. Throw HubViolation. */
export async function verifyChain(
  entries: readonly Entry[],
  neighborhood: string,
  hubKey: string,
  after: Position,
  now: number,
): Promise<Position> {
  let position = after;
  for (const entry of entries) {
    if (entry.number !== position.number + 1) {
      throw new HubViolation("order_gap", `entry ${position.number + 1} is missing, ${entry.number} came`);
    }
    if (entry.neighborhood !== neighborhood || entry.previous !== position.head) {
      throw new HubViolation("order_broken", `entry ${entry.number} doesn't follow the one before it`);
    }
    if (entry.time < position.time) {
      throw new HubViolation("time_backwards", `entry ${entry.number} is dated before the one before it`);
    }
    if (entry.sig !== null && !(await verify(hubKey, ORDER_CONTEXT, fromHex(entry.head), entry.sig))) {
      throw new HubViolation("order_unsigned", `entry ${entry.number} is not signed by the hub`);
    }
    position = { number: entry.number, head: entry.head, time: entry.time };
  }
  if (entries.length && entries.at(-1)?.sig === null) {
    throw new HubViolation("order_unsigned", `entry ${position.number}, the last one, has no signature`);
  }
  if (position.time > now + MAX_AHEAD_S) {
    throw new HubViolation("time_backwards", `entry ${position.number} is dated ahead of the clock`);
  }
  return position;
}

/** The hub's newest head at a moment, signed. */
export interface Checkpoint {
  number: number;
  head: string;
  time: number;
  sig: string;
}

/** Read the header of an answer: number, head, time and signature. Throw HubViolation. */
export async function readCheckpoint(header: string, neighborhood: string, hubKey: string): Promise<Checkpoint> {
  const [number, head, time, sig, more] = header.split(" ");
  if (!isCount(number) || !isDigest(head) || !isCount(time) || !isSignature(sig) || more !== undefined) {
    throw new HubViolation("order_unsigned", "a checkpoint is malformed");
  }
  const found = { number: Number(number), head, time: Number(time), sig };
  const signed = digest(encode({ neighborhood, number: found.number, head, time: found.time }));
  if (!(await verify(hubKey, CHECKPOINT_CONTEXT, fromHex(signed), sig))) {
    throw new HubViolation("order_unsigned", "a checkpoint is not signed by the hub");
  }
  return found;
}

function isCount(text: string | undefined): text is string {
  return text !== undefined && /^[1-9][0-9]{0,11}$/.test(text);
}

/** Compare what the hub says now with what this reader has. `newest` is the time of the last checkpoint seen. Throw HubViolation. */
export function verifyCheckpoint(
  checkpoint: Checkpoint,
  at: Position,
  numberOf: (head: string) => number | undefined,
  newest: number,
): void {
  if (checkpoint.number < at.number) {
    throw new HubViolation("order_rewound", `the hub is at ${checkpoint.number}, it was at ${at.number} before`);
  }
  if (checkpoint.number === at.number && checkpoint.head !== at.head) {
    throw new HubViolation("order_forked", `entry ${at.number} is another one than was shown here`);
  }
  if (checkpoint.time < newest) throw new HubViolation("order_rewound", "a checkpoint is older than one seen before");
  const known = numberOf(checkpoint.head);
  if (known !== undefined && known !== checkpoint.number) {
    throw new HubViolation("order_forked", "a head stands at two places");
  }
}
