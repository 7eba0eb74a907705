/** Looking at a neighborhood with an invite, and joining it. */

import type { Json } from "../protocol/canonical";
import { checkText } from "../protocol/text";
import { HubClock, type Hub } from "../protocol/calls";
import { readRecord, signRecord, type VerifiedRecord } from "../protocol/envelope";
import { Fields } from "../protocol/fields";
import { joinBody, type Invite } from "../protocol/invites";
import type { Signer } from "../protocol/keys";
import { HubViolation, LinkViolation, RecordViolation } from "../protocol/violations";
import { CallError, HubClient } from "./client";

/** What a hub says of its neighborhood to somebody with an invite. */
export interface Look {
  name: string;
  hostHandle: string;
  rules: string;
  members: number;
  radius_m: number;
  mode: "before" | "after";
  post_days: number;
  media_days: number;
  head: string;
}

export class Joiner {
  readonly clock = new HubClock();
  private readonly client: HubClient;

  constructor(readonly invite: Invite) {
    this.client = new HubClient(hubOf(invite), invite.key, this.clock, invite.certificate);
  }

  /** Ask the hub for its neighborhood, and check its founding. Throw CallError, HubViolation, LinkViolation. */
  async look(): Promise<Look> {
    const answer = await this.client.json("GET", "");
    if (this.invite.certificate.expires <= this.clock.now()) throw new LinkViolation("link_expired", "too old");
    try {
      return await this.read(answer);
    } catch (error) {
      if (error instanceof RecordViolation) throw new HubViolation("wrong_record", error.message);
      throw error;
    }
  }

  /** Sign the record that joins. It has to be kept before it is sent: an invite is good for one key. */
  async sign(key: Signer, handle: string, head: string): Promise<VerifiedRecord> {
    const { neighborhood } = this.invite.certificate;
    const body = await joinBody(this.invite, key, handle);
    return signRecord(key, { type: "member", body, neighborhood, created: this.clock.now(), prev: null, head });
  }

  async send(record: VerifiedRecord): Promise<void> {
    await this.client.call("POST", "/records", { body: record.wire });
  }

  private async read(answer: Json): Promise<Look> {
    if (typeof answer !== "object" || answer === null || Array.isArray(answer)) throw new CallError("bad_answer", 200);
    const { certificate, hubKey } = this.invite;
    const founding = await readRecord(answer.founding ?? null);
    if (founding.id !== certificate.neighborhood || founding.body?.kind !== "founding") {
      throw new HubViolation("wrong_record", "the founding is of another neighborhood");
    }
    if (founding.body.hub_key !== hubKey) throw new HubViolation("wrong_record", "the founding names another hub");
    const host = new Fields(answer.host ?? null, "host");
    const position = new Fields(answer.position ?? null, "position");
    const said = new Fields(answer, "neighborhood");
    return {
      name: said.text("name", 80, { empty: false }),
      hostHandle: host.handle("handle"),
      rules: checkText(said.string("rules"), 4_000, { lines: true }),
      members: said.integer("members", 1, 25_000),
      radius_m: said.integer("radius_m", 1, 100_000),
      mode: said.choice("moderation", ["before", "after"]),
      post_days: said.integer("post_days", 1, 60),
      media_days: said.integer("media_days", 1, 60),
      head: position.digest("head"),
    };
  }
}

/** Return whether a key belongs to the neighborhood already: of somebody whose joining was cut off. */
export async function isIn(hub: Hub, key: Signer, clock: HubClock): Promise<boolean> {
  try {
    await new HubClient(hub, key, clock).call("GET", "");
    return true;
  } catch (error) {
    if (error instanceof CallError && error.status === 403) return false;
    throw error;
  }
}

export function hubOf({ url, hubKey, certificate }: Invite): Hub {
  return { url, hubKey, neighborhood: certificate.neighborhood };
}
