/** The types of records that there are. */

export const TYPES = [
  "founding",
  "member",
  "role",
  "post",
  "comment",
  "thanks",
  "flag",
  "moderation",
  "appeal",
  "withdraw",
  "alert",
  "agency",
  "officer",
  "legal_demand",
  "request_details",
  "footage_request",
  "extension",
  "reminder",
  "close",
  "availability",
  "partnership",
  "partnership_count",
] as const;
export type Type = (typeof TYPES)[number];

/** What may be without its body: what it is, or is about, has ended; or a hub keeps it back until a moderator has looked. */
export const ERASABLE: ReadonlySet<Type> = new Set<Type>([
  "post",
  "alert",
  "comment",
  "thanks",
  "flag",
  "appeal",
  "request_details",
  "footage_request",
]);
