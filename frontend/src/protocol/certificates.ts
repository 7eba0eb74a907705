/** The certificate of an invite: the host signs that whoever has a certain key may join, once, until a day. */

import { fromHex, join, sha256, type Bytes } from "./bytes";
import { encode, type Json } from "./canonical";
import { Fields } from "./fields";
import { verify, type Signer } from "./keys";

const INVITE_CONTEXT = "ringwatch/invite/v1";
export const JOIN_CONTEXT = "ringwatch/join/v1";
export const ROTATE_CONTEXT = "ringwatch/rotate/v1";

export interface Certificate {
  neighborhood: string;
  invite: string; // the public half of the link's secret
  host: string;
  expires: number;
  replaces: { member: string; last: string } | null;
  sig: string;
}

export function parseCertificate(value: Json): Certificate {
  const fields = new Fields(value, "invite");
  const found: Certificate = {
    neighborhood: fields.digest("neighborhood"),
    invite: fields.key("invite"),
    host: fields.key("host"),
    expires: fields.time("expires"),
    replaces: fields.optional("replaces", (name) => {
      const inner = fields.inner(name);
      const replaced = { member: inner.digest("member"), last: inner.digest("last") };
      inner.end();
      return replaced;
    }),
    sig: fields.signature("sig"),
  };
  fields.end();
  return found;
}

export function certificateToJson(certificate: Certificate): Record<string, Json> {
  const { neighborhood, invite, host, expires, replaces, sig } = certificate;
  return { neighborhood, invite, host, expires, replaces: replaces && { ...replaces }, sig };
}

/** Return whether the host that it names has signed it. Whether that is the host is the rules' question. */
export function isGenuine(certificate: Certificate): Promise<boolean> {
  const { sig: _, ...signed } = certificateToJson(certificate);
  return verify(certificate.host, INVITE_CONTEXT, sha256(encode(signed)), certificate.sig);
}

/** Show that one holds a key, for another key and this neighborhood only. */
export function proveKey(key: Signer, context: string, neighborhood: string, other: string): Promise<string> {
  return key.sign(context, between(neighborhood, other));
}

export function keyIsProved(
  publicKey: string,
  context: string,
  neighborhood: string,
  other: string,
  proof: string,
): Promise<boolean> {
  return verify(publicKey, context, between(neighborhood, other), proof);
}

function between(neighborhood: string, other: string): Bytes {
  return sha256(join(fromHex(neighborhood), fromHex(other)));
}
