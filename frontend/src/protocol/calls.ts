/** Calls to a hub are signed: over neighborhood, hub, method, path with query, digest of the body, time. As `signed_calls.py`. */

import { digest, fromHex, utf8 } from "./bytes";
import { encode, type Json } from "./canonical";
import { Fields } from "./fields";
import { verify, type Signer } from "./keys";
import { RecordViolation } from "./violations";

const CALL_CONTEXT = "ringwatch/request/v1";
const TIME_CONTEXT = "ringwatch/time/v1";
const FAR_OFF_S = 300; // then people should hear that a clock is wrong

export interface Hub {
  url: string;
  neighborhood: string;
  hubKey: string;
}

/** Return the headers that a call needs. `path` is what the server sees, with its query. */
export async function signCall(
  key: Signer,
  hub: Hub,
  method: string,
  path: string,
  body: Uint8Array,
  time: number,
): Promise<Record<string, string>> {
  const lines = [hub.neighborhood, hub.hubKey, method, path, digest(body), String(time)];
  const signature = await key.sign(CALL_CONTEXT, fromHex(digest(utf8(lines.join("\n")))));
  return { "Ringwatch-Key": key.publicKey, "Ringwatch-Time": String(time), "Ringwatch-Signature": signature };
}

/** Return the hub's time from its refusal of a call that was signed like this; null if it isn't the hub's. */
export async function readTimeRefusal(value: Json, hub: Hub, request: string): Promise<number | null> {
  try {
    const fields = new Fields(value, "refusal");
    const code = fields.string("code");
    const time = fields.time("time");
    const sig = fields.signature("sig");
    fields.end();
    const signed = digest(encode({ neighborhood: hub.neighborhood, request, time }));
    const genuine = code === "wrong_time" && (await verify(hub.hubKey, TIME_CONTEXT, fromHex(signed), sig));
    return genuine ? time : null;
  } catch (error) {
    if (error instanceof RecordViolation) return null;
    throw error;
  }
}

/** The hub's time, as far as this browser knows. */
export class HubClock {
  constructor(public offset = 0) {}

  now(): number {
    return Math.floor(Date.now() / 1000) + this.offset;
  }

  correct(hubTime: number): void {
    this.offset = hubTime - Math.floor(Date.now() / 1000);
  }

  get isFarOff(): boolean {
    return Math.abs(this.offset) > FAR_OFF_S;
  }
}
