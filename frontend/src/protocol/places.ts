/** Places, blurred: the middle of a cell of about 200 m by 200 m. As `neighborhood/places.py`; whole numbers only. */

import { at } from "./bytes";
import { RecordViolation } from "./violations";

export const STEP_E6 = 1_800; // 200.4 m
const MAX_LAT_E6 = 89_000_000;
const HALF_TURN_E6 = 180_000_000;
export const M_PER_100K_E6 = 11_132n; // a microdegree of latitude is 0.11132 m
export const WIDTHS_E6 = Array.from({ length: 90 }, (_, degree) =>
  Math.round(STEP_E6 / Math.cos(((degree + 0.5) * Math.PI) / 180)),
);

/** A point on the globe, in microdegrees. */
export interface Place {
  lat_e6: number;
  lon_e6: number;
}

export function snap(place: Place): Place {
  const lat = Math.floor(place.lat_e6 / STEP_E6) * STEP_E6 + STEP_E6 / 2;
  if (Math.abs(lat) > MAX_LAT_E6 || Math.abs(place.lon_e6) > HALF_TURN_E6) {
    throw new RecordViolation("bad_field", "latitude up to 89 degrees, longitude up to 180");
  }
  const width = widthAt(lat);
  let lon = Math.floor(place.lon_e6 / width) * width + Math.floor(width / 2);
  if (lon >= HALF_TURN_E6) lon -= width; // the cells at the date line are cut off: their neighbor's middle stands for them
  return { lat_e6: lat, lon_e6: lon >= -HALF_TURN_E6 ? lon : lon + width };
}

/** Return the place as it is. Throw RecordViolation. */
export function checkSnapped(place: Place): Place {
  const snapped = snap(place);
  if (snapped.lat_e6 !== place.lat_e6 || snapped.lon_e6 !== place.lon_e6) {
    throw new RecordViolation("not_snapped", "a place is the middle of a cell of the grid");
  }
  return place;
}

/** Return how far apart two places are, in whole metres. */
export function distanceM(a: Place, b: Place): number {
  const north = (BigInt(Math.abs(a.lat_e6 - b.lat_e6)) * M_PER_100K_E6) / 100_000n;
  const east = eastM(a, b);
  return Number(squareRoot(north * north + east * east));
}

function eastM(a: Place, b: Place): bigint {
  let around = Math.abs(a.lon_e6 - b.lon_e6);
  around = Math.min(around, 2 * HALF_TURN_E6 - around);
  const width = BigInt(widthAt(Math.floor((a.lat_e6 + b.lat_e6) / 2)));
  return (BigInt(around) * M_PER_100K_E6 * BigInt(STEP_E6)) / (100_000n * width);
}

/** One of eight directions from one place to another; null if they are in one cell. */
export function direction(from: Place, to: Place): number | null {
  const north = ((to.lat_e6 - from.lat_e6) * Number(M_PER_100K_E6)) / 100_000;
  const eastward = (to.lon_e6 - from.lon_e6 + 3 * HALF_TURN_E6) % (2 * HALF_TURN_E6) >= HALF_TURN_E6;
  const east = Number(eastM(from, to)) * (eastward ? 1 : -1);
  if (north === 0 && east === 0) return null;
  return (Math.round(Math.atan2(east, north) / (Math.PI / 4)) + 8) % 8;
}

function squareRoot(square: bigint): bigint {
  let root = BigInt(Math.floor(Math.sqrt(Number(square))));
  while (root * root > square) root--;
  while ((root + 1n) * (root + 1n) <= square) root++;
  return root;
}

/** Return how wide a cell is at a latitude. */
export function widthAt(latE6: number): number {
  return at(WIDTHS_E6, Math.floor(Math.abs(latE6) / 1_000_000));
}
