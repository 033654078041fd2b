import { parseJson } from "@licet/evidence";
import type { JsonObject, JsonValue } from "../../ledger/entry.ts";
import { LicetError } from "../../base/errors.ts";
import type { SseEvent } from "../sse.ts";

/** A value that came out of `JSON.parse` and is an object; undefined for everything else. */
export function wireObject(value: unknown): JsonObject | undefined {
  return isObject(value) ? value : undefined;
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isList(value: unknown): value is readonly JsonValue[] {
  return Array.isArray(value);
}

/** What a schema has read of JSON is JSON, though its type says less. */
export function asRead(value: object): JsonObject {
  return wireObject(value) ?? {};
}

export function objectAt(value: JsonObject, key: string): JsonObject | undefined {
  return wireObject(value[key]);
}

/** Empty for anything that is not a list. */
export function listAt(value: JsonObject, key: string): readonly JsonValue[] {
  const list = value[key];
  return isList(list) ? list : [];
}

export function textAt(value: JsonObject, key: string): string | undefined {
  const text = value[key];
  return typeof text === "string" ? text : undefined;
}

/** A count of things; undefined for what is none. */
export function countAt(value: JsonObject | undefined, key: string): number | undefined {
  const count = value?.[key];
  return typeof count === "number" && Number.isSafeInteger(count) && count >= 0 ? count : undefined;
}

export function upstreamInvalid(message: string): LicetError {
  return new LicetError("upstream_invalid", { message });
}

/**
 * One event of a stream whose events are named twice, beside the data and in it. Clients differ in which of the two
 * they believe, so both must say the same.
 */
export function namedEvent({ event, data }: SseEvent): { readonly type: string; readonly value: JsonObject } {
  const value = wireObject(parseJson(data));
  const type = value === undefined ? undefined : textAt(value, "type");
  if (value === undefined || type === undefined || (event !== "" && event !== type)) {
    throw upstreamInvalid("an event of the stream does not say what it is");
  }
  return { type, value };
}
