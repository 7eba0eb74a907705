/** A hub's link: what an agency and its officers need to find a neighborhood's hub. Nothing in it is secret. */

import { fromBase64Url, toBase64Url } from "./bytes";
import { encode, parse } from "./canonical";
import { Fields } from "./fields";
import { checkHubUrl } from "./invites";
import type { Hub } from "./calls";
import { LinkViolation, RecordViolation } from "./violations";

const MAX_LINK = 1_024;
const PATH = "/hub";

/** Read a hub's link. Throw LinkViolation. */
export function parseHubLink(text: string): Hub {
  const link = text.trim();
  const place = link.indexOf("#1.");
  const address = link.slice(0, Math.max(place, 0));
  const packed = fromBase64Url(link.slice(place + 3));
  if (link.length > MAX_LINK || !address.endsWith(PATH) || !packed) {
    throw new LinkViolation("bad_hub_link", "not a hub's link, or a part of it is missing");
  }
  try {
    const fields = new Fields(parse(packed, MAX_LINK), "link");
    const found: Hub = { url: hubUrl(address.slice(0, -PATH.length)), hubKey: fields.key("h"), neighborhood: fields.digest("n") };
    fields.end();
    return found;
  } catch (error) {
    if (error instanceof RecordViolation) throw new LinkViolation("bad_hub_link", error.message);
    throw error;
  }
}

export function hubLink({ url, hubKey, neighborhood }: Hub): string {
  return `${url}${PATH}#1.${toBase64Url(encode({ h: hubKey, n: neighborhood }))}`;
}

function hubUrl(text: string): string {
  try {
    return checkHubUrl(text);
  } catch (error) {
    if (error instanceof LinkViolation) throw new LinkViolation("bad_hub_link", error.about);
    throw error;
  }
}
