/**
 * An officer's key file, as `script/agency keyfile` writes it: sealed with a passphrase, PBKDF2 and AES-256-GCM.
 *
 * Inside are the officer's signing key, or none, and the agency's reading key. They are handed to the browser, which
 * uses them and gives them to nobody, not even to this page.
 */

import { bech32 } from "@scure/base";
import { identityToRecipient } from "age-encryption";
import { fromHex, toHex, utf8, type Bytes } from "../protocol/bytes";
import { parse, type Json } from "../protocol/canonical";
import { Fields } from "../protocol/fields";
import { hasNativeKeys, isDigest, NativeSigner, SeedSigner, type Signer } from "../protocol/keys";
import { RecordViolation } from "../protocol/violations";

const FORMAT = "ringwatch-officer-key/1";
const MIN_ITERATIONS = 100_000;
const MAX_ITERATIONS = 5_000_000; // some seconds; more would hang the browser
const MAX_FILE_BYTES = 16 * 1024;
const NONCE_BYTES = 12;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;
const AGE_IDENTITY = /^AGE-SECRET-KEY-1[02-9AC-HJ-NP-Z]{58}$/;
const PKCS8_ED25519 = "302e020100300506032b657004220420"; // RFC 8410; the seed follows
const PKCS8_X25519 = "302e020100300506032b656e04220420";

/** What is written in the file, and kept as it is. */
export interface KeyFile {
  iterations: number;
  salt: string;
  nonce: string;
  data: string;
}

/** A key that decrypts what is sent to the agency. It can't be taken out of the browser again. */
export interface ReadingKey {
  recipient: string; // its public half, as the agency's profile names it
  key: CryptoKey;
}

export interface OpenedFile {
  signer: Signer | null; // an agency's reading key file has none
  signingKey: CryptoKey | null; // for keeping, where the browser has one
  reading: ReadingKey;
  agency: string;
  hub: string | null;
}

/** It is another passphrase, or the file was changed. */
export class WrongPassphrase extends Error {}

/** The browser has no X25519 of its own. */
export class BrowserTooOld extends Error {}

/** It isn't a key file. */
export class NoKeyFile extends Error {}

/** Read a key file's outside. Throw NoKeyFile. */
export async function readKeyFile(file: Blob): Promise<KeyFile> {
  if (file.size > MAX_FILE_BYTES) throw new NoKeyFile();
  try {
    const fields = new Fields(JSON.parse(await file.text()) as Json, "key file");
    const kdf = fields.inner("kdf");
    const found: KeyFile = {
      iterations: kdf.integer("iterations", MIN_ITERATIONS, MAX_ITERATIONS),
      salt: kdf.string("salt"),
      nonce: fields.string("nonce"),
      data: fields.string("data"),
    };
    const known = fields.string("format") === FORMAT && fields.string("cipher") === "AES-256-GCM" && kdf.string("name") === "PBKDF2-SHA256";
    kdf.end();
    fields.end();
    const wellFormed = /^[0-9a-f]{32,128}$/.test(found.salt) && found.nonce.length === 2 * NONCE_BYTES && /^[0-9a-f]+$/.test(found.nonce);
    if (!known || !wellFormed || !BASE64.test(found.data)) throw new NoKeyFile();
    return found;
  } catch (error) {
    if (error instanceof RecordViolation || error instanceof SyntaxError) throw new NoKeyFile();
    throw error;
  }
}

/** Open a key file. Throw WrongPassphrase, NoKeyFile. */
export async function openKeyFile(file: KeyFile, passphrase: string): Promise<OpenedFile> {
  const inside = await decrypt(file, passphrase);
  try {
    const fields = new Fields(parse(inside, MAX_FILE_BYTES), "key");
    const seed = fields.optional("seed", (name) => fields.string(name));
    const identity = fields.string("age_identity");
    const agency = fields.text("agency", 80, { empty: false });
    const hub = fields.optional("hub", (name) => fields.string(name));
    fields.end();
    if ((seed !== null && !isDigest(seed)) || !AGE_IDENTITY.test(identity)) throw new NoKeyFile();
    const [signer, signingKey] = seed === null ? [null, null] : await importSeed(fromHex(seed));
    return { signer, signingKey, reading: await importReading(identity), agency, hub };
  } catch (error) {
    if (error instanceof RecordViolation) throw new NoKeyFile();
    throw error;
  } finally {
    inside.fill(0);
  }
}

async function decrypt({ iterations, salt, nonce, data }: KeyFile, passphrase: string): Promise<Bytes> {
  const typed = await crypto.subtle.importKey("raw", utf8(passphrase.normalize("NFC")), "PBKDF2", false, ["deriveKey"]);
  const key = await crypto.subtle.deriveKey(
    { name: "PBKDF2", hash: "SHA-256", salt: fromHex(salt), iterations },
    typed,
    { name: "AES-GCM", length: 256 },
    false,
    ["decrypt"],
  );
  try {
    const sealed = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
    return new Uint8Array(await crypto.subtle.decrypt({ name: "AES-GCM", iv: fromHex(nonce) }, key, sealed));
  } catch (error) {
    if (error instanceof DOMException) throw new WrongPassphrase();
    throw error;
  }
}

async function importSeed(seed: Bytes): Promise<[Signer, CryptoKey | null]> {
  const withSeed = new SeedSigner(seed);
  if (!(await hasNativeKeys())) return [withSeed, null];
  const pkcs8 = fromHex(PKCS8_ED25519 + toHex(seed));
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, "Ed25519", false, ["sign"]);
  return [NativeSigner.stored(withSeed.publicKey, key), key];
}

/** Hand an age identity to the browser. Its bytes come out of Bech32 here: the library would keep the text. Throw NoKeyFile, BrowserTooOld. */
export async function importReading(identity: string): Promise<ReadingKey> {
  let scalar: Uint8Array;
  try {
    scalar = bech32.decodeToBytes(identity).bytes;
  } catch {
    throw new NoKeyFile();
  }
  try {
    const pkcs8 = fromHex(PKCS8_X25519 + toHex(scalar));
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, { name: "X25519" }, false, ["deriveBits"]);
    return { recipient: await identityToRecipient(key), key };
  } catch (error) {
    if (error instanceof DOMException) throw new BrowserTooOld();
    throw error;
  } finally {
    scalar.fill(0);
  }
}
