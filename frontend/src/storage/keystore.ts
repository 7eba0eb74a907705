/**
 * A member's key. Where the browser has Ed25519 the key never leaves it, not even for this page. Elsewhere it is a seed that is
 * sealed with a passphrase, at rest and in the file that can be taken to another browser.
 *
 *     scrypt(passphrase, salt) = pad ‖ mac key      box = seed xor pad      mac = HMAC-SHA256(mac key, box)
 *
 * The pad is used once: every sealing has a salt of its own.
 */

import { hmac } from "@noble/hashes/hmac.js";
import { scryptAsync } from "@noble/hashes/scrypt.js";
import { at, fromHex, sha256, toHex, utf8, type Bytes } from "../protocol/bytes";
import { hasNativeKeys, isDigest, NativeSigner, random, SeedSigner, type Signer } from "../protocol/keys";

const COST = { N: 2 ** 15, r: 8, p: 1, dkLen: 64, maxmem: 2 ** 26 }; // 32 MiB; about half a second
export const MIN_PASSPHRASE = 12;

export type KeptKey =
  | { kind: "native"; publicKey: string; key: CryptoKey }
  | SealedKey
  | { kind: "elsewhere"; publicKey: string }; // the officer's page keeps its own

export interface SealedKey {
  kind: "sealed";
  publicKey: string;
  salt: string;
  box: string;
  mac: string;
}

/** The passphrase is another one, or the file is damaged. */
export class WrongPassphrase extends Error {}

/** Make a key of the best kind that there is here. */
export async function makeKey(passphrase: () => Promise<string>): Promise<[Signer, KeptKey]> {
  if (await hasNativeKeys()) {
    const signer = await NativeSigner.generate();
    return [signer, { kind: "native", publicKey: signer.publicKey, key: signer.key }];
  }
  const signer = new SeedSigner(random(32));
  return [signer, await seal(signer, await passphrase())];
}

/** Return what signs with a key that was kept. Throw WrongPassphrase. */
export async function openKey(kept: KeptKey, passphrase: () => Promise<string>): Promise<Signer> {
  if (kept.kind === "native") return NativeSigner.stored(kept.publicKey, kept.key);
  if (kept.kind === "elsewhere") throw new TypeError("this page doesn't keep the key");
  return unseal(kept, await passphrase());
}

async function seal(signer: SeedSigner, passphrase: string): Promise<SealedKey> {
  const salt = random(16);
  const stretched = await stretch(passphrase, salt);
  const box = xor(signer.seed, stretched);
  return {
    kind: "sealed",
    publicKey: signer.publicKey,
    salt: toHex(salt),
    box: toHex(box),
    mac: toHex(hmac(sha256, stretched.subarray(32), box)),
  };
}

async function unseal(sealed: SealedKey, passphrase: string): Promise<Signer> {
  const stretched = await stretch(passphrase, fromHex(sealed.salt));
  const box = fromHex(sealed.box);
  const signer = new SeedSigner(xor(box, stretched));
  if (toHex(hmac(sha256, stretched.subarray(32), box)) !== sealed.mac || signer.publicKey !== sealed.publicKey) {
    throw new WrongPassphrase();
  }
  return signer;
}

/** Read a sealed key from a file that somebody chose; null if it is none. */
export function readSealed(value: unknown): SealedKey | null {
  if (typeof value !== "object" || value === null) return null;
  const { publicKey, salt, box, mac } = value as Partial<Record<string, unknown>>;
  const isSalt = typeof salt === "string" && /^[0-9a-f]{32}$/.test(salt);
  if (!isDigest(publicKey) || !isSalt || !isDigest(box) || !isDigest(mac)) return null;
  return { kind: "sealed", publicKey, salt, box, mac };
}

function stretch(passphrase: string, salt: Bytes): Promise<Uint8Array> {
  return scryptAsync(utf8(passphrase.normalize("NFC")), salt, COST);
}

function xor(a: Uint8Array, b: Uint8Array): Bytes {
  return Uint8Array.from(a, (byte, place) => byte ^ at(b, place));
}
