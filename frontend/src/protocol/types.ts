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
] as const;
export type Type = (typeof TYPES)[number];

/** What loses its body when the post that it is, or is about, ends. */
export const ERASABLE: ReadonlySet<Type> = new Set<Type>(["post", "alert", "comment", "thanks", "flag", "appeal"]);
