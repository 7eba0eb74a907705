/** What this browser keeps for an officer beside the neighborhoods' copies: the key, saved searches, what was delivered. */

import type { Arrival, Receipt } from "../protocol/delivery";
import type { Place } from "../protocol/places";
import type { KeyFile, ReadingKey } from "./keyfile";

const NAME = "ringwatch-officer-desk";
export const COPIES = "ringwatch-officer"; // the name of the neighborhoods' database

/** The officer's key. In a file it is sealed; made here it is the browser's, which gives it to nobody. */
export type OfficerKey =
  | { kind: "file"; publicKey: string; file: KeyFile; agency: string }
  | { kind: "browser"; publicKey: string; key: CryptoKey; reading: ReadingKey[] };

export interface Criteria {
  text: string;
  category: string | null;
  near: { place: Place; radius_m: number } | null;
  from: number | null;
  to: number | null;
}

export interface SavedSearch {
  id: string;
  precinct: string;
  name: string;
  criteria: Criteria;
  seen: number; // the number of the newest entry when it was last looked at
}

/** A delivery that this browser has heard of. The hub forgets it when it was received. */
export interface KnownDelivery {
  delivery: string;
  request: string;
  key: string;
  arrival: Arrival;
  opened: boolean;
  saved: boolean;
  receipts: Receipt[]; // signed here
}

export class Desk {
  private constructor(private readonly db: IDBDatabase) {}

  static open(): Promise<Desk> {
    return new Promise((resolve, reject) => {
      const request = indexedDB.open(NAME, 1);
      request.onupgradeneeded = () => {
        request.result.createObjectStore("desk");
      };
      request.onsuccess = () => {
        resolve(new Desk(request.result));
      };
      request.onerror = () => {
        reject(request.error ?? new Error("IndexedDB"));
      };
    });
  }

  async key(): Promise<OfficerKey | null> {
    return ((await this.get("key")) as OfficerKey | undefined) ?? null;
  }

  keepKey(key: OfficerKey): Promise<void> {
    return this.put("key", key);
  }

  async searches(hood: string): Promise<SavedSearch[]> {
    return ((await this.get(`searches/${hood}`)) as SavedSearch[] | undefined) ?? [];
  }

  keepSearches(hood: string, searches: SavedSearch[]): Promise<void> {
    return this.put(`searches/${hood}`, searches);
  }

  async deliveries(hood: string): Promise<KnownDelivery[]> {
    return ((await this.get(`deliveries/${hood}`)) as KnownDelivery[] | undefined) ?? [];
  }

  keepDeliveries(hood: string, deliveries: KnownDelivery[]): Promise<void> {
    return this.put(`deliveries/${hood}`, deliveries);
  }

  async forgetHood(hood: string): Promise<void> {
    await this.change((desk) => {
      desk.delete(`searches/${hood}`);
      desk.delete(`deliveries/${hood}`);
    });
  }

  /** Forget everything. */
  clear(): Promise<void> {
    return this.change((desk) => desk.clear());
  }

  private get(name: string): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const request = this.db.transaction("desk").objectStore("desk").get(name);
      request.onsuccess = () => {
        resolve(request.result);
      };
      request.onerror = () => {
        reject(request.error ?? new Error("IndexedDB"));
      };
    });
  }

  private put(name: string, value: unknown): Promise<void> {
    return this.change((desk) => desk.put(value, name));
  }

  private change(make: (desk: IDBObjectStore) => unknown): Promise<void> {
    return new Promise((resolve, reject) => {
      const tx = this.db.transaction("desk", "readwrite", { durability: "strict" });
      make(tx.objectStore("desk"));
      tx.oncomplete = () => {
        resolve();
      };
      tx.onabort = tx.onerror = () => {
        reject(tx.error ?? new Error("IndexedDB"));
      };
    });
  }
}

