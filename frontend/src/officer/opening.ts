/**
 * Opens a package: ciphertext in, clips and a custody record out, and only when all of it has been checked.
 *
 *     parts of the ciphertext ─┬─ SHA-256, compared with the arrival that the hub signed
 *                              └─ age, chunk by chunk, into a Blob ─ ZIP ─ bag ─ custody record ─ signatures
 *
 * The browser keeps a Blob outside the page's memory, on the disk where it is large; pages from a file have no other place.
 */

import { sha256 } from "@noble/hashes/sha2.js";
import { Decrypter } from "age-encryption";
import { toHex, type Bytes } from "../protocol/bytes";
import type { Json } from "../protocol/canonical";
import type { Arrival } from "../protocol/delivery";
import { MAX_ARCHIVE_BYTES, isClip, readArchive } from "./archive";
import { checkBag } from "./bag";
import { readCustody, readSigned, type Custody, type Signed } from "./custody";
import { PackageError } from "./package-error";

const PART_BYTES = 4 * 1024 * 1024;
const MAX_HEADER_BYTES = 16 * 1024; // two recipients take 400 bytes
const AGE_MAGIC = "age-encryption.org/v1\n";
const HEADER_END = "\n--- ";

/** What a package has to be of. */
export interface Expected {
  neighborhood: string;
  arrival: Arrival;
  deliveryKey: string;
  isOurs: (agencyKey: string) => boolean; // now, or before the agency's key was changed
  isAsked: (request: string) => boolean; // by the own agency, in the order that this browser has checked
  isHost: (key: string) => boolean; // of the neighborhood, now or before a change of key
}

export interface Opened {
  arrival: Arrival;
  custody: Custody;
  signed: Signed;
  digests: Map<string, string>;
  clips: Map<string, Blob>;
  archive: Blob; // the package as it was before it was encrypted
}

/** How far it is: of the ciphertext, then of the files. */
export type Progress = (step: "decrypting" | "checking", share: number) => void;

/** Decrypt a package and check all of it. Throw PackageError, and whatever the source throws. */
export async function openPackage(
  ciphertext: ReadableStream<Bytes>,
  identities: readonly CryptoKey[],
  expected: Expected,
  progress: Progress,
): Promise<Opened> {
  const { arrival } = expected;
  const archive = await decrypt(ciphertext, identities, arrival, (bytes) => { progress("decrypting", bytes / arrival.size); });
  return checkPackage(archive, expected, progress);
}

/** Check a package that is decrypted. Throw PackageError. */
export async function checkPackage(archive: Blob, expected: Expected, progress: Progress): Promise<Opened> {
  const { arrival } = expected;
  const { top, files } = await readArchive(archive);
  let done = 0;
  const digests = await checkBag({ top, files }, (bytes) => { progress("checking", (done += bytes) / archive.size); });
  const custodyFile = files.get("data/custody.json")?.data ?? new Blob();
  const custody = await readCustody(custodyFile);
  const signed = await readSigned(files.get("custody.sig")?.data ?? new Blob(), custodyFile, custody);
  checkBelongs(custody, signed, top, expected);
  const clips = new Map<string, Blob>();
  for (const clip of custody.clips) {
    const file = files.get(clip.file)?.data;
    if (file?.size !== clip.size || digests.get(clip.file) !== clip.sha256) {
      throw new PackageError("bad_custody", "a clip is not the one that the custody record names");
    }
    clips.set(clip.file, file.slice(0, file.size, "video/mp4"));
  }
  if ([...files.keys()].filter(isClip).length !== clips.size) {
    throw new PackageError("bad_custody", "a clip that the custody record doesn't name");
  }
  return { arrival, custody, signed, digests, clips, archive };
}

function checkBelongs(custody: Custody, signed: Signed, top: string, expected: Expected): void {
  const { neighborhood, arrival, deliveryKey } = expected;
  const wrong = (about: string): PackageError => new PackageError("wrong_delivery", about);
  if (custody.neighborhood !== neighborhood) throw wrong("of another neighborhood");
  if (custody.request !== arrival.request) throw wrong("an answer to another request");
  if (!expected.isAsked(custody.request)) throw wrong("an answer to a request that the agency didn't make");
  if (custody.deliveryKey !== deliveryKey) throw wrong("signed with the key of another delivery");
  if (top !== `ringwatch-${deliveryKey.slice(0, 8)}`) throw wrong("its folder is named after another delivery");
  if (!expected.isOurs(custody.agency.key)) throw wrong("made for another agency");
  const records = new Map(signed.certificates.map((record) => [record.id, record]));
  if (!records.has(custody.request)) throw wrong("without the request that it answers");
  if ([...records.values()].some(({ envelope }) => envelope.neighborhood !== neighborhood)) throw wrong("with records of elsewhere");
  const agency = records.get(custody.agency.id);
  const said = agency?.type === "agency" && expected.isHost(agency.author) ? (agency.wire.body as Record<string, Json>) : {};
  const { name, domain, key, ageRecipient } = custody.agency;
  const { retentionDays, sharing, faceRecognition } = custody.terms;
  const promised = { name, domain, key, age_recipient: ageRecipient, retention_days: retentionDays, sharing, face_recognition: faceRecognition };
  if (Object.entries(promised).some(([field, value]) => said[field] !== value)) throw wrong("with other terms than the agency's");
}

/** Decrypt into a Blob. It is given to nobody before the last chunk was authentic and the ciphertext the one that arrived. */
async function decrypt(
  ciphertext: ReadableStream<Bytes>,
  identities: readonly CryptoKey[],
  { sha256: expected, size }: Arrival,
  progress: (bytes: number) => void,
): Promise<Blob> {
  const hash = sha256.create();
  let seen = 0;
  let sourceFailed: unknown = null;
  const counted = watchSource(ciphertext, (error) => (sourceFailed = error)).pipeThrough(
    new TransformStream<Bytes, Bytes>({
      transform(part, controller) {
        seen += part.length;
        if (seen > size) throw new PackageError("altered", "longer than what arrived");
        hash.update(part);
        progress(seen);
        controller.enqueue(part);
      },
    }),
  );
  try {
    const decrypter = new Decrypter();
    for (const identity of identities) decrypter.addIdentity(identity);
    const plain = await decrypter.decrypt(await withHeader(counted));
    const blob = await collect(plain);
    if (seen !== size || toHex(hash.digest()) !== expected) throw new PackageError("altered", "not what the hub has signed for");
    return blob;
  } catch (error) {
    if (sourceFailed) throw sourceFailed as Error;
    throw readable(error);
  }
}

/** Remember an error of the source: what comes out of the far end of a pipe may be another one. */
function watchSource(source: ReadableStream<Bytes>, failed: (error: unknown) => void): ReadableStream<Bytes> {
  const reader = source.getReader();
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) controller.close();
          else controller.enqueue(value);
        } catch (error) {
          failed(error);
          controller.error(error);
        }
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

/** Look at the beginning before a parser does: a header without an end would be read to the last byte. */
async function withHeader(source: ReadableStream<Bytes>): Promise<ReadableStream<Bytes>> {
  const reader = source.getReader();
  const parts: Bytes[] = [];
  let head = "";
  while (head.length < MAX_HEADER_BYTES && !head.includes(HEADER_END)) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    head += String.fromCharCode(...value.subarray(0, MAX_HEADER_BYTES));
  }
  if (!head.startsWith(AGE_MAGIC) || !head.slice(0, MAX_HEADER_BYTES).includes(HEADER_END)) {
    await reader.cancel();
    throw new PackageError("altered", "not an age file");
  }
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const first = parts.shift();
        if (first) {
          controller.enqueue(first);
          return;
        }
        const { done, value } = await reader.read();
        if (done) controller.close();
        else controller.enqueue(value);
      },
      cancel: (reason) => reader.cancel(reason),
    },
    { highWaterMark: 0 },
  );
}

async function collect(plain: ReadableStream<Uint8Array>): Promise<Blob> {
  const reader = plain.getReader();
  const blobs: Blob[] = [];
  let parts: Bytes[] = [];
  let size = 0;
  let total = 0;
  const pack = (): void => {
    blobs.push(new Blob(parts));
    parts = [];
    size = 0;
  };
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    total += value.length;
    if (total > MAX_ARCHIVE_BYTES) throw new PackageError("bad_archive", "too long");
    parts.push(value as Bytes);
    size += value.length;
    if (size >= PART_BYTES) pack();
  }
  pack();
  return new Blob(blobs);
}

/** What age's reader throws are plain errors: the first is about keys, all others about bytes. */
function readable(error: unknown): unknown {
  if (error instanceof PackageError) return error;
  if (error instanceof Error && error.message.startsWith("no identity matched")) {
    return new PackageError("not_for_us", "encrypted for another key");
  }
  if (error instanceof Error) return new PackageError("altered", error.message.slice(0, 80));
  return error;
}
