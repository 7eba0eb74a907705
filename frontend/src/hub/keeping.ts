/**
 * This browser's verified copy of a neighborhood: the state in memory and in the database, and the records that can be read.
 *
 * What the hub sends is taken whole or not at all; a lie leaves everything as it was.
 */

import type { Wire } from "../protocol/envelope";
import { readTrusted, type VerifiedRecord } from "../protocol/envelope";
import { verifyChain, verifyCheckpoint, type Checkpoint } from "../protocol/order";
import type { LookUp, Placed } from "../protocol/segments";
import { HubViolation, RecordViolation } from "../protocol/violations";
import { advance, apply, supply } from "../rules/apply";
import { isItem } from "../rules/applying-feed";
import { statusOf, type Subject } from "../rules/rows";
import { mayHaveBody, State } from "../rules/state";
import { History, MemoryStore } from "../rules/store";
import type { Change } from "../rules/writing";
import type { Database, Membership } from "../storage/database";

const KEPT: ReadonlySet<string> = new Set(["post", "alert", "comment", "moderation", "legal_demand", "request_details"]);

export class Copy {
  readonly state: State;
  private readonly records = new Map<string, Wire>();

  private constructor(
    private readonly database: Database,
    readonly membership: Membership,
    store: MemoryStore,
  ) {
    this.state = new State(store, new History());
  }

  static async open(database: Database, membership: Membership): Promise<Copy> {
    const store = new MemoryStore();
    for (const { table, key, value } of await database.rows(membership.neighborhood)) store.put(table, key, value);
    const copy = new Copy(database, membership, store);
    for (const [id, wire] of await database.records(membership.neighborhood)) copy.records.set(id, wire);
    return copy;
  }

  /** Return a record that was checked when it came; null if its body is not here. */
  record(id: string): VerifiedRecord | null {
    const wire = this.records.get(id);
    return wire ? readTrusted(wire) : null;
  }

  /** Take what comes next in the order. Throw HubViolation, with everything as it was. */
  async receive(placed: Placed[], now: number): Promise<Change[]> {
    const { neighborhood, hubKey } = this.membership;
    const entries = placed.map(({ entry }) => entry);
    await verifyChain(entries, neighborhood, hubKey, this.state.position, now);
    await this.lookUp(placed.map(({ record }) => record));
    return this.write(() => placed.flatMap(({ record, entry }) => apply(record, this.state, entry)), placed);
  }

  /** Compare the hub's newest head with what was shown before, and let its time go on. Throw HubViolation. */
  async receiveCheckpoint(checkpoint: Checkpoint): Promise<Change[]> {
    const { state, membership } = this;
    const known = await this.database.lookUp(membership.neighborhood, [], [checkpoint.head]);
    verifyCheckpoint(checkpoint, state.position, (head) => known.heads.get(head), membership.checkpointTime);
    membership.checkpointTime = checkpoint.time;
    if (checkpoint.number !== state.position.number || checkpoint.time <= state.position.time) return [];
    return this.write(() => advance(state, checkpoint.time), []);
  }

  /** Take bodies that came later than their envelopes. Throw HubViolation. */
  async receiveBodies(records: VerifiedRecord[]): Promise<Change[]> {
    await this.lookUp(records);
    const wanted = records.filter(({ id, body }) => body && this.state.store.get("waiting", id) !== undefined);
    const result = await this.write(() => wanted.flatMap((record) => supply(record, this.state)), []);
    await this.keep(wanted.map((record): [string, Wire] => [record.id, record.wire]));
    return result;
  }

  /** Return records whose body this reader could have and hasn't, newest first. */
  bodiesWanted(viewer: Subject | null): string[] {
    return this.state.store.keys("waiting").filter((id) => mayHaveBody(this.state, id, viewer)).reverse();
  }

  /** Return posts and requests that are to be seen and whose body the hub keeps back, though nothing in the order says why. */
  withheld(): string[] {
    return this.state.store.keys("waiting").filter((id) => {
      const item = this.state.item(id);
      const asked = this.state.request(id) ?? this.state.details(id);
      if (asked) return mayHaveBody(this.state, id, null);
      return item !== null && item.type !== "comment" && statusOf(item) === "visible";
    });
  }

  /** Look up what stands at some numbers of the order. */
  readonly standing: LookUp = (numbers) => this.database.standing(this.membership.neighborhood, numbers);

  private async lookUp(records: VerifiedRecord[]): Promise<void> {
    const ids = new Set<string>();
    const heads = new Set<string>();
    for (const { id, envelope, body } of records) {
      ids.add(id);
      if (envelope.prev !== null) ids.add(envelope.prev);
      if (envelope.head !== null) heads.add(envelope.head);
      if (body?.kind === "remove" || body?.kind === "settle") ids.add(body.last);
      if (body?.kind === "replace" && body.invite.replaces) ids.add(body.invite.replaces.last);
    }
    const { history } = this.state;
    history.places.clear();
    history.heads.clear();
    const found = await this.database.lookUp(this.membership.neighborhood, ids, heads);
    for (const [id, place] of found.places) history.places.set(id, place);
    for (const [head, number] of found.heads) history.heads.set(head, number);
  }

  /** Change the state, and the database in the same way. Throw HubViolation and change neither. */
  private async write(change: () => Change[], placed: Placed[]): Promise<Change[]> {
    const { store } = this.state;
    let changes: Change[];
    store.begin();
    try {
      changes = change();
    } catch (error) {
      store.rollback();
      if (error instanceof RecordViolation) throw new HubViolation("record_refused", error.message);
      throw error;
    }
    const records = new Map<string, Wire | null>();
    for (const { record } of placed) {
      if (KEPT.has(record.type) && record.body) records.set(record.id, record.wire);
    }
    for (const { kind, id } of changes) if (kind === "erase") records.set(id, null);
    for (const [id, wire] of records) {
      if (wire && isItem(readType(wire)) && !store.get("items", id)) records.set(id, null); // came and expired in one answer
    }
    const places = new Map(placed.map(({ entry, record }) => [entry.id, { number: entry.number, author: record.author }]));
    const heads = new Map(placed.map(({ entry }) => [entry.head, entry.number]));
    const order = new Map(placed.map(({ entry: { number, id, head } }) => [number, { id, head }]));
    const changed = store.commit();
    await this.database.write(this.membership.neighborhood, { changed, places, heads, order, records });
    for (const [id, wire] of records) {
      if (wire) this.records.set(id, wire);
      else this.records.delete(id);
    }
    return changes;
  }

  private async keep(wires: [string, Wire][]): Promise<void> {
    const isThere = (id: string): boolean => this.state.item(id)?.known === true || this.state.details(id) !== null;
    const there = wires.filter(([id, wire]) => KEPT.has(readType(wire)) && isThere(id));
    const nothing = { changed: [], places: new Map<string, never>(), heads: new Map<string, never>(), order: new Map<number, never>() };
    await this.database.write(this.membership.neighborhood, { ...nothing, records: new Map(there) });
    for (const [id, wire] of there) this.records.set(id, wire);
  }
}

function readType(wire: Wire): VerifiedRecord["type"] {
  return (wire.envelope as { type: VerifiedRecord["type"] }).type;
}
