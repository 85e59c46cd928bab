// JSON that survives terminals, logs and line-based tools.

type Json = string | number | boolean | null | undefined | readonly Json[] | JsonObject;
export interface JsonObject {
  readonly [key: string]: Json;
}

// What JSON allows unescaped but a terminal or an editor acts upon: DEL, C1, bidirectional controls, line separators, BOM.
const UNSAFE = /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** One line of valid JSON; all control characters are escaped. Keys whose value is undefined are left out. */
export function jsonText(value: JsonObject): string {
  // Outside strings JSON is ASCII, so that escaping in the finished text only meets the inside of strings.
  return JSON.stringify(value).replace(UNSAFE, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Readers of JSON lose digits beyond 2^53: larger integers are written as strings. */
export function integerJson(value: bigint): number | string {
  const isExact = value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
  return isExact ? Number(value) : String(value);
}
