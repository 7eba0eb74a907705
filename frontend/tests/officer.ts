/** What the officer's page does with packages, keys and receipts, bundled for tests/frontend, which compares it with Python's. */

import type { Bytes } from "../src/protocol/bytes";
import type { Json } from "../src/protocol/canonical";
import { readArrival, readReceipt, signReceipt, type Receipt } from "../src/protocol/delivery";
import { hubLink, parseHubLink } from "../src/protocol/hub-link";
import { fromHex } from "../src/protocol/bytes";
import { SeedSigner } from "../src/protocol/keys";
import { BrowserTooOld, importReading, NoKeyFile, openKeyFile, readKeyFile, WrongPassphrase } from "../src/officer/keyfile";
import { barLength, graticuleStep, Projection, readCorners, viewOf, writeCorners } from "../src/officer/map/projection";
import { openPackage, type Expected, type Opened } from "../src/officer/opening";
import { PackageError } from "../src/officer/package-error";

interface Wanted {
  neighborhood: string;
  arrival: Json;
  hubKey: string;
  deliveryKey: string;
  agencyKey: string;
  hostKey: string;
  request: string;
  identity: string;
}

/** Open a package that the page is given as a stream of parts; return what can be said of it, or the code it is refused with. */
export async function open(ciphertext: Blob, wanted: Wanted): Promise<Json> {
  const { key } = await importReading(wanted.identity);
  const expected: Expected = {
    neighborhood: wanted.neighborhood,
    arrival: await readArrival(wanted.arrival, wanted.hubKey),
    deliveryKey: wanted.deliveryKey,
    isOurs: (other) => other === wanted.agencyKey,
    isAsked: (request) => request === wanted.request,
    isHost: (other) => other === wanted.hostKey,
  };
  let most = 0;
  try {
    const stream = ciphertext.stream() as ReadableStream<Bytes>;
    const opened: Opened = await openPackage(stream, [key], expected, (_, share) => (most = Math.max(most, share)));
    return { custody: opened.custody as unknown as Json, clips: [...opened.clips].map(([name, clip]) => [name, clip.size]), most: Math.round(most * 100) };
  } catch (error) {
    if (error instanceof PackageError) return { code: error.code, about: error.about };
    throw error;
  }
}

/** Open a key file; return what is in it that may be said. */
export async function keyFile(text: string, passphrase: string): Promise<Json> {
  try {
    const { signer, signingKey, reading, agency, hub } = await openKeyFile(await readKeyFile(new Blob([text])), passphrase);
    const extractable = [signingKey?.extractable ?? null, reading.key.extractable];
    return { publicKey: signer?.publicKey ?? null, recipient: reading.recipient, agency, hub, extractable };
  } catch (error) {
    if (error instanceof WrongPassphrase) return "wrong_passphrase";
    if (error instanceof NoKeyFile) return "not_a_key_file";
    if (error instanceof BrowserTooOld) return "too_old";
    throw error;
  }
}

export const receipt = (seed: string, said: Omit<Receipt, "officer" | "sig">): Promise<Receipt> => signReceipt(new SeedSigner(fromHex(seed)), said);
export const receiptCode = (value: Json): Promise<string | null> => codeOf(() => readReceipt(value));
export const arrivalCode = (value: Json, hubKey: string): Promise<string | null> => codeOf(() => readArrival(value, hubKey));
export const link = (text: string): string | null => {
  try {
    return hubLink(parseHubLink(text));
  } catch {
    return null;
  }
};

async function codeOf(action: () => Promise<unknown>): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

export { barLength, graticuleStep, Projection, readCorners, viewOf, writeCorners };
