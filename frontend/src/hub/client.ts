/** Calls to one hub, signed. A wrong clock is corrected by the hub's signed time, and the call repeated once. */

import type { Json } from "../protocol/canonical";
import { encode } from "../protocol/canonical";
import { toBase64Url, type Bytes } from "../protocol/bytes";
import { HubClock, readTimeRefusal, signCall, type Hub } from "../protocol/calls";
import { certificateToJson, type Certificate } from "../protocol/certificates";
import type { Signer } from "../protocol/keys";
import { HubViolation } from "../protocol/violations";

const ANSWER_S = 30; // without what the hub was asked to wait
const MAX_ANSWER_BYTES = 16 * 1024 * 1024;

/** A call that came to nothing. `code` is the hub's, or one of unreachable, bad_answer. */
export class CallError extends Error {
  constructor(
    readonly code: string,
    readonly status: number,
    readonly retryAfter: number | null = null,
    readonly detail: Json = null,
  ) {
    super(code);
  }

  /** Whether the hub has said no, and will say so again. Anything else may have happened or not. */
  get isFinal(): boolean {
    return this.status >= 400 && this.status < 500 && ![408, 429].includes(this.status) && this.code !== "wrong_time";
  }
}

export interface CallOptions {
  body?: Json;
  waits?: number; // s that the hub was asked to wait before it answers
  signal?: AbortSignal;
  range?: [number, number]; // the first byte that is wanted, and the one behind the last
}

export class HubClient {
  constructor(
    readonly hub: Hub,
    private readonly signer: Signer,
    readonly clock: HubClock,
    private readonly invite: Certificate | null = null,
  ) {}

  /** Make a call below the neighborhood; return the answer if it is a good one. Throw CallError. */
  async call(method: "GET" | "POST", below: string, options: CallOptions = {}): Promise<Response> {
    const first = await this.attempt(method, below, options);
    if (first.ok) return first;
    const detail = await readJson(first);
    if (codeOf(detail) === "wrong_time") {
      const time = await readTimeRefusal(detail, this.hub, first.signature);
      if (time === null) throw new HubViolation("order_unsigned", "the hub's time is not signed by the hub");
      this.clock.correct(time);
      const second = await this.attempt(method, below, options);
      if (second.ok) return second;
      throw refusal(second, await readJson(second));
    }
    throw refusal(first, detail);
  }

  async json(method: "GET" | "POST", below: string, options: CallOptions = {}): Promise<Json> {
    return readJson(await this.call(method, below, options));
  }

  private async attempt(method: string, below: string, options: CallOptions): Promise<Response & { signature: string }> {
    const url = new URL(`${this.hub.url}/v1/${this.hub.neighborhood}${below}`);
    const bytes = options.body === undefined ? new Uint8Array() : encode(options.body);
    const path = url.pathname + url.search;
    const headers = await signCall(this.signer, this.hub, method, path, bytes, this.clock.now());
    if (this.invite) headers["Ringwatch-Invite"] = toBase64Url(encode(certificateToJson(this.invite)));
    if (options.range) headers.Range = `bytes=${options.range[0]}-${options.range[1] - 1}`;
    if (bytes.length) headers["Content-Type"] = "application/json";
    const timeout = AbortSignal.timeout((ANSWER_S + (options.waits ?? 0)) * 1000);
    try {
      const response = await fetch(url, {
        method,
        headers,
        ...(bytes.length ? { body: bytes } : {}),
        mode: "cors",
        credentials: "omit",
        cache: "no-store",
        redirect: "error",
        referrerPolicy: "no-referrer",
        signal: options.signal ? AbortSignal.any([timeout, options.signal]) : timeout,
      });
      return Object.assign(response, { signature: headers["Ringwatch-Signature"] ?? "" });
    } catch (error) {
      if (options.signal?.aborted) throw new CallError("aborted", 0);
      if (error instanceof TypeError || error instanceof DOMException) throw new CallError("unreachable", 0);
      throw error;
    }
  }
}

/** Read an answer's bytes, up to a limit. Throw CallError. */
export async function readBytes(response: Response, limit = MAX_ANSWER_BYTES): Promise<Bytes> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of chunks(response)) {
    size += part.length;
    if (size > limit) throw new CallError("bad_answer", response.status);
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}

/** Yield an answer's bytes as they come. Throw CallError where the line breaks. */
export async function* chunks(response: Response): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = response.body?.getReader();
  if (!reader) return;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch {
    throw new CallError("unreachable", 0);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}

async function readJson(response: Response): Promise<Json> {
  const bytes = await readBytes(response);
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)) as Json;
  } catch {
    throw new CallError("bad_answer", response.status);
  }
}

function refusal(response: Response, detail: Json): CallError {
  const wait = Number(response.headers.get("Retry-After"));
  return new CallError(codeOf(detail), response.status, Number.isSafeInteger(wait) && wait > 0 ? wait : null, detail);
}

function codeOf(detail: Json): string {
  if (typeof detail !== "object" || detail === null || Array.isArray(detail)) return "bad_answer";
  return typeof detail.code === "string" ? detail.code : "bad_answer";
}
