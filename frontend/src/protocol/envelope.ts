/**
 * A record: a signed envelope, and beside it a body and its salt, which can be erased.
 *
 *     body_hash = SHA-256(salt ‖ canonical body)
 *     id        = SHA-256(canonical envelope)
 *     sig       = Ed25519(author, "ringwatch/record/v1" ‖ id)
 */

import { parseBody, type Body } from "./bodies";
import { isProved } from "./bodies-requests";
import { digest, fromHex, join, toHex } from "./bytes";
import { encode, parse, type Json } from "./canonical";
import { isGenuine, JOIN_CONTEXT, keyIsProved, ROTATE_CONTEXT } from "./certificates";
import { Fields } from "./fields";
import { random, verify, type Signer } from "./keys";
import { ERASABLE, TYPES, type Type } from "./types";
import { RecordViolation } from "./violations";

export const VERSION = 1;
const RECORD_CONTEXT = "ringwatch/record/v1";
const SALT_BYTES = 16;
const MAX_BODY_BYTES = 24 * 1024;
export const MAX_RECORD_BYTES = 32 * 1024;

export interface Envelope {
  type: Type;
  neighborhood: string | null; // null in the founding record, whose id it is
  author: string;
  created: number; // what the author says; nothing is decided by it
  prev: string | null;
  head: string | null;
  body_hash: string;
}

export interface Wire {
  [name: string]: Json;
  envelope: Json;
  sig: string;
}

/** A record whose form, hash and signature are right. */
export interface VerifiedRecord {
  id: string;
  type: Type;
  author: string;
  envelope: Envelope;
  sig: string;
  body: Body | null;
  proved: boolean; // the keys that a body names have signed it, too (join, replace, rotate, agency)
  wire: Wire;
}

/** Read a record and check its body's hash and its signature. Throw RecordViolation. */
export async function readRecord(value: Json): Promise<VerifiedRecord> {
  const fields = new Fields(value, "record");
  const envelope = parseEnvelope(fields.take("envelope"));
  const sig = fields.signature("sig");
  const id = digest(encode(envelopeToJson(envelope)));
  if (!(await verify(envelope.author, RECORD_CONTEXT, fromHex(id), sig))) {
    throw new RecordViolation("bad_signature", "its author didn't sign this");
  }
  let body: Body | null = null;
  const wire: Wire = { envelope: envelopeToJson(envelope), sig };
  if (fields.has("body") || fields.has("salt")) {
    wire.body = fields.take("body");
    wire.salt = fields.salt("salt");
    if (hashBody(wire.body, wire.salt) !== envelope.body_hash) {
      throw new RecordViolation("body_altered", "body and salt are not what was signed");
    }
    body = parseBody(envelope.type, wire.body);
  }
  fields.end();
  if (!body && !ERASABLE.has(envelope.type)) {
    throw new RecordViolation("body_missing", "a record of this type never loses its body");
  }
  return { id, type: envelope.type, author: envelope.author, envelope, sig, body, proved: await proofs(envelope, body, wire), wire };
}

/** Read a record that this browser has checked and stored itself. */
export function readTrusted(wire: Wire): VerifiedRecord {
  const envelope = parseEnvelope(wire.envelope);
  const body = wire.body === undefined ? null : parseBody(envelope.type, wire.body);
  const id = digest(encode(envelopeToJson(envelope)));
  return { id, type: envelope.type, author: envelope.author, envelope, sig: wire.sig, body, proved: true, wire };
}

async function proofs(envelope: Envelope, body: Body | null, wire: Wire): Promise<boolean> {
  switch (body?.kind) {
    case "join":
    case "replace":
      return (
        (await isGenuine(body.invite)) &&
        keyIsProved(body.invite.invite, JOIN_CONTEXT, body.invite.neighborhood, envelope.author, body.proof)
      );
    case "rotate":
      return keyIsProved(body.key, ROTATE_CONTEXT, envelope.neighborhood ?? "", envelope.author, body.proof);
    case "agency":
      return isProved(body, wire.body ?? null);
    default:
      return true;
  }
}

function parseEnvelope(value: Json): Envelope {
  const fields = new Fields(value, "envelope");
  if (fields.integer("v", 0) !== VERSION) throw new RecordViolation("unknown_version", `this is version ${VERSION}`);
  const name = fields.string("type");
  const type = TYPES.find((known) => known === name);
  if (!type) throw new RecordViolation("unknown_type", "a type of record that this version doesn't know");
  const found: Envelope = {
    type,
    neighborhood: fields.optional("neighborhood", (field) => fields.digest(field)),
    author: fields.key("author"),
    created: fields.time("created"),
    prev: fields.optional("prev", (field) => fields.digest(field)),
    head: fields.optional("head", (field) => fields.digest(field)),
    body_hash: fields.digest("body_hash"),
  };
  fields.end();
  return found;
}

function envelopeToJson(envelope: Envelope): Json {
  const { type, neighborhood, author, created, prev, head, body_hash } = envelope;
  return { v: VERSION, type, neighborhood, author, created, prev, head, body_hash };
}

export function hashBody(body: Json, salt: string): string {
  const encoded = encode(body);
  if (encoded.length > MAX_BODY_BYTES) throw new RecordViolation("too_large", `a body of ${encoded.length} bytes`);
  return digest(join(fromHex(salt), encoded));
}

export interface Draft {
  type: Type;
  body: Json;
  neighborhood: string;
  created: number;
  prev: string | null;
  head: string;
}

/** Make a record, and read it back as a reader would: nothing is signed that is refused elsewhere. */
export async function signRecord(key: Signer, { body, ...rest }: Draft): Promise<VerifiedRecord> {
  const salt = toHex(random(SALT_BYTES));
  const envelope = { ...rest, author: key.publicKey, body_hash: hashBody(body, salt) };
  const encoded = envelopeToJson(envelope);
  const sig = await key.sign(RECORD_CONTEXT, fromHex(digest(encode(encoded))));
  const bytes = encode({ envelope: encoded, sig, body, salt });
  return readRecord(parse(bytes, MAX_RECORD_BYTES));
}
