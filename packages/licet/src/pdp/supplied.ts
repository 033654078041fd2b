import type { SuppliedValue } from "@licet/contract";

/** Deepest value that a caller may give; what policies look at is flat. */
export const suppliedDepthMax = 8;

export type Supplied = { readonly attrs: Readonly<Record<string, unknown>> } | { readonly invalid: string };

type Sources = Readonly<Record<string, SuppliedValue>>;

interface Reading {
  readonly sources: Sources;
  /** The caller's object that paths begin at. */
  readonly object: object;
  /** Where a value stands that names no place: in `properties`, or at the top. */
  readonly under: "properties." | "";
  readonly namespace: string;
}

/** What a caller gives of the attributes that the pack lets a caller give, in Cedar's JSON form. `null` is nothing: Cedar has none. */
export function suppliedValues({ sources, object, under, namespace }: Reading): Supplied {
  const attrs: Record<string, unknown> = {};
  for (const [attribute, source] of Object.entries(sources)) {
    const value = valueOf(object, [source.from ?? `${under}${attribute}`].flat());
    if (value === undefined || value === null) continue;
    const read = readAs(value, source, namespace);
    if (read === undefined) return { invalid: attribute };
    attrs[attribute] = read;
  }
  return { attrs };
}

function valueOf(object: object, paths: readonly string[]): unknown {
  for (const path of paths) {
    const found = path.split(".").reduce<unknown>(member, object);
    if (found !== undefined) return found;
  }
  return undefined;
}

function member(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  const found: unknown = Reflect.get(value, name);
  return found;
}

function readAs(value: unknown, { as, entity }: SuppliedValue, namespace: string): unknown {
  if (entity !== undefined) return typeof value === "string" ? { __entity: { type: `${namespace}::${entity}`, id: value } } : undefined;
  if (as === undefined) return cedarValue(value, 0);
  if (typeof value !== "string") return undefined;
  const text = as === "datetime" ? datetimeText(value) : value;
  return text === undefined ? undefined : { __extn: { fn: as, arg: text } };
}

/** RFC 3339, and without seconds as AuthZEN's examples have it. */
function datetimeText(text: string): string | undefined {
  const time = /^\d{4}-\d\d-\d\d(?:T|$)/u.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : new Date(time).toISOString();
}

/** A copy in Cedar's JSON form; undefined where Cedar has no such value. Marks of entities and extensions are the server's to write. */
function cedarValue(value: unknown, depth: number): unknown {
  if (depth > suppliedDepthMax) return undefined;
  if (typeof value === "string") return value.isWellFormed() ? value : undefined;
  if (typeof value === "boolean") return value;
  if (typeof value === "number") return Number.isSafeInteger(value) ? value : undefined;
  if (Array.isArray(value)) return allOrNothing(value.map((each: unknown) => cedarValue(each, depth + 1)));
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value).filter(([, each]) => each !== null);
  if (entries.some(([key]) => key.startsWith("__"))) return undefined;
  const values = allOrNothing(entries.map(([, each]) => cedarValue(each, depth + 1)));
  return values && Object.fromEntries(entries.map(([key], at) => [key, values[at]]));
}

function allOrNothing(values: readonly unknown[]): readonly unknown[] | undefined {
  return values.includes(undefined) ? undefined : values;
}
