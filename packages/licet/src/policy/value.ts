/** A value in Cedar's JSON form, as cedar-wasm declares it. */
export type CedarJson = string | number | boolean | CedarJson[] | { [key: string]: CedarJson };

/** cedar-wasm overflows its stack on values nested deeper than about 100 and is then lost. */
export const valueDepthMax = 16;

/**
 * Copies what may enter a Cedar request, and throws on the rest: a fraction, a number beyond 2^53, `null` and
 * `undefined` would be rounded, refused late or dropped. The thrower's caller denies.
 */
export function cedarRecord(record: Readonly<Record<string, unknown>>): Record<string, CedarJson> {
  return object(record, 0);
}

function object(record: object, depth: number): Record<string, CedarJson> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, json(value, depth + 1)]));
}

function json(value: unknown, depth: number): CedarJson {
  if (depth > valueDepthMax) throw new TypeError(`a value nests deeper than ${valueDepthMax}`);
  if (typeof value === "string" || typeof value === "boolean") return value;
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  if (Array.isArray(value)) return value.map((each: unknown) => json(each, depth + 1));
  if (typeof value === "object" && value !== null) return object(value, depth);
  throw new TypeError("a value is none that Cedar has");
}
