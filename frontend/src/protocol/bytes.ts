/** Bytes, hexadecimal digits, base64url and SHA-256. */

import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js";

/** Bytes of their own, as the browser's cryptography wants them. */
export type Bytes = Uint8Array<ArrayBuffer>;

export const toHex: (bytes: Uint8Array) => string = bytesToHex;
export const utf8: (text: string) => Bytes = utf8ToBytes;
export const join: (...parts: Uint8Array[]) => Bytes = concatBytes;
export { sha256 };

/** Read hexadecimal digits. The caller has looked at them. */
export function fromHex(digits: string): Bytes {
  return hexToBytes(digits);
}

/** Return the SHA-256 of bytes, in lower-case hexadecimal digits. */
export function digest(bytes: Uint8Array): string {
  return toHex(sha256(bytes));
}

/** Return the first and only element, or what stands at a place that is known to be there. */
export function at<T>(items: ArrayLike<T>, index: number): T {
  const found = items[index];
  if (found === undefined) throw new RangeError("nothing there");
  return found;
}

/** Write base64url without padding. */
export function toBase64Url(bytes: Uint8Array): string {
  let binary = "";
  for (const byte of bytes) binary += String.fromCharCode(byte);
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** Read base64url without padding; null for anything that `toBase64Url` would not have written. */
export function fromBase64Url(text: string): Bytes | null {
  if (!/^[A-Za-z0-9_-]*$/.test(text)) return null;
  let binary: string;
  try {
    binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  } catch {
    return null;
  }
  const bytes = Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
  return toBase64Url(bytes) === text ? bytes : null;
}
