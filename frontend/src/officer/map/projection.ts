/**
 * From degrees to the picture and back: an equirectangular projection around the middle of the neighborhood.
 *
 * True to scale at that latitude; over the 20 km that a neighborhood and a town have, nobody sees what it leaves out.
 */

import type { Place } from "../../protocol/places";

const M_PER_E6 = 0.11132; // a microdegree of latitude
const STEPS_E6 = [500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000];
const BARS_M = [20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000];
const MIN_M_PER_PX = 0.3;
const MAX_M_PER_PX = 120;

export interface Point {
  x: number;
  y: number;
}

/** What part of the world is in the picture. */
export interface View {
  x: number; // metres east of the origin, at the picture's middle
  y: number; // metres south of it
  scale: number; // metres a pixel
}

export class Projection {
  private readonly east: number;

  constructor(readonly origin: Place) {
    this.east = M_PER_E6 * Math.cos((origin.lat_e6 / 1e6) * (Math.PI / 180));
  }

  toMetres(place: Place): Point {
    return { x: (place.lon_e6 - this.origin.lon_e6) * this.east, y: (this.origin.lat_e6 - place.lat_e6) * M_PER_E6 };
  }

  toPlace({ x, y }: Point): Place {
    return {
      lat_e6: Math.round(this.origin.lat_e6 - y / M_PER_E6),
      lon_e6: Math.round(this.origin.lon_e6 + x / this.east),
    };
  }
}

export function clampScale(scale: number): number {
  return Math.min(MAX_M_PER_PX, Math.max(MIN_M_PER_PX, scale));
}

/** Return the view that shows all points, with some room around. */
export function viewOf(points: Point[], width: number, height: number): View {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = 1.15 * Math.max((right - left) / width, (bottom - top) / height);
  return { x: (left + right) / 2, y: (top + bottom) / 2, scale: clampScale(scale) };
}

/** Return the distance between two lines of the graticule, so that they are some 100 pixels apart. */
export function graticuleStep(scale: number): number {
  return STEPS_E6.find((step) => (step * M_PER_E6) / scale >= 90) ?? 500_000;
}

/** Return how long the scale's bar is, in metres. */
export function barLength(scale: number): number {
  return [...BARS_M].reverse().find((length) => length / scale <= 140) ?? 20;
}

export function degrees(e6: number, step: number): string {
  return `${(e6 / 1e6).toFixed(step >= 10_000 ? 2 : step >= 1_000 ? 3 : 4)}°`;
}

/** Read corners that were typed: a latitude and a longitude a line. Null if a line is neither. */
export function readCorners(text: string): Place[] | null {
  const found: Place[] = [];
  for (const line of text.split("\n").map((one) => one.trim()).filter(Boolean)) {
    const match = /^(-?\d{1,2}(?:\.\d{1,8})?)°?\s*[,; ]\s*(-?\d{1,3}(?:\.\d{1,8})?)°?$/.exec(line);
    if (!match) return null;
    const [lat, lon] = [Number(match[1]), Number(match[2])];
    if (Math.abs(lat) > 90 || Math.abs(lon) > 180) return null;
    found.push({ lat_e6: Math.round(lat * 1e6), lon_e6: Math.round(lon * 1e6) });
  }
  return found;
}

export function writeCorners(corners: readonly Place[]): string {
  return corners.map(({ lat_e6, lon_e6 }) => `${(lat_e6 / 1e6).toFixed(6)}, ${(lon_e6 / 1e6).toFixed(6)}`).join("\n");
}
