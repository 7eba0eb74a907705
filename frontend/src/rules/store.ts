/**
 * What the state stands on: tables of keys and small JSON values, each ordered by key, in memory.
 *
 * A change is tried within `begin` and `commit` or `rollback`; `commit` says what has changed, for the browser's database.
 * The tables and their values are those of the Python side, so that the two can be compared byte for byte.
 */

import { digest } from "../protocol/bytes";
import { encode, type Json } from "../protocol/canonical";

export const TABLES = [
  "meta",
  "keys",
  "subjects",
  "handles",
  "invites",
  "items",
  "below",
  "feed",
  "due",
  "mine",
  "once",
  "log",
  "waiting",
  "agencies",
  "requests",
  "asked",
  "open",
  "details",
  "cases",
  "partnerships",
  "demands",
] as const;
export type TableName = (typeof TABLES)[number];

/** A changed value; undefined where it is gone. */
export interface Changed {
  table: TableName;
  key: string;
  value: Json | undefined;
}

/** A map that also knows the order of its keys. */
class Table {
  readonly values = new Map<string, Json>();
  private readonly ordered: string[] = [];

  put(key: string, value: Json | undefined): void {
    const place = this.placeOf(key);
    const there = this.ordered[place] === key;
    if (value === undefined) {
      this.values.delete(key);
      if (there) this.ordered.splice(place, 1);
    } else {
      this.values.set(key, value);
      if (!there) this.ordered.splice(place, 0, key);
    }
  }

  /** Return the keys from `start` up to but without `stop`. */
  range(start: string, stop?: string): string[] {
    return this.ordered.slice(this.placeOf(start), stop === undefined ? undefined : this.placeOf(stop));
  }

  private placeOf(key: string): number {
    let low = 0;
    let high = this.ordered.length;
    const last = this.ordered[high - 1];
    if (last !== undefined && last < key) return high; // most keys come in order
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.ordered[middle] ?? "") < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

export class MemoryStore {
  private readonly tables: Record<TableName, Table>;
  private before: Map<string, Changed> | null = null;

  constructor() {
    this.tables = Object.fromEntries(TABLES.map((name) => [name, new Table()])) as Record<TableName, Table>;
  }

  get(table: TableName, key: string): Json | undefined {
    return this.tables[table].values.get(key);
  }

  put(table: TableName, key: string, value: Json): void {
    this.set(table, key, value);
  }

  delete(table: TableName, key: string): void {
    this.set(table, key, undefined);
  }

  /** Return keys and values from `start` up to but without `stop`, in order. */
  scan(table: TableName, start = "", stop?: string): [string, Json][] {
    const { values } = this.tables[table];
    return this.tables[table].range(start, stop).map((key) => [key, values.get(key) ?? null]);
  }

  /** Return keys only: cheaper, and newest first where that is wanted. */
  keys(table: TableName, start = "", stop?: string): string[] {
    return this.tables[table].range(start, stop);
  }

  begin(): void {
    this.before = new Map();
  }

  /** Keep what was changed since `begin`, and return it. */
  commit(): Changed[] {
    const changed = [...(this.before?.values() ?? [])];
    this.before = null;
    return changed.map(({ table, key }) => ({ table, key, value: this.get(table, key) }));
  }

  /** Undo what was changed since `begin`. */
  rollback(): void {
    for (const { table, key, value } of this.before?.values() ?? []) this.tables[table].put(key, value);
    this.before = null;
  }

  /** Return the SHA-256 of everything in it, as the Python side does. */
  digest(): string {
    const all = TABLES.map((name): [string, Json] => [name, Object.fromEntries(this.scan(name))]);
    return digest(encode(Object.fromEntries(all)));
  }

  private set(table: TableName, key: string, value: Json | undefined): void {
    const name = `${table}/${key}`;
    if (this.before && !this.before.has(name)) this.before.set(name, { table, key, value: this.get(table, key) });
    this.tables[table].put(key, value);
  }
}

/** A record's place in the order. */
export interface RecordPlace {
  number: number;
  author: string;
}

/** What is in the order, by record and by head: of as much as the records at hand refer to. */
export class History {
  readonly places = new Map<string, RecordPlace>();
  readonly heads = new Map<string, number>();
}
