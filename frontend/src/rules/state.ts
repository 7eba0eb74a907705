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
import {
  isPublic,
  unpackAgency,
  unpackDetails,
  unpackPartnership,
  unpackRequest,
  type AgencyRow,
  type DetailsRow,
  type PartnershipRow,
  type RequestRow,
} from "./rows-requests";
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

  // ---- agencies and requests

  agency(id: string | null): AgencyRow | null {
    return id === null ? null : read(this.store.get("agencies", id), (row) => unpackAgency(id, row));
  }

  agencies(): AgencyRow[] {
    return this.store.scan("agencies").map(([id, row]) => unpackAgency(id, row));
  }

  /** Return an agency as it is now, after all changes of its key. */
  agencyNow(root: string): AgencyRow | null {
    const id = this.store.get("meta", `agency/${root}`);
    return typeof id === "string" ? this.agency(id) : null;
  }

  /** Return which agency somebody belongs to, whatever keys it has had. */
  rootOf(subject: Subject): string | null {
    return this.agency(subject.kind === "officer" ? subject.agency : subject.id)?.root ?? null;
  }

  request(id: string): RequestRow | null {
    return read(this.store.get("requests", id), (row) => unpackRequest(id, row));
  }

  /** Return all footage requests that ever were, newest first. */
  requests(): RequestRow[] {
    const found = this.store.scan("asked").map(([, id]) => this.request(id as string));
    return found.filter((row) => row !== null).reverse();
  }

  /** Return an agency's requests that have not ended: open ones, and such as wait. */
  unfinished(root: string): string[] {
    return this.store.scan("open", `${root}/`, `${root}0`).map(([, id]) => id as string);
  }

  details(id: string): DetailsRow | null {
    return read(this.store.get("details", id), (row) => unpackDetails(id, row));
  }

  requestsOfCase(digest: string): number {
    return this.store.keys("cases", `${digest}/`, `${digest}0`).length;
  }

  partnership(id: string): PartnershipRow | null {
    return read(this.store.get("partnerships", id), (row) => unpackPartnership(id, row));
  }

  partnerships(): PartnershipRow[] {
    return this.store.scan("partnerships").map(([id, row]) => unpackPartnership(id, row));
  }

  officerIsValid(officer: Subject, time: number): boolean {
    const agency = officer.agency ? this.subject(officer.agency) : null;
    return isActive(officer) && officer.expires > time && agency !== null && isActive(agency);
  }
}

function read<T>(row: Json | undefined, unpack: (row: Json) => T): T | null {
  return row === undefined ? null : unpack(row);
}

/** How a footage request stands. */
export type RequestStatus = "pending" | "open" | "held" | "closed" | "expired" | "refused" | "void";

/** Return how a request stands. Nobody answers one whose agency or officer is out. */
export function requestStatus(state: State, request: RequestRow): RequestStatus {
  const { outcome } = request;
  if (outcome) return outcome === "expired" || outcome === "refused" || outcome === "void" ? outcome : "closed";
  const item = state.item(request.id);
  if (!item || statusOf(item) === "pending") return "pending";
  const officer = state.subject(request.subject);
  const agency = state.agencyNow(request.agency);
  const enrolled = agency && state.subject(agency.id);
  if (!officer || officer.frozen || !enrolled || enrolled.frozen || !isActive(enrolled)) return "held";
  return statusOf(item) === "visible" ? "open" : "held";
}

/**
 * Return whether somebody may have a record's body. Without a viewer: whether everybody may.
 *
 * Of requests moderators and the agency have all; others have the request once it is released or over, and its details while
 * it is released and not kept back.
 */
export function mayHaveBody(state: State, id: string, viewer: Subject | null): boolean {
  const request = state.request(id);
  const details = request ? null : state.details(id);
  if (!request && !details) {
    const item = state.item(id);
    return !item || maySeeBody(item, viewer);
  }
  const root = request?.agency ?? details?.agency;
  if (viewer && (MODERATING.has(viewer.standing) || state.rootOf(viewer) === root)) return true;
  if (request) return isPublic(request);
  const asked = details?.request ? state.request(details.request) : null;
  const item = asked && state.item(asked.id);
  if (!asked || !item || asked.outcome === "refused") return false;
  return asked.released !== null && statusOf(item) === "visible";
}

/** Return whether somebody may have an item's body: what is kept back is for its author and the moderators. */
export function maySeeBody(item: Item, viewer: Subject | null): boolean {
  const status = statusOf(item);
  if (status === "visible") return true;
  if (!viewer || !KEPT_BACK.has(status)) return false;
  return viewer.id === item.subject || MODERATING.has(viewer.standing);
}
