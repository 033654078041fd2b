import type { CedarValueJson, ContextJson } from "@licet/cedar";

/** cedar-wasm overflows its stack on values nested deeper than about 100 and is then lost. */
export const valueDepthMax = 16;

/**
 * What may enter a Cedar request; throws on the rest: a fraction, a number beyond 2^53, `null` and `undefined` would be
 * rounded, refused late or dropped. The thrower's caller denies. Nothing is copied: this stands before every decision.
 */
export function cedarRecord(record: Readonly<Record<string, unknown>>): ContextJson {
  if (isRecordOfValues(record, 0)) return record;
  throw new TypeError("a value is none that Cedar has");
}

function isRecordOfValues(record: object, depth: number): record is ContextJson {
  if (depth > valueDepthMax) throw new TypeError(`a value nests deeper than ${valueDepthMax}`);
  for (const value of Object.values(record)) if (!isValue(value, depth + 1)) return false;
  return true;
}

function isValue(value: unknown, depth: number): value is CedarValueJson {
  if (typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return false;
  return isRecordOfValues(value, depth);
}
