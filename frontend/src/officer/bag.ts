/** A bag (RFC 8493): its lists name every file in it, with their SHA-256, and nothing else. */

import { sha256 } from "@noble/hashes/sha2.js";
import { at, toHex } from "../protocol/bytes";
import type { Archive, StoredFile } from "./archive";
import { PackageError } from "./package-error";

const DECLARATION = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const LINE = /^([0-9a-f]{64}) {2}([a-z0-9./-]+)$/;
const PART_BYTES = 4 * 1024 * 1024;
const NEEDED = [
  "bagit.txt",
  "bag-info.txt",
  "manifest-sha256.txt",
  "tagmanifest-sha256.txt",
  "custody.sig",
  "padding.bin",
  "data/custody.json",
];

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
  for (const [name, file] of files) {
    const actual = await digestOf(file, progress);
    const expected = payload.get(name) ?? tags.get(name);
    if (expected !== undefined && actual !== expected) throw bad(`${name} is not the file that the list names`);
    found.set(name, actual);
  }
  return found;
}

/** Return a file's SHA-256, without having all of it in memory. */
async function digestOf({ data, crc }: StoredFile, progress: (bytes: number) => void): Promise<string> {
  const hash = sha256.create();
  let remainder = -1;
  for (let start = 0; start < data.size; start += PART_BYTES) {
    const part = new Uint8Array(await data.slice(start, start + PART_BYTES).arrayBuffer());
    hash.update(part);
    remainder = addToCrc(remainder, part);
    progress(part.length);
  }
  if (~remainder >>> 0 !== crc) throw new PackageError("bad_archive", "a checksum that doesn't fit");
  return toHex(hash.digest());
}

const CRC_TABLE = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});

function addToCrc(remainder: number, bytes: Uint8Array): number {
  let value = remainder;
  for (const byte of bytes) value = (value >>> 8) ^ at(CRC_TABLE, (value ^ byte) & 0xff);
  return value;
}

async function readManifest(files: Archive["files"], name: string): Promise<Map<string, string>> {
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

async function textOf(files: Archive["files"], name: string): Promise<string> {
  return (await files.get(name)?.data.text()) ?? "";
}

function bad(about: string): PackageError {
  return new PackageError("bad_bag", about);
}
