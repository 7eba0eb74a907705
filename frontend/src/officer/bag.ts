/** A bag (RFC 8493): its lists name every file in it, with their SHA-256, and nothing else. */

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../protocol/bytes";
import type { Archive } from "./archive";
import { PackageError } from "./package-error";

const DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const LINE = /^([0-9a-f]{64}) {2}([a-z0-9./-]+)$/;
const PART_BYTES = 4 * 1024 * 1024;
const NEEDED = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "custody.sig", "data/custody.json"];

/** Check every file against the bag's lists; return their digests. Throw PackageError. */
export async function checkBag({ files }: Archive, progress: (bytes: number) => void): Promise<Map<string, string>> {
  for (const name of NEEDED) if (!files.has(name)) throw bad(`without ${name}`);
  if ((await textOf(files, "bagit.txt")) !== DECLARATION) throw bad("not a bag of version 1.0");
  const payload = await readManifest(files, "manifest-sha256.txt");
  const tags = await readManifest(files, "tagmanifest-sha256.txt");
  const names = [...files.keys()];
  sameNames(payload, names.filter((name) => name.startsWith("data/")));
  sameNames(tags, names.filter((name) => !name.startsWith("data/") && name !== "tagmanifest-sha256.txt"));
  const found = new Map<string, string>();
  for (const [name, expected] of [...payload, ...tags]) {
    const file = files.get(name);
    const actual = file && (await hashOf(file, progress));
    if (actual !== expected) throw bad(`${name} is not the file that the list names`);
    found.set(name, actual);
  }
  return found;
}

/** Return a file's SHA-256, without having all of it in memory. */
export async function hashOf(file: Blob, progress: (bytes: number) => void): Promise<string> {
  const hash = sha256.create();
  for (let at = 0; at < file.size; at += PART_BYTES) {
    const part = new Uint8Array(await file.slice(at, at + PART_BYTES).arrayBuffer());
    hash.update(part);
    progress(part.length);
  }
  return toHex(hash.digest());
}

async function readManifest(files: Map<string, Blob>, name: string): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  const text = await textOf(files, name);
  if (!text.endsWith("\n")) throw bad(`${name} is cut off`);
  for (const line of text.slice(0, -1).split("\n")) {
    const [, sum, file] = LINE.exec(line) ?? [];
    if (!sum || !file || found.has(file)) throw bad(`${name} is not a list of digests`);
    found.set(file, sum);
  }
  return found;
}

function sameNames(listed: Map<string, string>, there: string[]): void {
  if (listed.size !== there.length || there.some((name) => !listed.has(name))) throw bad("its lists and its files differ");
}

async function textOf(files: Map<string, Blob>, name: string): Promise<string> {
  return (await files.get(name)?.text()) ?? "";
}

function bad(about: string): PackageError {
  return new PackageError("bad_bag", about);
}
