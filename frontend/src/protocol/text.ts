/** Which characters a text may have: none that mislead the reader or that no text needs. As `neighborhood/text.py`. */

import { RecordViolation } from "./violations";

// Control characters; what turns the direction of reading round; what is invisible; separators; tags; private use; no characters.
const BARRED =
  /[\x00-\x09\x0b-\x1f\x7f-\x9f\xad\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ue000-\uf8ff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\u{e0000}-\u{e0fff}\u{f0000}-\u{10ffff}\u{1fffe}\u{1ffff}\u{2fffe}\u{2ffff}\u{3fffe}\u{3ffff}\u{4fffe}\u{4ffff}\u{5fffe}\u{5ffff}]/u;
// Letters of different alphabets that are mistaken for each other.
const LOOKALIKES = [/[A-Za-zªº\u00c0-\u024f\u1e00-\u1eff]/u, /[\u0370-\u03e1\u03f0-\u03ff]/u, /[\u0400-\u052f]/u];
export const MIN_HANDLE = 2;
export const MAX_HANDLE = 32;

export function textLength(text: string): number {
  return Array.from(text).length;
}

interface Form {
  lines?: boolean;
  empty?: boolean;
}

/** Return the text as it is. Throw RecordViolation. `limit` counts code points; `lines` allows line breaks. */
export function checkText(text: string, limit: number, { lines = false, empty = true }: Form = {}): string {
  if (textLength(text) > limit) throw bad(`longer than ${limit} characters`);
  if (!text.trim() && (text || !empty)) throw bad(text ? "only white space" : "empty");
  if (text !== text.trim()) throw bad("white space at its beginning or end");
  if (BARRED.test(text)) throw bad("a character that is invisible or controls something");
  if (text.includes("\n") && !lines) throw bad("a line break");
  if (text.normalize("NFC") !== text) throw bad("not in the normal form NFC");
  return text;
}

/** Return what of a text that was typed here can be sent. */
export function clean(text: string, limit: number, lines: boolean): string {
  const broken = text.replace(/\r\n?|[\u2028\u2029\x85]/g, "\n");
  const spaced = lines ? broken.replaceAll("\t", " ") : broken.replace(/\s+/g, " ");
  const kept = spaced.replace(new RegExp(BARRED, "gu"), "").normalize("NFC").trim();
  return Array.from(kept).slice(0, limit).join("").trim();
}

/** Return a member's name as it is. Throw RecordViolation. */
export function checkHandle(handle: string): string {
  checkText(handle, MAX_HANDLE, { empty: false });
  if (textLength(handle) < MIN_HANDLE) throw bad(`a name has at least ${MIN_HANDLE} characters`);
  if (!/^[\p{L}\p{N}].*[^ ._'-]$/u.test(handle)) throw bad("a name begins and ends with a letter or a digit");
  if (!/^[\p{L}\p{M}\p{N} ._'-]*$/u.test(handle)) throw bad("a name has letters and digits");
  if (/[ ._'-]{2}/.test(handle.replaceAll(". ", "."))) throw bad("a name has one mark at most between two letters");
  if (LOOKALIKES.filter((letters) => letters.test(handle)).length > 1) {
    throw bad("a name mixes alphabets whose letters look alike");
  }
  return handle;
}

/** Return what two names have in common that people would take for the same. */
export function folded(handle: string): string {
  const plain = Array.from(handle.normalize("NFKC"), casefold).join("").normalize("NFKD");
  return Array.from(plain).filter((letter) => /[\p{L}\p{N}]/u.test(letter) || (/\p{M}/u.test(letter) && !combines(letter))).join("");
}

/** Unicode's full case folding of one character, by what JavaScript has: checked against Python's by the tests. */
function casefold(letter: string): string {
  if (letter === "\u0131") return letter; // dotless i: its capital is I, but it doesn't fold to i
  const upper = letter.toUpperCase();
  if (/^[\u13a0-\u13f5]$/.test(upper)) return upper; // Cherokee folds to capitals
  return Array.from(upper, (part) => part.toLowerCase()).join("");
}

/** Whether a mark's combining class is other than 0: only then the normal form puts it behind one of class 1, or before one of 230. */
function combines(mark: string): boolean {
  return [`a${mark}\u0334`, `a\u0301${mark}`].some((text) => text.normalize("NFD") !== text);
}

function bad(about: string): RecordViolation {
  return new RecordViolation("bad_text", about);
}
