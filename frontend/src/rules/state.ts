/** A neighborhood's state: what its records, in the hub's order, have come to. Read here, changed by `apply` only. */

import { BEGINNING, type Position } from "../protocol/order";
import { folded } from "../protocol/text";
import { HubViolation } from "../protocol/violations";
import type { Json } from "../protocol/canonical";
import {
  isActive,
  KEPT_BACK,
  MODERATING,
  statusOf,
  unpackAuthor,
  unpackHood,
  unpackItem,
  unpackSubject,
  type Author,
  type Hood,
  type Item,
  type Subject,
} from "./rows";
import type { History, MemoryStore } from "./store";

/** Return a number as a key that sorts like the number. */
export function numbered(number: number): string {
  return String(number).padStart(12, "0");
}

/** What belongs to an item. */
export interface Below {
  type: string;
  id: string;
  subject: string;
  number: number;
}

/** Typed reading of a store. Cheap to make: it keeps nothing itself. */
export class State {
  constructor(
    readonly store: MemoryStore,
    readonly history: History,
  ) {}

  get position(): Position {
    const row = this.store.get("meta", "position") as [number, string | null, number] | undefined;
    return row ? { number: row[0], head: row[1], time: row[2] } : BEGINNING;
  }

  get isFounded(): boolean {
    return this.store.get("meta", "hood") !== undefined;
  }

  get hood(): Hood {
    const row = this.store.get("meta", "hood");
    if (row === undefined) throw new HubViolation("not_founded", "the first record is the founding");
    return unpackHood(row);
  }

  count(what: string): number {
    return (this.store.get("meta", `count/${what}`) ?? 0) as number;
  }

  author(key: string): Author | null {
    return read(this.store.get("keys", key), (row) => unpackAuthor(key, row));
  }

  subject(id: string): Subject | null {
    return read(this.store.get("subjects", id), (row) => unpackSubject(id, row));
  }

  /** Return whose key it is, if it is in use now. */
  subjectOf(key: string): Subject | null {
    const author = this.author(key);
    return author?.active ? this.subject(author.subject) : null;
  }

  get host(): Subject {
    const found = this.subject(this.hood.id);
    if (!found) throw new HubViolation("not_founded", "the first record is the founding");
    return found;
  }

  handleIsTaken(handle: string): boolean {
    return this.store.get("handles", folded(handle)) !== undefined;
  }

  inviteIsUsed(invite: string): boolean {
    return this.store.get("invites", invite) !== undefined;
  }

  item(id: string): Item | null {
    return read(this.store.get("items", id), (row) => unpackItem(id, row));
  }

  /** Return whether somebody has thanked for or flagged an item already. */
  once(what: string, item: string, subject: string): boolean {
    return this.store.get("once", `${item}/${what}/${subject}`) !== undefined;
  }

  /** Return what belongs to an item, oldest first. */
  below(item: string): Below[] {
    return this.store.scan("below", `${item}/`, `${item}0`).map(([key, row]) => {
      const [type, id, subject] = row as [string, string, string];
      return { type, id, subject, number: Number(key.slice(item.length + 1)) };
    });
  }

  isEvidence(record: string): boolean {
    return this.store.get("once", `evidence/${record}`) !== undefined;
  }

  officerIsValid(officer: Subject, time: number): boolean {
    const agency = officer.agency ? this.subject(officer.agency) : null;
    return isActive(officer) && officer.expires > time && agency !== null && isActive(agency);
  }
}

function read<T>(row: Json | undefined, unpack: (row: Json) => T): T | null {
  return row === undefined ? null : unpack(row);
}

/** Return whether somebody may have an item's body: what is kept back is for its author and the moderators. */
export function maySeeBody(item: Item, viewer: Subject | null): boolean {
  const status = statusOf(item);
  if (status === "visible") return true;
  if (!viewer || !KEPT_BACK.has(status)) return false;
  return viewer.id === item.subject || MODERATING.has(viewer.standing);
}
