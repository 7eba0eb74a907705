/** The custody record of a package: what it is, where it came from and what was done to it; and the signatures under it. */

import { sha256, type Bytes } from "../protocol/bytes";
import { parse, type Json } from "../protocol/canonical";
import { readRecord, type VerifiedRecord } from "../protocol/envelope";
import { Fields } from "../protocol/fields";
import { verify } from "../protocol/keys";
import { RecordViolation } from "../protocol/violations";
import { isClip } from "./archive";
import { PackageError } from "./package-error";

const CUSTODY_CONTEXT = "ringwatch/custody/v1";
const MAX_CUSTODY_BYTES = 256 * 1024;
const MAX_SIGNATURE_BYTES = 256 * 1024; // with two records of up to 32 KiB
const MAX_CLIPS = 10;
const MAX_CLIP_BYTES = 524_288_000;
const MAX_MS = 4_102_444_800_000; // the year 2100
const MAX_TEXT = 500;
const MAX_SENTENCES = 32;
const MAX_BOXES = 1_000;
const IDENTITIES = ["anonymous", "name", "address"] as const;

/** What was done to a clip before it was sent. */
export interface Changes {
  trimmed: boolean;
  muted: boolean;
  faces_blurred: boolean;
  boxes: number; // how many
  keep_only: boolean; // everything but one box is hidden
  encoded: boolean; // the pictures were encoded anew
  masked: boolean; // privacy zones were black when it was recorded
}

export interface CustodyClip {
  file: string;
  sha256: string;
  size: number;
  camera: string;
  start: number; // Unix ms, UTC
  end: number;
  clock: { source: string; offset_ms: number | null; how: string };
  original: { sha256: string; size: number; start: number; end: number };
  changes: Changes;
}

export interface Identity {
  kind: (typeof IDENTITIES)[number];
  name: string | null;
  address: string | null;
  memberKey: string | null;
}

export interface Custody {
  neighborhood: string;
  request: string;
  agency: { id: string; name: string; domain: string; key: string; ageRecipient: string };
  terms: { retentionDays: number; sharing: string; faceRecognition: string };
  deliveryKey: string;
  created: number;
  software: string;
  identity: Identity;
  clips: CustodyClip[];
  verify: string[];
}

/** What stands under a custody record, checked. */
export interface Signed {
  key: string;
  certificates: VerifiedRecord[];
}

/** Read a custody record. Throw PackageError. */
export async function readCustody(file: Blob): Promise<Custody> {
  return refuse("bad_custody", async () => readRecordOf(parse(await bytesOf(file, MAX_CUSTODY_BYTES), MAX_CUSTODY_BYTES)));
}

/** Check the signatures under a custody record. Throw PackageError. */
export async function readSigned(file: Blob, custodyFile: Blob, custody: Custody): Promise<Signed> {
  const signedDigest = sha256(await bytesOf(custodyFile, MAX_CUSTODY_BYTES)) as Bytes;
  return refuse("bad_signature", async () => {
    const fields = new Fields(parse(await bytesOf(file, MAX_SIGNATURE_BYTES), MAX_SIGNATURE_BYTES), "custody.sig");
    const key = fields.key("key");
    const sig = fields.signature("sig");
    const member = fields.has("member") ? fields.take("member") : null;
    const certificates = await Promise.all(fields.items("certificates", 0, 8).map((wire) => readRecord(wire)));
    fields.end();
    if (key !== custody.deliveryKey || !(await verify(key, CUSTODY_CONTEXT, signedDigest, sig))) {
      throw new PackageError("bad_signature", "the key of the delivery didn't sign the custody record");
    }
    const { memberKey } = custody.identity;
    if ((memberKey === null) !== (member === null)) throw new PackageError("bad_signature", "the member's signature and the identity don't go together");
    if (member !== null) {
      const theirs = new Fields(member, "custody.sig.member");
      const memberSigned = theirs.key("key");
      const memberSig = theirs.signature("sig");
      theirs.end();
      if (memberSigned !== memberKey || !(await verify(memberSigned, CUSTODY_CONTEXT, signedDigest, memberSig))) {
        throw new PackageError("bad_signature", "the member who is named didn't sign the custody record");
      }
    }
    return { key, certificates };
  });
}

function readRecordOf(value: Json): Custody {
  const fields = new Fields(value, "custody");
  if (fields.integer("v", 0) !== 1) throw new PackageError("bad_custody", "of another version");
  const agency = fields.inner("agency");
  const terms = fields.inner("terms");
  const found: Custody = {
    neighborhood: fields.digest("neighborhood"),
    request: fields.digest("request"),
    agency: {
      id: agency.digest("id"),
      name: agency.text("name", MAX_TEXT),
      domain: agency.text("domain", MAX_TEXT),
      key: agency.key("key"),
      ageRecipient: agency.text("age_recipient", MAX_TEXT),
    },
    terms: {
      retentionDays: terms.integer("retention_days", 0),
      sharing: terms.text("sharing", MAX_TEXT),
      faceRecognition: terms.text("face_recognition", MAX_TEXT),
    },
    deliveryKey: fields.key("delivery_key"),
    created: fields.time("created"),
    software: fields.text("software", MAX_TEXT),
    identity: readIdentity(fields.inner("identity")),
    clips: fields.items("clips", 1, MAX_CLIPS).map(readClip),
    verify: fields.items("verify", 0, MAX_SENTENCES).map((sentence) => new Fields({ sentence }, "verify").text("sentence", 1_000)),
  };
  agency.end();
  terms.end();
  fields.end();
  if (new Set(found.clips.map((clip) => clip.file)).size !== found.clips.length) {
    throw new PackageError("bad_custody", "a clip named twice");
  }
  return found;
}

function readIdentity(fields: Fields): Identity {
  const kind = fields.choice("kind", IDENTITIES);
  const named = kind !== "anonymous";
  const found: Identity = {
    kind,
    name: named ? fields.text("name", MAX_TEXT, { empty: false }) : null,
    address: kind === "address" ? fields.text("address", MAX_TEXT, { lines: true, empty: false }) : null,
    memberKey: named ? fields.key("member_key") : null,
  };
  fields.end();
  return found;
}

function readClip(value: Json): CustodyClip {
  const fields = new Fields(value, "clip");
  const clock = fields.inner("clock");
  const original = fields.inner("original");
  const changes = fields.inner("changes");
  const [start, end] = readTimes(fields);
  const [originalStart, originalEnd] = readTimes(original);
  const found: CustodyClip = {
    file: fields.string("file"),
    sha256: fields.digest("sha256"),
    size: fields.integer("size", 1, MAX_CLIP_BYTES),
    camera: fields.text("camera", MAX_TEXT),
    start,
    end,
    clock: {
      source: clock.text("source", MAX_TEXT),
      offset_ms: clock.optional("offset_ms", (name) => clock.integer(name, -MAX_MS, MAX_MS)),
      how: clock.text("how", MAX_TEXT),
    },
    original: { sha256: original.digest("sha256"), size: original.integer("size", 1), start: originalStart, end: originalEnd },
    changes: {
      trimmed: flag(changes, "trimmed"),
      muted: flag(changes, "muted"),
      faces_blurred: flag(changes, "faces_blurred"),
      boxes: changes.integer("boxes", 0, MAX_BOXES),
      keep_only: flag(changes, "keep_only"),
      encoded: flag(changes, "encoded"),
      masked: flag(changes, "masked"),
    },
  };
  for (const one of [clock, original, changes, fields]) one.end();
  if (!isClip(`${found.file.startsWith("data/") ? "" : "data/"}${found.file}`)) throw new PackageError("bad_custody", "a clip with a name that clips don't have");
  return { ...found, file: found.file.replace(/^(?:data\/)?/, "data/") };
}

function readTimes(fields: Fields): [number, number] {
  const start = fields.integer("start_ms", 0, MAX_MS);
  const end = fields.integer("end_ms", 0, MAX_MS);
  if (end < start) throw new PackageError("bad_custody", "a clip that ends before it begins");
  return [start, end];
}

function flag(fields: Fields, name: string): boolean {
  const value = fields.take(name);
  if (typeof value !== "boolean") throw new PackageError("bad_custody", `${name} is not yes or no`);
  return value;
}

async function bytesOf(file: Blob, limit: number): Promise<Bytes> {
  if (file.size > limit) throw new PackageError("bad_custody", `${file.size} bytes`);
  return new Uint8Array(await file.arrayBuffer());
}

async function refuse<T>(code: "bad_custody" | "bad_signature", read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (error instanceof RecordViolation) throw new PackageError(code, error.message);
    throw error;
  }
}

