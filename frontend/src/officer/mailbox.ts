/** The agency's mailbox on a hub: what has arrived, its bytes in ranges, and receipts back. */

import { CallError, readBytes, type HubClient } from "../hub/client";
import type { Bytes } from "../protocol/bytes";
import type { Json } from "../protocol/canonical";
import { MAX_DELIVERY_BYTES, readArrival, type Arrival, type Receipt } from "../protocol/delivery";
import { Fields } from "../protocol/fields";
import { RecordViolation } from "../protocol/violations";
import type { KnownDelivery } from "./desk";

const RANGE_BYTES = 4 * 1024 * 1024; // a call; small enough to be repeated, and few enough of them
const RETRY_S = [1, 3, 10, 30];
const MAX_LISTED = 10_000;

/** What a hub lists. A wrong arrival is shown as that, and not opened. */
export interface Listed {
  delivery: string;
  request: string;
  key: string;
  size: number;
  received: boolean;
  arrival: Arrival | null; // null: the hub didn't sign it, or for something else
}

/** Ask what has arrived for the own agency, page by page. Throw CallError. */
export async function listDeliveries(client: HubClient): Promise<Listed[]> {
  const found: Listed[] = [];
  let cursor: number | null = null;
  do {
    const answer = await client.json("GET", `/deliveries${cursor === null ? "" : `?cursor=${cursor}`}`);
    try {
      const fields = new Fields(answer, "deliveries");
      const page = fields.items("deliveries", 0, MAX_LISTED);
      cursor = page.length ? fields.optional("cursor", (name) => fields.integer(name, 1)) : null;
      found.push(...(await Promise.all(page.map((value) => readListed(value, client.hub.hubKey)))));
    } catch (error) {
      if (error instanceof RecordViolation) throw new CallError("bad_answer", 200);
      throw error;
    }
  } while (cursor !== null && found.length < MAX_LISTED);
  return found;
}

async function readListed(value: Json, hubKey: string): Promise<Listed> {
  const fields = new Fields(value, "delivery");
  const found = {
    delivery: fields.digest("delivery"),
    request: fields.digest("request"),
    key: fields.key("key"),
    size: fields.integer("size", 1, MAX_DELIVERY_BYTES),
    received: fields.take("received") === true,
  };
  const digest = fields.digest("sha256");
  const arrival = await signedArrival(fields.take("arrival"), hubKey);
  const fits = arrival?.delivery === found.delivery && arrival.request === found.request && arrival.size === found.size && arrival.sha256 === digest;
  return { ...found, arrival: fits ? arrival : null };
}

async function signedArrival(value: Json, hubKey: string): Promise<Arrival | null> {
  try {
    return await readArrival(value, hubKey);
  } catch (error) {
    if (error instanceof RecordViolation) return null;
    throw error;
  }
}

/** Put what the hub lists beside what this browser knows: what was received is gone there and stays known here. */
export function merge(known: KnownDelivery[], listed: Listed[]): KnownDelivery[] {
  const merged = new Map(known.map((one) => [one.delivery, one]));
  for (const { delivery, request, key, arrival } of listed) {
    if (arrival && !merged.has(delivery)) merged.set(delivery, { delivery, request, key, arrival, opened: false, saved: false, receipts: [] });
  }
  return [...merged.values()].sort((a, b) => b.arrival.time - a.arrival.time);
}

/** Return a delivery's ciphertext as it comes, range by range. It throws CallError. */
export function ciphertext(client: HubClient, { delivery, size }: Arrival, signal: AbortSignal): ReadableStream<Bytes> {
  let at = 0;
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        if (at >= size) {
          controller.close();
          return;
        }
        const end = Math.min(at + RANGE_BYTES, size);
        const bytes = await repeated(() => fetchRange(client, delivery, at, end, signal), signal);
        at = end;
        controller.enqueue(bytes);
      },
    },
    { highWaterMark: 1 }, // the next range is on its way while this one is decrypted
  );
}

async function fetchRange(client: HubClient, delivery: string, start: number, end: number, signal: AbortSignal): Promise<Bytes> {
  const response = await client.call("GET", `/deliveries/${delivery}`, { range: [start, end], waits: 60, signal });
  const bytes = await readBytes(response, end - start);
  if (response.status !== 206 && bytes.length !== end - start) throw new CallError("bad_answer", response.status);
  if (bytes.length !== end - start) throw new CallError("unreachable", 0); // cut off: once more
  return bytes;
}

async function repeated<T>(make: () => Promise<T>, signal: AbortSignal): Promise<T> {
  for (const seconds of RETRY_S) {
    try {
      return await make();
    } catch (error) {
      if (!(error instanceof CallError) || error.isFinal || error.code === "aborted" || error.code === "bad_answer") throw error;
      await new Promise((resolve) => {
        setTimeout(resolve, (error.retryAfter ?? seconds) * 1000);
        signal.addEventListener("abort", resolve, { once: true });
      });
    }
  }
  return make();
}

/** Give a receipt to the hub, for the home that sent the delivery. Throw CallError. */
export async function sendReceipt(client: HubClient, receipt: Receipt): Promise<void> {
  await client.call("POST", `/deliveries/${receipt.delivery}/receipts`, { body: { ...receipt } });
}
