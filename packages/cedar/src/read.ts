import { CedarError, type CedarErrorCode } from "./errors.ts";
import { isDeclarableName } from "./schema-names.ts";

/** Reads hostile JSON: the code of its refusals, and where the reader stands. */
export interface Place {
  readonly code: CedarErrorCode;
  readonly at: string;
}

export function refuse(place: Place, message: string): never {
  throw new CedarError(place.code, place.at, message);
}

export function below(place: Place, step: string): Place {
  return { code: place.code, at: joinPath(place.at, step) };
}

export function joinPath(at: string, step: string): string {
  return at === "" || step.startsWith("[") ? `${at}${step}` : `${at}.${step}`;
}

/** The same refusal, told from one level further out. */
export function relocated(error: unknown, step: string): unknown {
  if (!(error instanceof CedarError)) return error;
  const message = error.at === "" ? error.message : error.message.slice(error.at.length + 2);
  return new CedarError(error.code, error.at === "" ? step : joinPath(step, error.at), message);
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(json: unknown): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

export function readObject(json: unknown, place: Place): JsonObject {
  return isObject(json) ? json : refuse(place, "expected an object");
}

export function readArray(json: unknown, place: Place): readonly unknown[] {
  return Array.isArray(json) ? json : refuse(place, "expected an array");
}

/** Cedar's strings are Unicode texts: half of a surrogate pair is none. */
export function readText(json: unknown, place: Place): string {
  if (typeof json !== "string") return refuse(place, "expected a string");
  return json.isWellFormed() ? json : refuse(place, "the string holds half of a surrogate pair");
}

/** A property of the object's own, so that nothing comes from a prototype. */
export function own(json: JsonObject, name: string): unknown {
  return Object.hasOwn(json, name) ? json[name] : undefined;
}

/** Refuses properties beyond the named ones. */
export function onlyKeys(json: JsonObject, names: readonly string[], place: Place): void {
  for (const name of Object.keys(json)) {
    if (!names.includes(name)) refuse(place, `unknown property \`${name}\`, expected ${names.map((known) => `\`${known}\``).join(", ")}`);
  }
}

const knownTypeNamesMax = 4_096;
const knownTypeNameLengthMax = 200;
const knownTypeNames = new Set<string>();

/** Whether a text names an entity type. Names repeat, so the first few thousand good ones of usual length are remembered. */
export function isTypeName(text: string): boolean {
  if (knownTypeNames.has(text)) return true;
  if (!isDeclarableName(text)) return false;
  if (knownTypeNames.size < knownTypeNamesMax && text.length <= knownTypeNameLengthMax) knownTypeNames.add(text);
  return true;
}
