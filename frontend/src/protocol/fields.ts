/** Reading what others wrote: an object's fields, each asked for by name and kind, and not one more. */

import type { Json } from "./canonical";
import { isDigest, isPublicKey, isSalt, isSignature } from "./keys";
import { checkSnapped, type Place } from "./places";
import { checkHandle, checkText } from "./text";
import { RecordViolation } from "./violations";

export const MAX_TIME_S = 4_102_444_800; // the year 2100

export class Fields {
  private readonly left: Map<string, Json>;

  constructor(
    value: Json,
    private readonly what: string,
  ) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new RecordViolation("bad_field", `${what} is not an object`);
    }
    this.left = new Map(Object.entries(value));
  }

  take(name: string): Json {
    const value = this.left.get(name);
    if (value === undefined) throw this.wrong(name, "missing");
    this.left.delete(name);
    return value;
  }

  /** Return a field's value and leave it there. */
  peek(name: string): Json | undefined {
    return this.left.get(name);
  }

  has(name: string): boolean {
    return this.left.has(name);
  }

  /** Refuse fields that nobody asked for. */
  end(): void {
    if (this.left.size) throw new RecordViolation("bad_field", `${this.what} has fields that nobody knows`);
  }

  text(name: string, limit: number, form: { lines?: boolean; empty?: boolean } = {}): string {
    return checkText(this.string(name), limit, form);
  }

  handle(name: string): string {
    return checkHandle(this.string(name));
  }

  string(name: string): string {
    const value = this.take(name);
    if (typeof value !== "string") throw this.wrong(name, "not a text");
    return value;
  }

  integer(name: string, low: number, high = Number.MAX_SAFE_INTEGER): number {
    const value = this.take(name);
    if (!Number.isSafeInteger(value) || (value as number) < low || (value as number) > high) {
      throw this.wrong(name, `not a whole number from ${low} to ${high}`);
    }
    return value as number;
  }

  boolean(name: string): boolean {
    const value = this.take(name);
    if (typeof value !== "boolean") throw this.wrong(name, "neither true nor false");
    return value;
  }

  time(name: string): number {
    return this.integer(name, 0, MAX_TIME_S);
  }

  choice<T extends string>(name: string, words: readonly T[]): T {
    const value = this.string(name);
    const found = words.find((word) => word === value);
    if (found === undefined) throw this.wrong(name, `not one of ${words.join(", ")}`);
    return found;
  }

  digest(name: string): string {
    return this.checked(name, isDigest, "a digest");
  }

  key(name: string): string {
    return this.checked(name, isPublicKey, "a public key");
  }

  signature(name: string): string {
    return this.checked(name, isSignature, "a signature");
  }

  salt(name: string): string {
    return this.checked(name, isSalt, "a salt");
  }

  optional<T>(name: string, read: (name: string) => T): T | null {
    if (this.left.get(name) === null) {
      this.left.delete(name);
      return null;
    }
    return read(name);
  }

  items(name: string, low: number, high: number): Json[] {
    const value = this.take(name);
    if (!Array.isArray(value) || value.length < low || value.length > high) {
      throw this.wrong(name, `not an array of ${low} to ${high}`);
    }
    return value;
  }

  inner(name: string): Fields {
    return new Fields(this.take(name), `${this.what}.${name}`);
  }

  place(name: string): Place {
    return checkSnapped(point(this.inner(name)));
  }

  private checked(name: string, fits: (value: unknown) => boolean, right: string): string {
    const value = this.string(name);
    if (!fits(value)) throw this.wrong(name, `not ${right}`);
    return value;
  }

  private wrong(name: string, about: string): RecordViolation {
    return new RecordViolation("bad_field", `${this.what}.${name}: ${about}`);
  }
}

/** Return any point on the map, on the grid or not. */
export function point(fields: Fields): Place {
  const found = {
    lat_e6: fields.integer("lat_e6", -90_000_000, 90_000_000),
    lon_e6: fields.integer("lon_e6", -180_000_000, 180_000_000),
  };
  fields.end();
  return found;
}
