/**
 * Ed25519 keys: public keys and digests as 64 hexadecimal digits, signatures as 128.
 *
 * Whatever is signed is a digest behind words that say what it is for. The browser's own Ed25519 is used where there is one
 * (then private keys can't be taken out of it), @noble/curves elsewhere.
 */

import { ed25519 } from "@noble/curves/ed25519.js";
import { at, fromHex, join, sha256, toHex, utf8, type Bytes } from "./bytes";

const DIGEST = /^[0-9a-f]{64}$/;
const SIGNATURE = /^[0-9a-f]{128}$/;
const SALT = /^[0-9a-f]{32}$/;
const FIELD = 2n ** 255n - 19n;
// Points of order 1, 2, 4 and 8, by y. Under such a key one signature fits every message, whoever made it.
const SMALL_ORDER = new Set([
  0n,
  1n,
  FIELD - 1n,
  0x05fc536d880238b13933c6d305acdfd5f098eff289f4c345b027b2c28f95e826n,
  0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n,
]);
const GROUPS = 6; // of 5 digits: about 100 bits, and short enough to be read out on the telephone
const MAX_IMPORTED = 30_000; // keys kept ready; a neighborhood has 25,000 members at most

/** Something that signs. */
export interface Signer {
  readonly publicKey: string;
  sign(context: string, digest: Bytes): Promise<string>;
}

export function isDigest(value: unknown): value is string {
  return typeof value === "string" && DIGEST.test(value);
}

/** Return whether this is written like a public key, and is not one that fits every signature. */
export function isPublicKey(value: unknown): value is string {
  if (!isDigest(value)) return false;
  const y = BigInt(`0x${toHex(fromHex(value).reverse())}`) & (2n ** 255n - 1n);
  return !SMALL_ORDER.has(y % FIELD);
}

export function isSignature(value: unknown): value is string {
  return typeof value === "string" && SIGNATURE.test(value);
}

export function isSalt(value: unknown): value is string {
  return typeof value === "string" && SALT.test(value);
}

let native: Promise<boolean> | undefined;

/** Return whether this browser has Ed25519 of its own, here. (Pages from http:// have no cryptography at all.) */
export function hasNativeKeys(): Promise<boolean> {
  native ??= tryNative();
  return native;
}

async function tryNative(): Promise<boolean> {
  if (!("crypto" in globalThis) || !("subtle" in crypto)) return false;
  try {
    await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]);
    return true;
  } catch {
    return false;
  }
}

/** For development and tests: go on as in a browser that has no Ed25519. */
export function withoutNativeKeys(): void {
  native = Promise.resolve(false);
}

const imported = new Map<string, Promise<CryptoKey>>();

/** Return whether the key's owner signed this digest for this purpose. */
export async function verify(publicKey: string, context: string, digest: Bytes, signature: string): Promise<boolean> {
  if (!isPublicKey(publicKey) || !isSignature(signature)) return false;
  const message = join(utf8(context), digest);
  try {
    if (!(await hasNativeKeys())) {
      return ed25519.verify(fromHex(signature), message, fromHex(publicKey), { zip215: false });
    }
    let key = imported.get(publicKey);
    if (!key) {
      if (imported.size >= MAX_IMPORTED) imported.clear();
      key = crypto.subtle.importKey("raw", fromHex(publicKey), "Ed25519", false, ["verify"]);
      imported.set(publicKey, key);
    }
    return await crypto.subtle.verify("Ed25519", await key, fromHex(signature), message);
  } catch {
    return false; // not a point of the curve
  }
}

/** A key that never leaves the browser. */
export class NativeSigner implements Signer {
  private constructor(
    readonly publicKey: string,
    readonly key: CryptoKey,
  ) {}

  static async generate(): Promise<NativeSigner> {
    const pair = (await crypto.subtle.generateKey("Ed25519", false, ["sign", "verify"]));
    const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
    return new NativeSigner(toHex(new Uint8Array(raw)), pair.privateKey);
  }

  static stored(publicKey: string, key: CryptoKey): NativeSigner {
    return new NativeSigner(publicKey, key);
  }

  async sign(context: string, digest: Bytes): Promise<string> {
    return toHex(new Uint8Array(await crypto.subtle.sign("Ed25519", this.key, join(utf8(context), digest))));
  }
}

/** A key from a seed: an invite's, or a member's where the browser has no Ed25519. */
export class SeedSigner implements Signer {
  readonly publicKey: string;

  constructor(readonly seed: Bytes) {
    this.publicKey = toHex(ed25519.getPublicKey(seed));
  }

  sign(context: string, digest: Bytes): Promise<string> {
    return Promise.resolve(toHex(ed25519.sign(join(utf8(context), digest), this.seed)));
  }
}

/** Return random bytes of the system's. */
export function random(length: number): Bytes {
  return crypto.getRandomValues(new Uint8Array(length));
}

/** Return six groups of five digits that two people can compare. */
export function fingerprint(publicKey: string): string {
  const hashed = sha256(join(utf8("ringwatch/fingerprint/v1"), fromHex(publicKey)));
  const groups: string[] = [];
  for (let group = 0; group < GROUPS; group++) {
    let value = 0;
    for (let byte = 0; byte < 5; byte++) value = value * 256 + at(hashed, 5 * group + byte); // below 2^40
    groups.push(String(value % 100_000).padStart(5, "0"));
  }
  return groups.join(" ");
}
