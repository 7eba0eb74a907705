/**
 * A neighbor's side of a neighborhood: follows the hub's order, verifies it, and sends what is written here.
 *
 * One record at a time is under way, and it is kept before it is sent: signing another one in its place would be a fork, which
 * freezes its author.
 */

import { HubClock, type Hub } from "../protocol/calls";
import { readRecord, readTrusted, signRecord, type VerifiedRecord } from "../protocol/envelope";
import type { Json } from "../protocol/canonical";
import type { Signer } from "../protocol/keys";
import { readCheckpoint } from "../protocol/order";
import { gunzip, SEGMENT_RECORDS, unpackLines, MAX_PACKED_BYTES } from "../protocol/segments";
import type { Type } from "../protocol/types";
import { HubViolation, RecordViolation } from "../protocol/violations";
import { isActive, type Subject } from "../rules/rows";
import { check } from "../rules/rules";
import type { Change } from "../rules/writing";
import type { Database, Membership } from "../storage/database";
import { CallError, HubClient, readBytes } from "./client";
import { Copy } from "./keeping";

const WAIT_S = 25; // a long poll; proxies close what is silent for longer
const RETRY_S = [1, 3, 10, 30, 60];
const MAX_PAUSE_S = 600; // whatever a hub asks for
const TOO_QUICK_S = 1; // an answer that was to wait, and has nothing in it
const SECOND_LOOK_S = 1; // what is missing in one answer may be on its way
const MAX_BODIES = 100; // a call
const MAX_BODY_CALLS = 5; // after one answer

export type Phase = "starting" | "catching_up" | "live" | "offline" | "busy" | "trouble" | "removed" | "stopped";

/** Why something could not be sent: a code of the rules or the hub; "waiting" if it will be sent later. */
export class NotSent extends Error {
  constructor(readonly code: string) {
    super(code);
  }
}

export class Home extends EventTarget {
  phase: Phase = "starting";
  behind = 0; // how many records of the order are still to come
  readonly clock: HubClock;
  readonly client: HubClient;
  private readonly ended = new AbortController();
  private waiting = new AbortController();
  private sending: Promise<unknown> = Promise.resolve();
  private withheld = new Set<string>();
  private shortAnswers = 0;

  constructor(
    private readonly database: Database,
    readonly copy: Copy,
    private readonly key: Signer,
  ) {
    super();
    const { url, neighborhood, hubKey, clockOffset } = copy.membership;
    const hub: Hub = { url, neighborhood, hubKey };
    this.clock = new HubClock(clockOffset);
    this.client = new HubClient(hub, key, this.clock);
  }

  get membership(): Membership {
    return this.copy.membership;
  }

  /** Who this browser's key belongs to, while it belongs to somebody. */
  get me(): Subject | null {
    return this.copy.state.subjectOf(this.key.publicKey);
  }

  get isSending(): boolean {
    return this.membership.outbox !== null;
  }

  /** Follow the hub until `stop`. */
  async run(): Promise<void> {
    let failures = 0;
    if (this.membership.trouble) this.set("trouble");
    while (!this.ended.signal.aborted) {
      let pause = 0;
      try {
        if (this.phase === "trouble" || this.phase === "removed") {
          await this.pause(3_600);
          continue;
        }
        pause = await this.poll();
        failures = 0;
      } catch (error) {
        pause = await this.failed(error, failures++);
      }
      if (pause) await this.pause(pause);
    }
    this.set("stopped");
  }

  stop(): void {
    this.ended.abort();
    this.waiting.abort();
  }

  /** Ask the hub now: after trouble or a pause. */
  async retry(): Promise<void> {
    if (this.phase === "trouble") {
      this.membership.trouble = null;
      await this.database.keep(this.membership);
    }
    if (this.phase !== "stopped") this.set("starting");
    this.waiting.abort();
  }

  /** Sign something and bring it into the order; return its id. Throw NotSent. */
  async submit(type: Type, body: Json): Promise<string> {
    const before = this.sending;
    const mine = before.catch(() => undefined).then(() => this.sign(type, body));
    this.sending = mine;
    return mine;
  }

  async markRead(number: number): Promise<void> {
    if (number <= this.membership.readUpTo) return;
    this.membership.readUpTo = number;
    await this.database.keep(this.membership);
    this.tell([]);
  }

  private async sign(type: Type, body: Json): Promise<string> {
    if (this.membership.outbox) throw new NotSent("one_at_a_time");
    const { state } = this.copy;
    const { head } = state.position;
    const author = state.author(this.key.publicKey);
    if (!author || head === null) throw new NotSent("not_ready");
    const draft = { type, body, neighborhood: state.hood.id, created: this.clock.now(), prev: author.tip, head };
    const record = await this.checked(() => signRecord(this.key, draft));
    state.history.heads.set(head, state.position.number);
    await this.checked(() => check(record, state, this.clock.now()));
    this.membership.outbox = record.wire;
    await this.database.keep(this.membership);
    this.tell([]);
    try {
      await this.sendOutbox();
    } finally {
      this.waiting.abort(); // fetch what is in the order now, or send it again
    }
    await this.settled(record.id);
    return record.id;
  }

  private async checked<T>(make: () => T | Promise<T>): Promise<T> {
    try {
      return await make();
    } catch (error) {
      if (error instanceof RecordViolation) throw new NotSent(error.code);
      throw error;
    }
  }

  /** Send what is under way. Throw NotSent: for good, or "waiting". */
  private async sendOutbox(): Promise<void> {
    const { outbox } = this.membership;
    if (!outbox) return;
    try {
      await this.client.call("POST", "/records", { body: outbox });
    } catch (error) {
      if (error instanceof HubViolation) await this.failed(error, 0);
      else if (!(error instanceof CallError)) throw error;
      if (!(error instanceof CallError) || !error.isFinal) throw new NotSent("waiting");
      await this.clearOutbox();
      throw new NotSent(error.code);
    }
  }

  private async clearOutbox(): Promise<void> {
    this.membership.outbox = null;
    await this.database.keep(this.membership);
    this.tell([]);
  }

  /** Wait until a record that the hub has taken stands in the order here. */
  private settled(id: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const look = (): void => {
        const mine = this.membership.outbox && readTrusted(this.membership.outbox).id === id;
        if (mine && (this.phase === "live" || this.phase === "catching_up" || this.phase === "starting")) return;
        this.removeEventListener("change", look);
        if (mine) reject(new NotSent("waiting"));
        else resolve();
      };
      this.addEventListener("change", look);
      look();
    });
  }

  /** Ask the hub once; return how long to pause before the next time. */
  private async poll(): Promise<number> {
    if (this.membership.outbox && this.phase !== "starting") {
      await this.sendOutbox().catch((error: unknown) => {
        if (!(error instanceof NotSent)) throw error;
        if (error.code === "waiting") throw new CallError("unreachable", 0);
        this.dispatchEvent(new CustomEvent("refused", { detail: error.code }));
      });
    }
    const { number } = this.copy.state.position;
    const doubts = this.withheld.size > 0; // then the next answer is wanted soon
    const wait = this.phase === "live" && !doubts ? WAIT_S : 0;
    this.waiting = new AbortController();
    const signal = AbortSignal.any([this.waiting.signal, this.ended.signal]);
    const asked = performance.now();
    let response: Response;
    try {
      response = await this.client.call("GET", `/records?after=${number}${wait ? `&wait=${wait}` : ""}`, { waits: wait, signal });
    } catch (error) {
      if (error instanceof CallError && error.code === "use_segments") {
        await this.catchUp(error.detail);
        return 0;
      }
      if (error instanceof CallError && error.code === "aborted") return 0;
      if (error instanceof CallError && error.status === 400 && number > 0) {
        throw new HubViolation("order_rewound", `the hub doesn't know entry ${number}, which it has shown before`);
      }
      throw error;
    }
    const quiet = (await this.take(response)) === 0;
    if (this.withheld.size) return SECOND_LOOK_S;
    const after = Number(response.headers.get("Ringwatch-Poll-After") ?? 0);
    if (!wait || !Number.isFinite(after)) return 0; // whoever has not asked to wait does so next
    const tooQuick = quiet && performance.now() - asked < TOO_QUICK_S * 1000;
    return Math.min(Math.max(after, tooQuick ? 2 * TOO_QUICK_S : 0), MAX_PAUSE_S);
  }

  /** Check an answer and take it; return how many entries were in it. */
  private async take(response: Response): Promise<number> {
    const { membership, copy, clock } = this;
    const placed = await unpackLines(await readBytes(response), membership.neighborhood, copy.standing);
    const header = response.headers.get("Ringwatch-Checkpoint");
    if (header === null) throw new HubViolation("order_unsigned", "an answer without a checkpoint");
    const checkpoint = await readCheckpoint(header, membership.neighborhood, membership.hubKey);
    const changes = placed.length ? await copy.receive(placed, clock.now()) : [];
    changes.push(...(await copy.receiveCheckpoint(checkpoint)));
    this.behind = checkpoint.number - copy.state.position.number;
    this.shortAnswers = placed.length === 0 && this.behind > 0 ? this.shortAnswers + 1 : 0;
    if (this.shortAnswers > 2) throw new HubViolation("order_gap", "the hub keeps back the newest entries");
    changes.push(...(await this.fetchBodies()));
    await this.afterAnswer(new Set(placed.map(({ entry }) => entry.id)));
    this.set(this.amRemoved() ? "removed" : this.behind > 0 ? "catching_up" : "live", changes);
    if (this.phase === "live") this.checkWithheld(placed.length > 0);
    return placed.length;
  }

  private async afterAnswer(arrived: Set<string>): Promise<void> {
    const { membership, clock } = this;
    membership.clockOffset = clock.offset;
    if (membership.outbox && arrived.has(readTrusted(membership.outbox).id)) membership.outbox = null;
    await this.database.keep(membership);
  }

  /** Fetch whole segments: the hub gives the tail only to those who are near it. */
  private async catchUp(detail: Json): Promise<void> {
    const { copy, membership, clock } = this;
    const said = typeof detail === "object" && detail !== null && !Array.isArray(detail) ? detail.segments : null;
    const total = Number.isSafeInteger(said) ? (said as number) : 0;
    const first = Math.floor(copy.state.position.number / SEGMENT_RECORDS) + 1;
    if (total < first) throw new HubViolation("bad_segment", "the hub names no segment that comes next");
    this.behind = total * SEGMENT_RECORDS - copy.state.position.number;
    this.set("catching_up");
    for (let number = first; number <= total && !this.ended.signal.aborted; number++) {
      const answer = await this.client.call("GET", `/segments/${number}`, { waits: 60, signal: this.ended.signal });
      const packed = new Blob([new Uint8Array(await readBytes(answer, MAX_PACKED_BYTES))]);
      const all = await unpackLines(await gunzip(packed), membership.neighborhood, copy.standing);
      if (all.length !== SEGMENT_RECORDS) throw new HubViolation("bad_segment", `${all.length} lines`);
      const placed = all.filter(({ entry }) => entry.number > copy.state.position.number);
      await copy.receive(placed, clock.now());
      this.behind = total * SEGMENT_RECORDS - copy.state.position.number;
      this.set("catching_up");
    }
  }

  private async fetchBodies(): Promise<Change[]> {
    const changes: Change[] = [];
    const wanted = this.copy.bodiesWanted(this.me);
    for (let start = 0; start < Math.min(wanted.length, MAX_BODIES * MAX_BODY_CALLS); start += MAX_BODIES) {
      const ids = wanted.slice(start, start + MAX_BODIES);
      const answer = await this.client.json("POST", "/bodies", { body: { ids } });
      const given = typeof answer === "object" && answer !== null && !Array.isArray(answer) ? answer.records : null;
      if (!Array.isArray(given)) throw new HubViolation("bad_segment", "an answer without records");
      const records = await Promise.all(given.map(readAnswered));
      if (records.some(({ id }) => !ids.includes(id))) throw new HubViolation("wrong_record", "a body that nobody asked for");
      changes.push(...(await this.copy.receiveBodies(records)));
    }
    return changes;
  }

  /** A body may be gone between two answers for a good reason; if it stays away with nothing new in the order it is kept back. */
  private checkWithheld(somethingNew: boolean): void {
    const now = new Set(this.copy.withheld());
    const still = [...now].some((id) => this.withheld.has(id));
    if (still && !somethingNew) throw new HubViolation("body_withheld", "a post is kept back though nothing says why");
    this.withheld = now;
  }

  /** Whether a signed record says that this key's owner doesn't belong here any more. */
  amRemoved(): boolean {
    const { state } = this.copy;
    const author = state.author(this.key.publicKey);
    if (!author) return false; // not come to the own joining yet
    const subject = state.subjectOf(this.key.publicKey);
    return !subject || !isActive(subject);
  }

  private async failed(error: unknown, failures: number): Promise<number> {
    if (error instanceof HubViolation) {
      this.membership.trouble = { code: error.code, about: error.about };
      await this.database.keep(this.membership);
      this.set("trouble");
      return 0;
    }
    if (error instanceof CallError && ["removed", "not_a_member"].includes(error.code)) {
      this.set("removed");
      return 0;
    }
    if (!(error instanceof CallError)) throw error;
    this.set(error.status === 0 ? "offline" : "busy");
    const wait = Math.min(error.retryAfter ?? RETRY_S[Math.min(failures, RETRY_S.length - 1)] ?? 60, MAX_PAUSE_S);
    return wait * (0.75 + Math.random() / 2);
  }

  private pause(seconds: number): Promise<void> {
    this.waiting = new AbortController();
    const signal = AbortSignal.any([this.waiting.signal, this.ended.signal]);
    return new Promise((resolve) => {
      const finish = (): void => {
        clearTimeout(timer);
        removeEventListener("online", finish);
        resolve();
      };
      const timer = setTimeout(finish, seconds * 1000);
      addEventListener("online", finish);
      signal.addEventListener("abort", finish);
    });
  }

  private set(phase: Phase, changes: Change[] = []): void {
    this.phase = phase;
    this.tell(changes);
  }

  private tell(changes: Change[]): void {
    this.dispatchEvent(new CustomEvent("change", { detail: changes }));
  }
}

async function readAnswered(value: Json): Promise<VerifiedRecord> {
  try {
    return await readRecord(value);
  } catch (error) {
    if (error instanceof RecordViolation) throw new HubViolation("wrong_record", error.message);
    throw error;
  }
}
