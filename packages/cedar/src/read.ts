import { CedarError, type CedarErrorCode } from "./errors.ts";
import { isAnnotationKey, isDeclarableName } from "./schema-names.ts";

/**
 * Reads hostile JSON: the code of its refusals, where the reader stands, and how many expressions are around it.
 * Every part of a policy has a place and hardly any is refused, so the path is put together when it is told.
 */
export interface Place {
  readonly code: CedarErrorCode;
  readonly above: Place | undefined;
  readonly step: string;
  readonly depth: number;
}

export function rootPlace(code: CedarErrorCode): Place {
  return { code, above: undefined, step: "", depth: 0 };
}

export function refuse(place: Place, message: string): never {
  throw new CedarError(place.code, pathOf(place), message);
}

export function below(place: Place, step: string): Place {
  return { code: place.code, above: place, step, depth: place.depth };
}

/** The place of an expression that stands in another one. */
export function inner(place: Place, step: string): Place {
  return { code: place.code, above: place, step, depth: place.depth + 1 };
}

function pathOf(place: Place): string {
  const steps: string[] = [];
  for (let each: Place | undefined = place; each !== undefined; each = each.above) steps.push(each.step);
  return steps.reduceRight(joinPath);
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

const knownNamesMax = 4_096;
const knownNameLengthMax = 200;

/** Names repeat, so the first few thousand good ones of usual length are remembered. */
function remembering(isName: (text: string) => boolean): (text: string) => boolean {
  const known = new Set<string>();
  return (text) => {
    if (known.has(text)) return true;
    if (!isName(text)) return false;
    if (known.size < knownNamesMax && text.length <= knownNameLengthMax) known.add(text);
    return true;
  };
}

/** Whether a text names an entity type. */
export const isTypeName = remembering(isDeclarableName);

/** Whether a text can be the key of an annotation. */
export const isAnnotationName = remembering(isAnnotationKey);
