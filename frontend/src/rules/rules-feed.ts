/** Rules of what is written in the feed, and of what moderators do to it. As `neighborhood/rules_feed.py`. */

import type { Body, BodyOf, Post } from "../protocol/bodies";
import type { Json } from "../protocol/canonical";
import type { VerifiedRecord } from "../protocol/envelope";
import { distanceM } from "../protocol/places";
import type { Type } from "../protocol/types";
import { RecordViolation } from "../protocol/violations";
import { AREA_SLACK_M, FUTURE_S, MAX_AGE_S, MAX_ALERT_S, MAX_APPEALS, MAX_COMMENTS, MAX_DECISIONS } from "./limits";
import { ENDED, KEPT_BACK, openAppeal, openFlags, statusOf, type Item, type Status, type Subject } from "./rows";
import { checkLateDetails, checkLateRequest } from "./rules-requests";
import type { State } from "./state";

export function checkPost(body: Post, state: State, time: number, validUntil?: number): void {
  const { center, radius_m } = state.hood;
  if (body.place && distanceM(body.place, center) > radius_m + AREA_SLACK_M) {
    throw new RecordViolation("outside_area", `the place is more than ${radius_m} m from the center`);
  }
  if (body.to > time + FUTURE_S) throw new RecordViolation("from_the_future", "it happened later than now");
  if (body.from < time - MAX_AGE_S) throw new RecordViolation("too_old", "it happened more than 60 days ago");
  if (validUntil !== undefined && !(time < validUntil && validUntil <= time + MAX_ALERT_S)) {
    throw new RecordViolation("bad_field", "alert.valid_until: in the future, 7 days at most");
  }
}

export function checkComment(body: BodyOf<"comment">, state: State): void {
  const post = visible(state, body.post);
  if (!COMMENTED.has(post.type)) throw new RecordViolation("wrong_target", "comments are below posts and alerts");
  if (post.comments >= MAX_COMMENTS) throw new RecordViolation("limit_reached", `${MAX_COMMENTS} comments below one post`);
}

export function checkThanks(body: BodyOf<"thanks">, subject: Subject, state: State): void {
  const item = visible(state, body.target);
  notARequest(item);
  onceOnly("thanks", item, subject, state);
}

export function checkFlag(body: BodyOf<"flag">, subject: Subject, state: State): void {
  onceOnly("flag", visible(state, body.target), subject, state);
}

const COMMENTED: ReadonlySet<Type> = new Set<Type>(["post", "alert"]);
const DONE: Record<BodyOf<"moderation">["action"], Status> = { hold: "held", remove: "removed", restore: "visible" };

/** Who reads old records (`complete` is false) may lack flags that are erased by now, and so what hid the item. */
export function checkModeration(body: BodyOf<"moderation">, subject: Subject, state: State, complete: boolean): void {
  const item = living(state, body.target);
  const request = state.request(item.id);
  if (request?.released === null && request.outcome !== null && request.outcome !== "refused") {
    throw new RecordViolation("not_open", "the request has ended, and nobody has seen it");
  }
  const isHost = subject.standing === "host";
  if (item.subject === subject.id && !isHost) throw new RecordViolation("own_item", "nobody moderates what is their own");
  const flagged = body.action === "restore" && openFlags(item) > 0;
  const status = statusOf(item);
  if (status === DONE[body.action] && !flagged && (complete || status !== "visible")) {
    throw new RecordViolation("already_done", "it stands like that already");
  }
  if (item.decisions.length >= MAX_DECISIONS && !isHost) {
    throw new RecordViolation("limit_reached", "moderators disagree: the host decides");
  }
}

export function checkAppeal(body: BodyOf<"appeal">, subject: Subject, state: State, complete: boolean): void {
  const item = living(state, body.target);
  if (item.subject !== subject.id) throw new RecordViolation("not_allowed", "only its author appeals");
  if (complete && !KEPT_BACK.has(statusOf(item))) {
    throw new RecordViolation("wrong_target", "there is nothing to appeal against");
  }
  const outcome = state.request(item.id)?.outcome ?? null;
  if (outcome !== null && outcome !== "refused") throw new RecordViolation("not_open", "the request has ended");
  if (openAppeal(item)) throw new RecordViolation("already_done", "the last appeal waits for a moderator");
  if (item.appeals.length >= MAX_APPEALS) throw new RecordViolation("limit_reached", `${MAX_APPEALS} appeals for one item`);
}

export function checkWithdraw(body: BodyOf<"withdraw">, subject: Subject, state: State): void {
  const item = living(state, body.target);
  notARequest(item);
  if (item.subject !== subject.id) {
    throw new RecordViolation("not_allowed", "only its author takes it back");
  }
}

/** What can still be asked of a body that came later than its envelope: the rest has changed since. */
export function checkLate(record: VerifiedRecord, body: Body, subject: Subject, state: State, waited: Json): void {
  const time = waited as number; // for a request: that, and what held then
  switch (body.kind) {
    case "footage_request":
      checkLateRequest(record.id, body, state, waited);
      return;
    case "request_details":
      checkLateDetails(record.id, body, state);
      return;
    case "post":
      checkPost(body, state, time);
      return;
    case "alert":
      checkPost(body, state, time, body.validUntil);
      return;
    case "comment":
      if (!COMMENTED.has(state.item(body.post)?.type ?? "post")) {
        throw new RecordViolation("wrong_target", "comments are below posts and alerts");
      }
      return;
    case "thanks":
    case "flag": {
      const item = state.item(body.target);
      if (item) onceOnly(body.kind, item, subject, state);
      return;
    }
    case "appeal": {
      const item = state.item(body.target);
      if (item && item.subject !== subject.id) throw new RecordViolation("not_allowed", "only its author appeals");
      return;
    }
    default:
  }
}

function notARequest(item: Item): void {
  if (item.type === "footage_request") {
    throw new RecordViolation("wrong_target", "a request is closed, and nobody thanks for it");
  }
}

function living(state: State, target: string): Item {
  const item = state.item(target);
  if (!item) throw new RecordViolation("unknown_target", "there is no such post or comment, or it has expired");
  if (ENDED.has(statusOf(item))) throw new RecordViolation("wrong_target", "it was taken back");
  return item;
}

function visible(state: State, target: string): Item {
  const item = living(state, target);
  const parent = item.parent === null ? null : state.item(item.parent);
  if (statusOf(item) !== "visible" || (parent && statusOf(parent) !== "visible")) {
    throw new RecordViolation("wrong_target", "it can't be seen now");
  }
  return item;
}

function onceOnly(what: "thanks" | "flag", item: Item, subject: Subject, state: State): void {
  if (item.subject === subject.id) throw new RecordViolation("own_item", "not for what is one's own");
  if (state.once(what, item.id, subject.id)) throw new RecordViolation("already_done", "done already");
}
