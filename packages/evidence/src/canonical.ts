import { parsed, refused, type Parsed } from "./parsed.ts";
import { digestOfBytes, type Digest } from "./sha256.ts";
import { parseJson } from "./json.ts";

/** Deeper input is refused, so that hostile nesting cannot exhaust the stack. */
const depthMax = 200;

/**
 * Canonical JSON (RFC 8785): keys in UTF-16 order, no spaces, ECMAScript numbers.
 * A member whose value is `undefined` is left out, as in `JSON.stringify`.
 * Throws a TypeError for what JSON cannot say: NaN, infinities, lone surrogates, functions, bigints,
 * class instances, `undefined` in an array, nesting over 200.
 */
export function canonicalize(value: unknown): string {
  return write(value, 0);
}

/** `sha256:<hex>` of the canonical JSON of a value. */
export function digestOf(value: unknown): Digest {
  return digestOfBytes(canonicalize(value));
}

function write(value: unknown, depth: number): string {
  if (depth > depthMax) throw new TypeError(`canonical json: nesting over ${depthMax}`);
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "string") return quote(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${Array.from(value, (item: unknown) => write(item, depth + 1)).join(",")}]`;
  if (isRecord(value)) return writeRecord(value, depth);
  throw new TypeError(`canonical json: cannot write a ${typeof value}`);
}

function writeRecord(record: Readonly<Record<string, unknown>>, depth: number): string {
  const members: string[] = [];
  for (const key of Object.keys(record).sort()) {
    const value = record[key];
    if (value !== undefined) members.push(`${quote(key)}:${write(value, depth + 1)}`);
  }
  return `{${members.join(",")}}`;
}

function quote(text: string): string {
  if (!text.isWellFormed()) throw new TypeError("canonical json: lone surrogate in a string");
  return JSON.stringify(text);
}

/** True for objects as `JSON.parse` makes them. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/**
 * Parses JSON that must be in canonical form byte for byte.
 * That also rules out duplicate keys and every second spelling of a number or string.
 */
export function parseCanonical(text: string): Parsed<unknown> {
  try {
    const value: unknown = parseJson(text);
    return canonicalize(value) === text ? parsed(value) : refused("json_not_canonical", "the json is not in canonical form (RFC 8785)");
  } catch {
    return refused("json_invalid", "the text is not json");
  }
}
