/** Polygons on a map, in whole numbers: the same answers as `neighborhood/geometry.py`. */

import { M_PER_100K_E6, STEP_E6, widthAt, type Place } from "./places";

export type Polygon = readonly Place[];
type Point = readonly [bigint, bigint]; // east, north
type Edge = readonly [Point, Point];

const STEP = BigInt(STEP_E6);

/** Return how large a polygon is, in square metres. */
export function areaM2(polygon: Polygon): number {
  let doubled = 0n;
  for (const [a, b] of pairs(polygon.map(xy))) doubled += a[0] * b[1] - b[0] * a[1];
  if (doubled < 0n) doubled = -doubled;
  const lats = polygon.map(({ lat_e6 }) => lat_e6);
  const width = BigInt(widthAt(Math.floor((Math.min(...lats) + Math.max(...lats)) / 2)));
  return Number((doubled * M_PER_100K_E6 * M_PER_100K_E6 * STEP) / (2n * 100_000n * 100_000n * width));
}

/** Return whether its edges meet at its corners only, and it has an inside. */
export function isSimple(polygon: Polygon): boolean {
  if (polygon.length < 3) return false;
  const edges = pairs(polygon.map(xy));
  return edges.every(([a, b], at) => {
    const c = edges[(at + 1) % edges.length]?.[1] ?? a;
    const back = (a[0] - b[0]) * (c[0] - b[0]) + (a[1] - b[1]) * (c[1] - b[1]) > 0n;
    if (same(a, b) || (back && turn(a, b, c) === 0)) return false; // the next edge goes back over this one
    const others = edges.slice(at + 2, at === 0 ? -1 : undefined);
    return !others.some(([p, q]) => touch(a, b, p, q));
  });
}

/** Return whether a place is inside a polygon or on its edge. */
export function contains(polygon: Polygon, place: Place): boolean {
  return covers(polygon.map(xy), xy(place));
}

/** Return whether a simple polygon lies in another one with all of its area. Edges may touch. */
export function within(inner: Polygon, outer: Polygon): boolean {
  const walls = outer.map(xy);
  if (!inner.every((corner) => covers(walls, xy(corner)))) return false;
  // Without a crossing an edge can leave and come back at a corner of the other polygon only
  const doubled = walls.map(([x, y]): Point => [2n * x, 2n * y]);
  const sides = pairs(walls);
  return pairs(inner.map(xy)).every(([a, b]) => {
    if (sides.some(([p, q]) => cross(a, b, p, q))) return false;
    const cuts = [a, b, ...walls.filter((corner) => isBetween(corner, a, b))].sort(inOrder);
    return cuts.slice(1).every((q, at) => {
      const p = cuts[at] ?? q;
      return same(p, q) || covers(doubled, [p[0] + q[0], p[1] + q[1]]);
    });
  });
}

/** Return whether a polygon and a circle have a place in common. */
export function touchesCircle(polygon: Polygon, center: Place, radiusM: number): boolean {
  if (contains(polygon, center)) return true;
  const width = BigInt(widthAt(center.lat_e6));
  const points = polygon.map((corner): Point => [
    floorDiv(BigInt(corner.lon_e6 - center.lon_e6) * M_PER_100K_E6 * STEP, width),
    BigInt(corner.lat_e6 - center.lat_e6) * M_PER_100K_E6,
  ]);
  return pairs(points).some(([a, b]) => isNear(a, b, BigInt(radiusM) * 100_000n));
}

/** Whether the segment from a to b comes so near to 0, 0. */
function isNear(a: Point, b: Point, radius: bigint): boolean {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const along = -(a[0] * dx + a[1] * dy);
  const length = dx * dx + dy * dy;
  if (along <= 0n) return a[0] * a[0] + a[1] * a[1] <= radius * radius;
  if (along >= length) return b[0] * b[0] + b[1] * b[1] <= radius * radius;
  const across = a[0] * b[1] - a[1] * b[0];
  return across * across <= radius * radius * length;
}

function floorDiv(a: bigint, b: bigint): bigint {
  return a / b - (a % b < 0n ? 1n : 0n);
}

function pairs(points: readonly Point[]): Edge[] {
  return points.map((point, at): Edge => [point, points[(at + 1) % points.length] ?? point]);
}

function xy({ lat_e6, lon_e6 }: Place): Point {
  return [BigInt(lon_e6), BigInt(lat_e6)];
}

function same(a: Point, b: Point): boolean {
  return a[0] === b[0] && a[1] === b[1];
}

function inOrder(a: Point, b: Point): number {
  if (a[0] !== b[0]) return a[0] < b[0] ? -1 : 1;
  return a[1] === b[1] ? 0 : a[1] < b[1] ? -1 : 1;
}

/** 1 if going from a over b to c turns left, -1 if it turns right, 0 if all are on a line. */
function turn(a: Point, b: Point, c: Point): number {
  const found = (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0]);
  return found > 0n ? 1 : found < 0n ? -1 : 0;
}

function isBetween(point: Point, a: Point, b: Point): boolean {
  const inside = (at: 0 | 1): boolean =>
    (a[at] <= point[at] && point[at] <= b[at]) || (b[at] <= point[at] && point[at] <= a[at]);
  return turn(a, b, point) === 0 && inside(0) && inside(1);
}

/** Whether two segments cross, each passing through the other's inside. */
function cross(a: Point, b: Point, c: Point, d: Point): boolean {
  return turn(a, b, c) * turn(a, b, d) < 0 && turn(c, d, a) * turn(c, d, b) < 0;
}

function touch(a: Point, b: Point, c: Point, d: Point): boolean {
  return cross(a, b, c, d) || isBetween(a, c, d) || isBetween(b, c, d) || isBetween(c, a, b) || isBetween(d, a, b);
}

function covers(polygon: readonly Point[], point: Point): boolean {
  let inside = false;
  for (const [a, b] of pairs(polygon)) {
    if (isBetween(point, a, b)) return true;
    if (a[1] > point[1] !== b[1] > point[1]) {
      const [low, high] = a[1] < b[1] ? [a, b] : [b, a];
      if (turn(low, high, point) > 0) inside = !inside; // the edge is to the right of the point
    }
  }
  return inside;
}
