/** Searching the copy in this browser: by words, category, place and time. Nothing about a search is sent. */

import type { Home } from "../hub/home";
import { distanceM } from "../protocol/places";
import type { Item } from "../rules/rows";
import { maySeeBody } from "../rules/state";
import { categoryName } from "../texts";
import type { Criteria } from "./desk";

export const NO_CRITERIA: Criteria = { text: "", category: null, near: null, from: null, to: null };

/** Return the posts and alerts that fit, newest first, up to a limit; `after` leaves out what stood in the order before. */
export function search(home: Home, criteria: Criteria, limit: number, after = 0): Item[] {
  const { state } = home.copy;
  const { me } = home;
  const words = folded(criteria.text).split(/\s+/).filter(Boolean);
  const found: Item[] = [];
  const keys = state.store.keys("feed");
  for (let place = keys.length - 1; place >= 0 && found.length < limit; place--) {
    const key = keys[place] ?? "";
    if (Number(key) <= after) break;
    const item = state.item(state.store.get("feed", key) as string);
    if (item?.known && maySeeBody(item, me) && fits(home, item, criteria, words)) found.push(item);
  }
  return found;
}

function fits(home: Home, item: Item, { category, near, from, to }: Criteria, words: string[]): boolean {
  if (category !== null && item.category !== category) return false;
  if (near && (!item.place || distanceM(item.place, near.place) > near.radius_m)) return false;
  if (from !== null && item.to < from) return false;
  if (to !== null && item.from > to) return false;
  if (!words.length) return true;
  const body = home.copy.record(item.id)?.body;
  if (body?.kind !== "post" && body?.kind !== "alert") return false;
  const author = home.copy.state.subject(item.subject)?.name ?? "";
  const text = folded(`${body.title}\n${body.text}\n${author}\n${categoryName(body.category)}`);
  return words.every((word) => text.includes(word));
}

/** Without accents and capitals. */
function folded(text: string): string {
  return text.normalize("NFKD").replace(/\p{Mn}/gu, "").toLowerCase();
}
