/** The protocol and the rules, bundled for tests/frontend, which compares them with Python's. */

import { findPrivate } from "../src/ui/hints";
import { fromHex, toHex, utf8 } from "../src/protocol/bytes";
import { HubClock, readTimeRefusal, signCall } from "../src/protocol/calls";
import { encode, parse, type Json } from "../src/protocol/canonical";
import { MAX_RECORD_BYTES, readRecord } from "../src/protocol/envelope";
import { parseLink } from "../src/protocol/invites";
import { fingerprint, isPublicKey, NativeSigner, SeedSigner, verify, withoutNativeKeys } from "../src/protocol/keys";
import { parseEntry, readCheckpoint, verifyChain, BEGINNING } from "../src/protocol/order";
import { areaM2, contains, isSimple, touchesCircle, within } from "../src/protocol/geometry";
import { distanceM, snap, WIDTHS_E6 } from "../src/protocol/places";
import { unpackLines } from "../src/protocol/segments";
import { checkHandle, checkText, clean, folded } from "../src/protocol/text";
import { advance, apply, supply } from "../src/rules/apply";
import { caseOf, previewRequest } from "../src/rules/rules-requests";
import { State } from "../src/rules/state";
import { History, MemoryStore } from "../src/rules/store";

/** What something throws: its code, or null. */
async function codeOf(action: () => unknown): Promise<string | null> {
  try {
    await action();
    return null;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
}

/** A reader who has nothing yet. */
const nothing = (): Promise<Map<number, never>> => Promise.resolve(new Map<number, never>());

/** Apply lines of the order as a reader does; return the digest of the state after every one of them. */
async function replay(lines: string, neighborhood: string, advanceTo: number): Promise<string[]> {
  const state = new State(new MemoryStore(), new History());
  const digests: string[] = [];
  for (const { record, entry } of await unpackLines(utf8(lines), neighborhood, nothing)) {
    apply(record, state, entry);
    digests.push(state.store.digest());
  }
  advance(state, advanceTo);
  digests.push(state.store.digest());
  return digests;
}

/** The same without bodies where they may be missing, which come afterwards. */
async function replayLate(lines: string, bodies: string[], neighborhood: string): Promise<string> {
  const state = new State(new MemoryStore(), new History());
  for (const { record, entry } of await unpackLines(utf8(lines), neighborhood, nothing)) apply(record, state, entry);
  for (const wire of bodies) {
    const record = await readRecord(JSON.parse(wire) as Json);
    if (state.store.get("waiting", record.id) !== undefined) supply(record, state);
  }
  return state.store.digest();
}

export const canonical = (text: string): string => new TextDecoder().decode(encode(JSON.parse(text) as Json));
export const parses = (text: string): Promise<string | null> => codeOf(() => parse(utf8(text), MAX_RECORD_BYTES));
export const recordCode = (wire: string): Promise<string | null> =>
  codeOf(async () => readRecord(parse(utf8(wire), MAX_RECORD_BYTES)));
export const recordId = async (wire: string): Promise<string> => (await readRecord(parse(utf8(wire), MAX_RECORD_BYTES))).id;
export const handleCode = (handle: string): Promise<string | null> => codeOf(() => checkHandle(handle));
export const textCode = (text: string, limit: number, lines: boolean): Promise<string | null> =>
  codeOf(() => checkText(text, limit, { lines }));
export const foldedAll = (texts: string[]): string[] => texts.map(folded);
export const chainCode = (entries: Json[], neighborhood: string, hubKey: string, now: number): Promise<string | null> =>
  codeOf(() => verifyChain(entries.map((entry) => parseEntry(entry, neighborhood)), neighborhood, hubKey, BEGINNING, now));
export const linkCode = (link: string): Promise<string | null> => codeOf(() => parseLink(link));
/** What a page that draws a request is told: codes. */
export const previewCodes = (...given: Parameters<typeof previewRequest>): string[] =>
  previewRequest(...given).map(({ code }) => code);
export {
  areaM2,
  caseOf,
  clean,
  codeOf,
  contains,
  distanceM,
  findPrivate,
  fingerprint,
  fromHex,
  HubClock,
  isPublicKey,
  isSimple,
  NativeSigner,
  parseLink,
  readCheckpoint,
  readTimeRefusal,
  replay,
  replayLate,
  SeedSigner,
  signCall,
  snap,
  toHex,
  touchesCircle,
  utf8,
  verify,
  WIDTHS_E6,
  within,
  withoutNativeKeys,
};
