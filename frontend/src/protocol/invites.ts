/** An invite is a link. What is secret in it stands behind the #, which browsers keep to themselves. */

import { at, fromBase64Url, toHex } from "./bytes";
import type { Json } from "./canonical";
import { certificateToJson, isGenuine, JOIN_CONTEXT, proveKey, type Certificate } from "./certificates";
import { MAX_TIME_S } from "./fields";
import { isPublicKey, SeedSigner, type Signer } from "./keys";
import { LinkViolation } from "./violations";

const MAX_LINK = 1_024;
const PATH = "/join";
const NEW_BYTES = 1 + 4 * 32 + 5 + 64; // version, neighborhood, hub key, host key, seed, expiry, signature
const REPLACING_BYTES = NEW_BYTES + 2 * 32; // and member, last
const HOST = /^(?:[a-z0-9.-]{1,253}|\[[0-9a-f:.]{2,45}\])$/;
const URL_PATH = /^(?:\/[A-Za-z0-9_-]{1,64}){0,8}$/;
const LOOPBACK = new Set(["localhost", "127.0.0.1", "[::1]"]);

export interface Invite {
  url: string; // the hub's address, without a slash at its end
  hubKey: string;
  certificate: Certificate;
  key: SeedSigner;
}

/** Read a link that somebody was sent. Throw LinkViolation. Whether it has expired is asked by the hub's clock. */
export async function parseLink(text: string): Promise<Invite> {
  const link = text.trim();
  const [address = "", fragment = ""] = splitOnce(link, "#");
  if (link.length > MAX_LINK || !address.endsWith(PATH) || !fragment.startsWith("1.")) {
    throw new LinkViolation("bad_link", "not an invite, or a part of it is missing");
  }
  const url = checkHubUrl(address.slice(0, -PATH.length));
  const packed = fromBase64Url(fragment.slice(2));
  if (!packed || (packed.length !== NEW_BYTES && packed.length !== REPLACING_BYTES) || packed[0] !== 1) {
    throw new LinkViolation("bad_link", "damaged, or of another version");
  }
  const hex = (start: number, end?: number): string => toHex(packed.subarray(start, end));
  const key = new SeedSigner(packed.slice(97, 129));
  const hubKey = hex(33, 65);
  const host = hex(65, 97);
  let expires = 0;
  for (let byte = 129; byte < 134; byte++) expires = expires * 256 + at(packed, byte);
  const replaces = packed.length === REPLACING_BYTES ? { member: hex(134, 166), last: hex(166, 198) } : null;
  const certificate = { neighborhood: hex(1, 33), invite: key.publicKey, host, expires, replaces, sig: hex(-64) };
  if (!isPublicKey(hubKey) || expires > MAX_TIME_S || !(await isGenuine(certificate))) {
    throw new LinkViolation("bad_link", "damaged: the host's signature doesn't fit");
  }
  return { url, hubKey, certificate, key };
}

function splitOnce(text: string, sign: string): string[] {
  const place = text.indexOf(sign);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}

/** Return a hub's address without a slash at its end. Throw LinkViolation for all but a plain address. */
export function checkHubUrl(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    throw new LinkViolation("bad_link", "not an address");
  }
  const path = url.pathname.replace(/\/+$/, "");
  const rebuilt = `${url.protocol}//${url.host}${path}`;
  const plain = text.replace(/\/+$/, "").toLowerCase().replace(url.protocol === "https:" ? /:443(?=\/|$)/ : /:80(?=\/|$)/, "");
  if (!["https:", "http:"].includes(url.protocol) || !HOST.test(url.hostname) || !URL_PATH.test(path)) {
    throw new LinkViolation("bad_link", "a hub's address is https://name, a port, and a plain path");
  }
  if (rebuilt.toLowerCase() !== plain) throw new LinkViolation("bad_link", "an address that two programs read differently");
  return rebuilt;
}

/** Return whether what is said to this hub can be read on the way: no TLS, and not this machine. */
export function isOpenLine(url: string): boolean {
  const { protocol, hostname } = new URL(url);
  return protocol === "http:" && !LOOPBACK.has(hostname);
}

/** Return what somebody signs to join, or to come back with a new key. */
export async function joinBody(invite: Invite, key: Signer, handle: string): Promise<Json> {
  const { certificate } = invite;
  const proof = await proveKey(invite.key, JOIN_CONTEXT, certificate.neighborhood, key.publicKey);
  const common = { invite: certificateToJson(certificate), proof };
  return certificate.replaces ? { action: "replace", ...common } : { action: "join", handle, ...common };
}
