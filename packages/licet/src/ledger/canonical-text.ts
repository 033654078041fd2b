import { canonicalize } from "@licet/evidence";

/** The bound of `canonicalize`. */
const depthMax = 200;
const shapesMax = 1024;

type Plain = Readonly<Record<string, unknown>>;

interface Shape {
  readonly keys: readonly string[];
  readonly sorted: readonly string[];
  /** Of each of the sorted keys the text before its value. */
  readonly heads: readonly string[];
  /** An object keeps these keys in the order in which they were set: numbers would come first. */
  readonly isKept: boolean;
}

/** Owned by `shapeOf`: objects of the same keys in the same order are written in the same order. */
const shapes = new Map<string, Shape>();
/** Owned by `constant`: texts of objects that can no longer change. */
const constants = new WeakMap<object, string>();

/**
 * The same text as `canonicalize` (RFC 8785) at a small part of its cost, for what stands in every entry: the engine's own
 * writer, given the members in order. Throws TypeError where `canonicalize` does. A property test holds the two together.
 */
export function canonicalText(value: unknown): string {
  try {
    return isPlain(value) ? recordText(value) : JSON.stringify(inOrder(value, 0));
  } catch (error) {
    if (error instanceof Unkept) return canonicalize(value);
    throw error;
  }
}

/** Freezes a value that stands in many entries, whole, and writes its canonical text once. */
export function constant<T extends object>(value: T): T {
  freezeWhole(value);
  constants.set(value, canonicalize(value));
  return value;
}

function freezeWhole(value: unknown): void {
  if (typeof value !== "object" || value === null) return;
  Object.freeze(value);
  for (const child of Object.values(value)) freezeWhole(child);
}

/** Most members of an entry's body are short texts, numbers and constants: those need no general writer. */
function recordText(record: Plain): string {
  const { sorted, heads, isKept } = shapeOf(Object.keys(record));
  if (!isKept) throw new Unkept();
  let text = "";
  for (let at = 0; at < sorted.length; at += 1) {
    const value = record[sorted[at] ?? ""];
    if (value !== undefined) text += `${text === "" ? "" : ","}${heads[at] ?? ""}${memberText(value)}`;
  }
  return `{${text}}`;
}

/** Nothing in such a text is escaped. */
const plainText = /^[ !#-[\]-~]*$/u;

function memberText(value: unknown): string {
  if (typeof value === "string" && value.length < 200 && plainText.test(value)) return `"${value}"`;
  if (value === null) return "null";
  const known = typeof value === "object" ? constants.get(value) : undefined;
  return known ?? JSON.stringify(inOrder(value, 1));
}

/** No object can hold its keys in the canonical order. */
class Unkept extends Error {}

/** The value itself where its members stand in order, or a copy in which they do. Throws for what JSON cannot say. */
function inOrder(value: unknown, depth: number): unknown {
  if (typeof value === "string" ? value.isWellFormed() : typeof value === "boolean" || value === null || (typeof value === "number" && Number.isFinite(value))) return value;
  if (depth >= depthMax || typeof value !== "object" || value === null) return refused(value, depth);
  if (Array.isArray(value)) return listInOrder(value, depth);
  return isPlain(value) ? recordInOrder(value, depth) : refused(value, depth);
}

/** What is not written here is refused in the words of the general writer; only what is nested too deep is not its fault. */
function refused(value: unknown, depth: number): unknown {
  if (depth > depthMax) throw new TypeError(`canonical json: nesting over ${depthMax}`);
  if (typeof value !== "object") return canonicalize(value);
  throw new Unkept();
}

function listInOrder(list: readonly unknown[], depth: number): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let at = 0; at < list.length; at += 1) {
    const item = inOrder(list[at], depth + 1);
    if (copy === undefined && item !== list[at]) copy = list.slice(0, at);
    copy?.push(item);
  }
  return copy ?? list;
}

/** First the order and then the members, so that none is looked through twice. */
function recordInOrder(record: Plain, depth: number): Plain {
  if (!standsInOrder(record)) return sortedCopy(record, depth);
  let copy: Record<string, unknown> | undefined;
  for (const key in record) {
    const value = record[key];
    const item = value === undefined ? undefined : inOrder(value, depth + 1);
    if (copy === undefined && item !== value) copy = { ...record };
    if (copy !== undefined) copy[key] = item;
  }
  return copy ?? record;
}

function standsInOrder(record: Plain): boolean {
  let before: string | undefined;
  for (const key in record) {
    if ((before !== undefined && key <= before) || !key.isWellFormed()) return false;
    before = key;
  }
  return true;
}

function sortedCopy(record: Plain, depth: number): Plain {
  const { sorted, isKept } = shapeOf(Object.keys(record));
  if (!isKept) throw new Unkept();
  const copy: Record<string, unknown> = {};
  for (const key of sorted) {
    const value = record[key];
    if (value !== undefined) copy[key] = inOrder(value, depth + 1);
  }
  return copy;
}

function isPlain(value: unknown): value is Plain {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function shapeOf(keys: readonly string[]): Shape {
  const name = `${keys.length} ${keys[0] ?? ""} ${keys.at(-1) ?? ""}`;
  const known = shapes.get(name);
  // The name only finds a candidate: another object may share it.
  if (known !== undefined && hasKeys(known, keys)) return known;
  const sorted = [...keys].sort();
  const made = { keys, sorted, heads: sorted.map((key) => `${JSON.stringify(key)}:`), isKept: sorted.every(isKeptInPlace) };
  if (shapes.size >= shapesMax) shapes.clear();
  shapes.set(name, made);
  return made;
}

function hasKeys(shape: Shape, keys: readonly string[]): boolean {
  if (shape.keys.length !== keys.length) return false;
  for (let at = 0; at < keys.length; at += 1) {
    if (keys[at] !== shape.keys[at]) return false;
  }
  return true;
}

/** Numbers come first in every object, one name is none, and `toJSON` is asked: none of them stands in what we record. */
function isKeptInPlace(key: string): boolean {
  return key.isWellFormed() && !/^\d+$/u.test(key) && key !== "__proto__" && key !== "toJSON";
}
