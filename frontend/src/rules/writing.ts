/** Writing into a state: small steps that keep its tables in agreement. As `neighborhood/writing.py` and `voiding.py`. */

import type { Media } from "../protocol/bodies";
import type { Type } from "../protocol/types";
import { followDecisions, voidFollowUp, voidRequest } from "./applying-requests";
import { DAY_S } from "./limits";
import {
  ENDED,
  newItem,
  packAuthor,
  packItem,
  packSubject,
  statusOf,
  type Author,
  type Item,
  type Status,
  type Subject,
} from "./rows";
import { numbered, State } from "./state";

/** What happened, for the page: which bodies and media to forget, and what is new. */
export interface Change {
  kind: Type | "hidden" | "shown" | "gone" | "frozen" | "settled" | "erase" | "erase_media";
  id: string;
  subject: string | null;
  media: Media[];
}

const DECISION = "decision";

/** A state that is being changed. */
export class Writer extends State {
  readonly changes: Change[] = [];

  constructor(state: State) {
    super(state.store, state.history);
  }

  tell(kind: Change["kind"], id: string, subject: string | null = null, media: Media[] = []): void {
    this.changes.push({ kind, id, subject, media });
  }

  writeAuthor(author: Author): void {
    this.store.put("keys", author.key, packAuthor(author));
  }

  writeSubject(subject: Subject): void {
    this.store.put("subjects", subject.id, packSubject(subject));
  }

  addToCount(what: string, more: number): void {
    this.store.put("meta", `count/${what}`, this.count(what) + more);
  }

  countToday(subject: Subject, type: Type, time: number): void {
    const day = Math.floor(time / DAY_S);
    const counted = new Map(subject.day === day ? subject.counted : []);
    counted.set(type, (counted.get(type) ?? 0) + 1);
    const sorted = [...counted].sort(([a], [b]) => (a < b ? -1 : 1));
    this.writeSubject({ ...subject, day, counted: sorted });
  }

  /** Set an item's row, and tell if it is to be seen now, or no longer. */
  writeItem(item: Item): void {
    const before = this.item(item.id);
    this.store.put("items", item.id, packItem(item));
    if (!before) return;
    const was = statusOf(before);
    const is = statusOf(item);
    if (was === is) return;
    if (was === "visible" && !ENDED.has(is)) this.tell("hidden", item.id, item.subject);
    else if (is === "visible") this.tell("shown", item.id, item.subject);
  }

  /** Note what somebody did, in case that it becomes void. */
  note(subject: string, number: number, what: string, record: string, item: string): void {
    this.store.put("mine", `${subject}/${numbered(number)}`, [what, record, item]);
  }

  putBelow(item: string, number: number, type: Type, record: string, subject: string): void {
    this.store.put("below", `${item}/${numbered(number)}`, [type, record, subject]);
  }

  takeBelow(item: string, number: number): void {
    this.store.delete("below", `${item}/${numbered(number)}`);
  }

  due(time: number, what: string, id: string): void {
    this.store.put("due", `${numbered(time)}/${what}/${id}`, true);
  }

  /** Have a record's body erased everywhere. */
  erase(record: string): void {
    this.store.delete("waiting", record);
    this.tell("erase", record);
  }

  /** Withdraw or void an item: what it said and what was said about it goes, its place in the order stays. */
  endItem(item: Item, how: Status): void {
    this.clearBelow(item);
    this.dropDecisions(item);
    this.erase(item.id);
    this.dropMedia(item);
    const parent = item.parent !== null && item.ended === null ? this.item(item.parent) : null;
    if (parent) this.writeItem({ ...parent, comments: parent.comments - 1 });
    this.writeItem({ ...newItem(startOf(item)), parent: item.parent, ended: how });
    this.tell("gone", item.id, item.subject);
  }

  /** Forget an item, and what belongs to it: it has expired. */
  dropItem(item: Item): void {
    this.clearBelow(item);
    if (item.ended === null) {
      this.erase(item.id);
      this.dropMedia(item);
      this.tell("gone", item.id, item.subject);
    }
    this.store.delete("items", item.id);
    this.store.delete("feed", numbered(item.number));
    this.store.delete("mine", `${item.subject}/${numbered(item.number)}`);
    this.store.delete("waiting", item.id);
    this.dropDecisions(item);
  }

  /** Forget what was said about an item, and that it was one: its record stays as it is. */
  forgetItem(item: Item): void {
    this.clearBelow(item);
    this.dropDecisions(item);
    this.store.delete("items", item.id);
    this.store.delete("mine", `${item.subject}/${numbered(item.number)}`);
  }

  /** Forget that moderators' decisions on an item could become void. */
  private dropDecisions(item: Item): void {
    for (const { subject, number } of item.decisions) this.store.delete("mine", `${subject}/${numbered(number)}`);
  }

  dropMedia(item: Item): void {
    if (item.media.length && !item.mediaGone) this.tell("erase_media", item.id, item.subject, item.media);
  }

  /** Undo what a subject did after that entry. What was withdrawn stays withdrawn: its body is gone. */
  voidAfter(subject: string, after: number): void {
    for (const [key, row] of this.store.scan("mine", `${subject}/${numbered(after + 1)}`, `${subject}0`)) {
      const [what, record, itemId] = row as [string, string, string];
      const number = Number(key.slice(subject.length + 1));
      this.store.delete("mine", key);
      const item = this.item(itemId);
      if (!item || item.ended) continue;
      if (what === DECISION) {
        this.store.delete("log", numbered(number));
        this.writeItem({ ...item, decisions: item.decisions.filter((decision) => decision.number !== number) });
        if (item.type === "footage_request") followDecisions(this, item.id);
      } else if (what === "footage_request") {
        voidRequest(this, item);
      } else if (what === "extension" || what === "reminder" || what === "close") {
        voidFollowUp(this, item.id, what);
      } else if (what === "post" || what === "alert" || what === "comment") {
        if (item.parent !== null) this.takeBelow(item.parent, number);
        this.endItem(item, "void");
      } else {
        this.takeBelow(item.id, number);
        this.store.delete("once", `${item.id}/${what}/${subject}`);
        this.erase(record);
        this.writeItem(without(item, what, number));
      }
    }
  }

  noteDecision(subject: string, number: number, record: string, item: string): void {
    this.note(subject, number, DECISION, record, item);
  }

  private clearBelow(item: Item): void {
    for (const { type, id, subject, number } of this.below(item.id)) {
      this.takeBelow(item.id, number);
      this.store.delete("mine", `${subject}/${numbered(number)}`);
      this.store.delete("once", `${item.id}/${type}/${subject}`);
      const comment = type === "comment" ? this.item(id) : null;
      if (comment) this.dropItem(comment);
      else this.erase(id);
    }
  }
}

function without(item: Item, what: string, number: number): Item {
  if (what === "thanks") return { ...item, thanks: item.thanks - 1 };
  if (what === "flag") return { ...item, flags: item.flags.filter(([at]) => at !== number) };
  return { ...item, appeals: item.appeals.filter((at) => at !== number) };
}

/** What stays of an item is the same whether this reader ever had the body. */
function startOf({ id, type, subject, number, time, expires, checkedFirst }: Item): Parameters<typeof newItem>[0] {
  return { id, type, subject, number, time, expires, checkedFirst };
}
