/**
 * What this browser keeps, in IndexedDB: memberships with their keys, and of each neighborhood the verified state, the records
 * that can still be read, and what is in the order (to recognize a hub that changes it).
 */

import type { Json } from "../protocol/canonical";
import type { Wire } from "../protocol/envelope";
import type { Standing } from "../protocol/segments";
import type { Changed, RecordPlace, TableName } from "../rules/store";
import type { KeptKey } from "./keystore";

const NAME = "ringwatch";
const VERSION = 1;

/** A neighborhood that somebody belongs to with this browser, or is joining. */
export interface Membership {
  neighborhood: string;
  url: string;
  hubKey: string;
  key: KeptKey;
  joining: { wire: Wire; link: string } | null; // until it is known that the hub has taken the record
  shown: { name: string; rules: string }; // what the hub said of itself before joining
  clockOffset: number;
  checkpointTime: number;
  readUpTo: number; // the number of the newest entry whose posts were on the screen
  trouble: { code: string; about: string } | null;
  outbox: Wire | null; // signed, and not yet known to be in the order
}

interface StoredRow {
  hood: string;
  table: TableName;
  key: string;
  value: Json;
}

/** What one answer of the hub has changed. Written whole or not at all. */
export interface Batch {
  changed: Changed[];
  places: Map<string, RecordPlace>;
  heads: Map<string, number>;
  order: Map<number, Standing>;
  records: Map<string, Wire | null>; // null: erased
}

export class Database {
  private constructor(private readonly db: IDBDatabase) {}

  /** Open it. Pages from a disk share one storage in some browsers, so each kind of page has a name of its own. */
  static open(name = NAME): Promise<Database> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(name, VERSION);
      request.onupgradeneeded = () => {
        const db = request.result;
        db.createObjectStore("memberships", { keyPath: "neighborhood" });
        db.createObjectStore("state", { keyPath: ["hood", "table", "key"] });
        db.createObjectStore("records", { keyPath: ["hood", "id"] });
        db.createObjectStore("places");
        db.createObjectStore("heads");
        db.createObjectStore("order");
      };
      request.onsuccess = () => {
        resolve(new Database(request.result));
      };
      request.onerror = () => {
        reject(request.error ?? new Error("IndexedDB"));
      };
    });
  }

  memberships(): Promise<Membership[]> {
    return wait(this.read("memberships").getAll()) as Promise<Membership[]>;
  }

  async keep(membership: Membership): Promise<void> {
    const tx = this.db.transaction("memberships", "readwrite", { durability: "strict" });
    tx.objectStore("memberships").put(membership);
    await done(tx);
  }

  /** Forget a neighborhood and the key for it. */
  async forget(hood: string): Promise<void> {
    const names = ["memberships", "state", "records", "places", "heads", "order"];
    const tx = this.db.transaction(names, "readwrite");
    tx.objectStore("memberships").delete(hood);
    for (const name of names.slice(1)) tx.objectStore(name).delete(everythingOf(hood));
    await done(tx);
  }

  /** Return everything of a state, in no order. */
  rows(hood: string): Promise<StoredRow[]> {
    return wait(this.read("state").getAll(everythingOf(hood))) as Promise<StoredRow[]>;
  }

  async records(hood: string): Promise<Map<string, Wire>> {
    const rows = (await wait(this.read("records").getAll(everythingOf(hood)))) as { id: string; wire: Wire }[];
    return new Map(rows.map(({ id, wire }) => [id, wire]));
  }

  /** Look up where records stand and which entries heads are of, as far as they are known. */
  async lookUp(hood: string, ids: Iterable<string>, heads: Iterable<string>): Promise<Pick<Batch, "places" | "heads">> {
    const tx = this.db.transaction(["places", "heads"]);
    const found: Pick<Batch, "places" | "heads"> = { places: new Map(), heads: new Map() };
    for (const id of ids) {
      const request = tx.objectStore("places").get([hood, id]) as IDBRequest<RecordPlace | undefined>;
      request.onsuccess = () => {
        if (request.result) found.places.set(id, request.result);
      };
    }
    for (const head of heads) {
      const request = tx.objectStore("heads").get([hood, head]) as IDBRequest<number | undefined>;
      request.onsuccess = () => {
        if (request.result !== undefined) found.heads.set(head, request.result);
      };
    }
    await done(tx);
    return found;
  }

  /** Look up what stands at some numbers of the order, as far as it is known. */
  async standing(hood: string, numbers: Iterable<number>): Promise<Map<number, Standing>> {
    const tx = this.db.transaction("order");
    const found = new Map<number, Standing>();
    for (const number of numbers) {
      const request = tx.objectStore("order").get([hood, number]) as IDBRequest<Standing | undefined>;
      request.onsuccess = () => {
        if (request.result) found.set(number, request.result);
      };
    }
    await done(tx);
    return found;
  }

  async write(hood: string, { changed, places, heads, order, records }: Batch): Promise<void> {
    const tx = this.db.transaction(["state", "records", "places", "heads", "order"], "readwrite");
    const state = tx.objectStore("state");
    for (const { table, key, value } of changed) {
      if (value === undefined) state.delete([hood, table, key]);
      else state.put({ hood, table, key, value } satisfies StoredRow);
    }
    for (const [id, place] of places) tx.objectStore("places").put(place, [hood, id]);
    for (const [head, number] of heads) tx.objectStore("heads").put(number, [hood, head]);
    for (const [number, standing] of order) tx.objectStore("order").put(standing, [hood, number]);
    for (const [id, wire] of records) {
      if (wire) tx.objectStore("records").put({ hood, id, wire });
      else tx.objectStore("records").delete([hood, id]);
    }
    await done(tx);
  }

  private read(name: string): IDBObjectStore {
    return this.db.transaction(name).objectStore(name);
  }
}

function everythingOf(hood: string): IDBKeyRange {
  return IDBKeyRange.bound([hood], [hood, []]); // an array comes after every text
}

function wait<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => {
      resolve(request.result);
    };
    request.onerror = () => {
      reject(request.error ?? new Error("IndexedDB"));
    };
  });
}

function done(tx: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    tx.oncomplete = () => {
      resolve();
    };
    tx.onabort = tx.onerror = () => {
      reject(tx.error ?? new Error("IndexedDB"));
    };
  });
}
