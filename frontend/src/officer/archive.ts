/**
 * Reads the one form of ZIP that packages have: stored entries only, one behind the other without gaps, each named as it has to be.
 *
 * Anything else that a ZIP could be (compressed, linked, nested, encrypted, a file twice, more than the list says, two lists) is
 * refused, so that this page and any unpacking program see the same files.
 */

import { PackageError } from "./package-error";

const MAX_ENTRIES = 64;
const MAX_SMALL_BYTES = 1024 * 1024; // every file but the clips and the padding
export const MAX_ARCHIVE_BYTES = 512 * 1024 * 1024;
const END_BYTES = 22;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_SIGN = 0x06054b50;
const LOCAL_SIGN = 0x04034b50;
const CENTRAL_SIGN = 0x02014b50;
const MAX_NAME_BYTES = 96;
const TAG_FILES = new Set(["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt", "custody.sig", "padding.bin"]);
const CLIP = /^data\/clip-(0[1-9]|10)\.mp4$/;
const TOP = /^ringwatch-[0-9a-f]{8}$/;

/** The files of a package by their names below the top folder. */
export interface Archive {
  top: string;
  files: Map<string, StoredFile>;
}

export interface StoredFile {
  data: Blob;
  crc: number; // CRC-32: what unpacking programs compare
}

interface Entry {
  name: string;
  crc: number;
  size: number;
  offset: number;
}

export const isClip = (name: string): boolean => CLIP.test(name);

/** Read an archive's list and check it against what is there. Throw PackageError. Digests are the caller's to check. */
export async function readArchive(zip: Blob): Promise<Archive> {
  if (zip.size < END_BYTES || zip.size > MAX_ARCHIVE_BYTES) throw bad(`${zip.size} bytes`);
  const entries = await readList(zip);
  const files = new Map<string, StoredFile>();
  let top: string | null = null;
  let offset = 0;
  for (const entry of entries) {
    if (entry.offset !== offset) throw bad("gaps or overlaps between its files");
    const { data, end } = await readLocal(zip, entry);
    offset = end;
    const [folder, name] = splitOnce(entry.name);
    top ??= folder;
    if (folder !== top || !TOP.test(folder)) throw bad("files outside its folder");
    if (!TAG_FILES.has(name) && name !== "data/custody.json" && !CLIP.test(name)) throw bad("a file that doesn't belong there");
    if (files.has(name)) throw bad("the same file twice");
    if (!CLIP.test(name) && name !== "padding.bin" && data.size > MAX_SMALL_BYTES) throw bad("a file that is too long");
    files.set(name, { data, crc: entry.crc });
  }
  if (top === null || offset !== (await listStart(zip))) throw bad("something before its list");
  return { top, files };
}

async function readList(zip: Blob): Promise<Entry[]> {
  const start = await listStart(zip);
  const end = zip.size - END_BYTES;
  const count = (await view(zip, end, END_BYTES)).getUint16(10, true);
  const list = await view(zip, start, end - start);
  const entries: Entry[] = [];
  let at = 0;
  for (let number = 0; number < count; number++) {
    if (at + CENTRAL_BYTES > list.byteLength || list.getUint32(at, true) !== CENTRAL_SIGN) throw bad("a damaged list");
    const nameLength = list.getUint16(at + 28, true);
    const fileType = list.getUint16(at + 40, true) >> 12; // of the Unix mode: 8 is a file, 10 a link; 0 if there is no mode
    if (list.getUint16(at + 10, true) !== 0) throw bad("compressed files");
    if (list.getUint16(at + 8, true) !== 0) throw bad("encrypted files, or others of a special kind");
    if (list.getUint16(at + 30, true) || list.getUint16(at + 32, true) || list.getUint16(at + 34, true)) {
      throw bad("extra fields, comments or more than one disk");
    }
    if (fileType !== 0 && fileType !== 8) throw bad("links or devices");
    if (nameLength > MAX_NAME_BYTES || at + CENTRAL_BYTES + nameLength > list.byteLength) throw bad("a damaged list");
    const size = list.getUint32(at + 24, true);
    if (list.getUint32(at + 20, true) !== size) throw bad("files with two sizes");
    entries.push({
      name: readName(list, at + CENTRAL_BYTES, nameLength),
      crc: list.getUint32(at + 16, true),
      size,
      offset: list.getUint32(at + 42, true),
    });
    at += CENTRAL_BYTES + nameLength;
  }
  if (at !== list.byteLength) throw bad("a list with more in it than it says");
  return entries;
}

async function listStart(zip: Blob): Promise<number> {
  const at = zip.size - END_BYTES;
  const end = await view(zip, at, END_BYTES);
  const count = end.getUint16(10, true);
  const size = end.getUint32(12, true);
  const start = end.getUint32(16, true);
  if (end.getUint32(0, true) !== END_SIGN || end.getUint16(20, true) !== 0) throw bad("no end, or something behind it");
  if (end.getUint32(4, true) !== 0 || end.getUint16(8, true) !== count || count === 0 || count > MAX_ENTRIES) {
    throw bad(`${count} files`);
  }
  if (start + size !== at || size > MAX_ENTRIES * (CENTRAL_BYTES + MAX_NAME_BYTES)) throw bad("a list in the wrong place");
  return start;
}

/** Check what stands before a file's bytes against the list. */
async function readLocal(zip: Blob, entry: Entry): Promise<{ data: Blob; end: number }> {
  const head = await view(zip, entry.offset, LOCAL_BYTES + MAX_NAME_BYTES);
  if (head.byteLength < LOCAL_BYTES || head.getUint32(0, true) !== LOCAL_SIGN) throw bad("a damaged file");
  const nameLength = head.getUint16(26, true);
  const same =
    head.getUint16(6, true) === 0 &&
    head.getUint16(8, true) === 0 &&
    head.getUint32(14, true) === entry.crc &&
    head.getUint32(18, true) === entry.size &&
    head.getUint32(22, true) === entry.size &&
    head.getUint16(28, true) === 0 &&
    nameLength <= head.byteLength - LOCAL_BYTES &&
    readName(head, LOCAL_BYTES, nameLength) === entry.name;
  if (!same) throw bad("a file that its list describes otherwise");
  const start = entry.offset + LOCAL_BYTES + nameLength;
  const end = start + entry.size;
  if (end > zip.size) throw bad("a file that is cut off");
  return { data: zip.slice(start, end), end };
}

function readName(bytes: DataView, at: number, length: number): string {
  let name = "";
  for (let place = 0; place < length; place++) name += String.fromCharCode(bytes.getUint8(at + place));
  if (!/^[a-z0-9./-]+$/.test(name)) throw bad("a name that files here don't have");
  return name;
}

function splitOnce(name: string): [string, string] {
  const place = name.indexOf("/");
  return [name.slice(0, Math.max(place, 0)), name.slice(place + 1)];
}

async function view(zip: Blob, start: number, length: number): Promise<DataView> {
  return new DataView(await zip.slice(start, start + length).arrayBuffer());
}

function bad(about: string): PackageError {
  return new PackageError("bad_archive", about);
}
