/**
 * What is signed about a package on its way: the hub's arrival, and the officer's receipts. As `neighborhood/delivery.py`.
 *
 * Neither is a record: a delivery is known to its agency, to the home that sent it and to the hub that carried it.
 */

import { sha256, type Bytes } from "./bytes";
import { encode, type Json } from "./canonical";
import { Fields } from "./fields";
import { verify, type Signer } from "./keys";
import { RecordViolation } from "./violations";

const ARRIVAL_CONTEXT = "ringwatch/arrival/v1";
const RECEIPT_CONTEXT = "ringwatch/receipt/v1";
export const MAX_DELIVERY_BYTES = 525_336_576; // 500 MiB and 1 MiB
export const MAX_ABOUT = 500;
export const RECEIPT_KINDS = ["received", "used", "deleted", "shared_with"] as const;
export type ReceiptKind = (typeof RECEIPT_KINDS)[number];

/** The hub has a delivery, whole, since a time. */
export interface Arrival {
  delivery: string;
  request: string;
  sha256: string; // of the ciphertext
  size: number;
  time: number;
  sig: string;
}

/** An officer says what became of a delivery. */
export interface Receipt {
  delivery: string;
  request: string;
  sha256: string;
  kind: ReceiptKind;
  time: number;
  retention_until: number | null;
  about: string;
  officer: string;
  sig: string;
}

/** Read an arrival and check that the hub signed it. Throw RecordViolation. */
export async function readArrival(value: Json, hubKey: string): Promise<Arrival> {
  const fields = new Fields(value, "arrival");
  const found: Arrival = {
    delivery: fields.digest("delivery"),
    request: fields.digest("request"),
    sha256: fields.digest("sha256"),
    size: fields.integer("size", 1, MAX_DELIVERY_BYTES),
    time: fields.time("time"),
    sig: fields.signature("sig"),
  };
  fields.end();
  const { sig, ...signed } = found;
  if (!(await verify(hubKey, ARRIVAL_CONTEXT, hashed(signed), sig))) {
    throw new RecordViolation("bad_signature", "the hub didn't sign this arrival");
  }
  return found;
}

/** Read a receipt and check that the officer it names signed it. Throw RecordViolation. */
export async function readReceipt(value: Json): Promise<Receipt> {
  const fields = new Fields(value, "receipt");
  const found: Receipt = {
    delivery: fields.digest("delivery"),
    request: fields.digest("request"),
    sha256: fields.digest("sha256"),
    kind: fields.choice("kind", RECEIPT_KINDS),
    time: fields.time("time"),
    retention_until: fields.optional("retention_until", (name) => fields.time(name)),
    about: fields.text("about", MAX_ABOUT, { lines: true }),
    officer: fields.key("officer"),
    sig: fields.signature("sig"),
  };
  fields.end();
  if (found.kind === "shared_with" && !found.about) {
    throw new RecordViolation("bad_field", "receipt.about: says with whom it was shared");
  }
  const { sig, ...signed } = found;
  if (!(await verify(found.officer, RECEIPT_CONTEXT, hashed(signed), sig))) {
    throw new RecordViolation("bad_signature", "the officer didn't sign this receipt");
  }
  return found;
}

/** Sign a receipt, and read it back as a reader would. Throw RecordViolation for a text that nobody would take. */
export async function signReceipt(officer: Signer, said: Omit<Receipt, "officer" | "sig">): Promise<Receipt> {
  const signed = { ...said, officer: officer.publicKey };
  const sig = await officer.sign(RECEIPT_CONTEXT, hashed(signed));
  return readReceipt({ ...signed, sig });
}

function hashed(signed: Record<string, Json>): Bytes {
  return sha256(encode(signed));
}
