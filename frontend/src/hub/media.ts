/** Clips and pictures: downloaded, and shown only once their size and SHA-256 are those that the author signed. */

import { sha256 } from "@noble/hashes/sha2.js";
import { toHex } from "../protocol/bytes";
import type { Media } from "../protocol/bodies";
import { HubViolation } from "../protocol/violations";
import { chunks, type HubClient } from "./client";

/** Download a medium. Throw CallError, or HubViolation if it is not what the author signed. */
export async function download(
  client: HubClient,
  media: Media,
  progress: (share: number) => void,
  signal: AbortSignal,
): Promise<Blob> {
  const response = await client.call("GET", `/blobs/${media.sha256}`, { waits: 600, signal });
  const hash = sha256.create();
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for await (const part of chunks(response)) {
    size += part.length;
    if (size > media.size) throw altered();
    hash.update(part);
    parts.push(part);
    progress(size / media.size);
  }
  if (size !== media.size || toHex(hash.digest()) !== media.sha256) throw altered();
  return new Blob(parts, { type: media.type });
}

function altered(): HubViolation {
  return new HubViolation("media_altered", "a clip or picture is not the one that its author signed");
}
