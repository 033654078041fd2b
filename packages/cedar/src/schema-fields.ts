import { CedarError } from "./errors.ts";
import { isAnnotationKey } from "./schema-names.ts";

/** The own fields of a JSON object by name; one that holds undefined is not there, as in JSON. */
export type Fields = ReadonlyMap<string, unknown>;

export function refuse(at: string, message: string): CedarError {
  return new CedarError("schema_invalid", at, message);
}

export function readFields(json: unknown, at: string): Fields {
  if (typeof json !== "object" || json === null || Array.isArray(json)) throw refuse(at, "this must be an object");
  const entries: readonly [string, unknown][] = Object.entries(json);
  return new Map(entries.filter(([, value]) => value !== undefined));
}

/** An object that holds nothing but these fields. */
export function readExactly(json: unknown, at: string, names: readonly string[]): Fields {
  const fields = readFields(json, at);
  only(fields, at, names);
  return fields;
}

export function only(fields: Fields, at: string, names: readonly string[]): void {
  for (const name of fields.keys()) {
    if (!names.includes(name)) throw refuse(at, `\`${name}\` is not a field here; the fields are ${names.map((each) => `\`${each}\``).join(", ")}`);
  }
}

export function without(fields: Fields, names: readonly string[]): Fields {
  return new Map([...fields].filter(([name]) => !names.includes(name)));
}

export function readText(json: unknown, at: string): string {
  if (typeof json !== "string") throw refuse(at, "this must be a string");
  if (!json.isWellFormed()) throw refuse(at, "the string holds half of a surrogate pair");
  return json;
}

export function readList<T>(json: unknown, at: string, read: (item: unknown, at: string) => T): readonly T[] {
  if (!Array.isArray(json)) throw refuse(at, "this must be a list");
  return json.map((item: unknown, index) => read(item, `${at}[${index}]`));
}

export function readEntries<T>(json: unknown, at: string, read: (value: unknown, at: string, name: string) => T): ReadonlyMap<string, T> {
  const entries = [...readFields(json, at)];
  return new Map(entries.map(([name, value]): [string, T] => [readText(name, at), read(value, `${at}.${name}`, name)]));
}

/** How many there are; nothing of them is kept. */
export function readAnnotations(fields: Fields, at: string): number {
  if (!fields.has("annotations")) return 0;
  const annotations = readFields(fields.get("annotations"), `${at}.annotations`);
  for (const [key, value] of annotations) {
    if (!isAnnotationKey(key)) throw refuse(`${at}.annotations`, `\`${key}\` cannot name an annotation`);
    if (value !== null) readText(value, `${at}.annotations.${key}`);
  }
  return annotations.size;
}
