/** What records of the feed do to the state. As `neighborhood/applying_feed.py`. */

import type { BodyOf } from "../protocol/bodies";
import type { VerifiedRecord } from "../protocol/envelope";
import type { Entry } from "../protocol/order";
import type { Type } from "../protocol/types";
import { fillDetails, fillRequest, followDecisions } from "./applying-requests";
import { DAY_S } from "./limits";
import { MODERATING, newItem, type Item, type Subject } from "./rows";
import { numbered } from "./state";
import type { Writer } from "./writing";

export function isItem(type: Type): boolean {
  return type === "post" || type === "alert" || type === "comment";
}

/** Give a post, an alert or a comment its row: what can be said of it without its body. */
export function placeItem(writer: Writer, record: VerifiedRecord, subject: Subject, entry: Entry): void {
  const { mode, post_days } = writer.hood;
  const trusted = subject.kind === "officer" || MODERATING.has(subject.standing);
  const item = newItem({
    id: record.id,
    type: record.type,
    subject: subject.id,
    number: entry.number,
    time: entry.time,
    expires: entry.time + post_days * DAY_S,
    checkedFirst: mode === "before" && !trusted,
  });
  writer.writeItem(item);
  writer.note(subject.id, entry.number, record.type, record.id, record.id);
  writer.due(item.expires, "item", item.id);
  if (record.type !== "comment") writer.store.put("feed", numbered(entry.number), item.id);
  writer.tell(record.type, item.id, subject.id);
}

/** Bring in what only the body says, now or when it comes later. */
export function fill(writer: Writer, record: VerifiedRecord, subject: Subject, number: number): void {
  const { body } = record;
  switch (body?.kind) {
    case "footage_request":
      fillRequest(writer, record.id, body);
      return;
    case "request_details":
      fillDetails(writer, record.id, body);
      return;
    case "post":
    case "alert":
      fillPost(writer, record.id, body);
      return;
    case "comment": {
      const comment = writer.item(record.id);
      const post = writer.item(body.post);
      if (!comment || !post) return;
      writer.writeItem({ ...comment, parent: post.id, known: true });
      writer.putBelow(post.id, number, "comment", record.id, subject.id);
      writer.writeItem({ ...post, comments: post.comments + 1 });
      return;
    }
    case "thanks":
    case "flag":
    case "appeal": {
      const item = writer.item(body.target);
      if (item && !item.ended) fillSmall(writer, record, item, subject, number);
      return;
    }
    default:
  }
}

function fillPost(writer: Writer, id: string, body: BodyOf<"post"> | BodyOf<"alert">): void {
  const item = writer.item(id);
  if (!item) return;
  const mediaEnd = item.time + writer.hood.media_days * DAY_S;
  const gone = body.media.length > 0 && mediaEnd <= writer.position.time;
  if (body.media.length && !gone) writer.due(mediaEnd, "media", id);
  writer.writeItem({
    ...item,
    known: true,
    category: body.category,
    place: body.place,
    from: body.from,
    to: body.to,
    validUntil: body.kind === "alert" ? body.validUntil : 0,
    media: body.media,
    mediaGone: gone,
  });
}

/** Thanks, a flag or an appeal: in the order of their numbers, whenever their bodies come. */
function fillSmall(writer: Writer, record: VerifiedRecord, item: Item, subject: Subject, number: number): void {
  writer.putBelow(item.id, number, record.type, record.id, subject.id);
  writer.note(subject.id, number, record.type, record.id, item.id);
  if (record.type === "appeal") {
    writer.writeItem({ ...item, appeals: [...item.appeals, number].sort((a, b) => a - b) });
  } else {
    writer.store.put("once", `${item.id}/${record.type}/${subject.id}`, number);
    if (record.type === "thanks") {
      writer.writeItem({ ...item, thanks: item.thanks + 1 });
    } else {
      const flags: Item["flags"] = [...item.flags, [number, subject.id]];
      writer.writeItem({ ...item, flags: flags.sort(([a], [b]) => a - b) });
    }
  }
  writer.tell(record.type, item.id, subject.id);
}

/** A moderator's decision, or an author's withdrawal. */
export function decide(
  writer: Writer,
  body: BodyOf<"moderation"> | BodyOf<"withdraw">,
  record: VerifiedRecord,
  subject: Subject,
  entry: Entry,
): void {
  const item = writer.item(body.target);
  if (!item) return;
  if (body.kind === "withdraw") {
    if (item.parent !== null) writer.takeBelow(item.parent, item.number);
    writer.endItem(item, "withdrawn");
    return;
  }
  const decision = { number: entry.number, subject: subject.id, action: body.action };
  writer.tell("moderation", item.id, subject.id);
  writer.writeItem({ ...item, decisions: [...item.decisions, decision] });
  if (item.type === "footage_request") followDecisions(writer, item.id);
  writer.noteDecision(subject.id, entry.number, record.id, item.id);
  writer.store.put("log", numbered(entry.number), [body.action, item.id, subject.id, entry.time, record.id]);
}
