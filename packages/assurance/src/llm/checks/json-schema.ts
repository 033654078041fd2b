/**
 * JSON Schema (draft 2020-12), the part that describes answers: type, enum, const, properties, required, additionalProperties, items,
 * prefixItems, min/max of lengths, items, properties and numbers, multipleOf, pattern, uniqueItems, allOf, anyOf, oneOf, not.
 * Anything else is refused when the schema is read: a rule that is not understood would be a rule that always holds.
 */
export type SchemaProblem = string;

const known = new Set([
  "$schema", "$id", "$comment", "title", "description", "default", "examples", "format",
  "type", "enum", "const", "properties", "required", "additionalProperties", "items", "prefixItems", "minLength", "maxLength", "minItems", "maxItems",
  "minProperties", "maxProperties", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "pattern", "uniqueItems", "allOf", "anyOf", "oneOf", "not",
]);
const depthMax = 40;
const patternCharsMax = 500;
/** A pattern may take quadratic time or worse on what a model writes. */
const patternTextCharsMax = 10_000;

type Schema = boolean | Readonly<Record<string, unknown>>;

/** Keywords that this validator does not know, and values of keywords that are not of their kind, with their place. Empty: the schema can be used. */
export function unsupported(schema: unknown, path = "", depth = 0): readonly SchemaProblem[] {
  if (typeof schema === "boolean") return [];
  if (!isRecord(schema)) return [`${path || "the schema"} is no object`];
  if (depth > depthMax) return [`${path} is nested too deeply`];
  const unknown = Object.keys(schema).filter((key) => !known.has(key)).map((key) => `${path}/${key} is not supported`);
  const pattern = schema["pattern"];
  const invalid = pattern !== undefined && (typeof pattern !== "string" || pattern.length > patternCharsMax || regular(pattern) === undefined) ? [`${path}/pattern is no regular expression`] : [];
  const parts = subschemas(schema).flatMap(([key, part]) => unsupported(part, `${path}/${key}`, depth + 1));
  return [...unknown, ...invalid, ...parts];
}

function subschemas(schema: Readonly<Record<string, unknown>>): readonly (readonly [string, unknown])[] {
  const single = ["additionalProperties", "items", "not"].filter((key) => schema[key] !== undefined).map((key) => [key, schema[key]] as const);
  const lists = ["allOf", "anyOf", "oneOf", "prefixItems"].flatMap((key) => list(schema[key]).map((part, index) => [`${key}/${index}`, part] as const));
  const { properties } = schema;
  const named = isRecord(properties) ? Object.entries(properties).map(([key, part]) => [`properties/${key}`, part] as const) : [];
  return [...single, ...lists, ...named];
}

/** Whether a value follows a schema; the first place where it does not, otherwise undefined. */
export function violation(value: unknown, schema: unknown, path = ""): string | undefined {
  if (typeof schema === "boolean") return schema ? undefined : `${path || "the value"} is not allowed`;
  if (!isRecord(schema)) return `${path} has no schema`;
  return typeViolation(value, schema, path) ?? contentViolation(value, schema, path) ?? combinedViolation(value, schema, path);
}

function contentViolation(value: unknown, schema: Keywords, path: string): string | undefined {
  if (typeof value === "string") return textViolation(value, schema, path);
  if (typeof value === "number") return numberViolation(value, schema, path);
  if (Array.isArray(value)) return listViolation(value, schema, path);
  return isRecord(value) ? objectViolation(value, schema, path) : undefined;
}

type Keywords = Readonly<Record<string, unknown>>;

function typeViolation(value: unknown, schema: Keywords, path: string): string | undefined {
  const { type } = schema;
  const types = typeof type === "string" ? [type] : list(type);
  if (types.length > 0 && !types.some((name) => isOf(value, name))) return `${path || "the value"} is not of type ${types.join(" or ")}`;
  if (Array.isArray(schema["enum"]) && !schema["enum"].some((allowed) => same(allowed, value))) return `${path || "the value"} is none of the allowed values`;
  return schema["const"] !== undefined && !same(schema["const"], value) ? `${path || "the value"} is not the constant` : undefined;
}

function isOf(value: unknown, type: unknown): boolean {
  switch (type) {
    case "null":
      return value === null;
    case "array":
      return Array.isArray(value);
    case "object":
      return isRecord(value);
    case "integer":
      return Number.isInteger(value);
    case "string":
    case "number":
    case "boolean":
      return typeof value === type;
    default:
      return false;
  }
}

function textViolation(value: string, schema: Keywords, path: string): string | undefined {
  const length = Array.from(value).length;
  if (length < number(schema["minLength"], 0) || length > number(schema["maxLength"], Infinity)) return `${path} has ${length} characters`;
  const { pattern } = schema;
  if (pattern !== undefined && value.length > patternTextCharsMax) return `${path} is too long for its pattern`;
  return typeof pattern === "string" && regular(pattern)?.test(value) !== true ? `${path} does not match its pattern` : undefined;
}

function numberViolation(value: number, schema: Keywords, path: string): string | undefined {
  if (value < number(schema["minimum"], -Infinity) || value > number(schema["maximum"], Infinity)) return `${path} is out of range`;
  if (value <= number(schema["exclusiveMinimum"], -Infinity) || value >= number(schema["exclusiveMaximum"], Infinity)) return `${path} is out of range`;
  const step = number(schema["multipleOf"], 0);
  return step > 0 && Math.abs(value / step - Math.round(value / step)) > 1e-9 ? `${path} is no multiple of ${step}` : undefined;
}

function listViolation(value: readonly unknown[], schema: Keywords, path: string): string | undefined {
  if (value.length < number(schema["minItems"], 0) || value.length > number(schema["maxItems"], Infinity)) return `${path} has ${value.length} items`;
  if (schema["uniqueItems"] === true && new Set(value.map(canonical)).size !== value.length) return `${path} has an item twice`;
  const prefix = list(schema["prefixItems"]);
  for (const [index, item] of value.entries()) {
    const part = index < prefix.length ? prefix[index] : (schema["items"] ?? true);
    const found = violation(item, part, `${path}/${index}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function objectViolation(value: Keywords, schema: Keywords, path: string): string | undefined {
  const keys = Object.keys(value);
  if (keys.length < number(schema["minProperties"], 0) || keys.length > number(schema["maxProperties"], Infinity)) return `${path} has ${keys.length} keys`;
  const absent = list(schema["required"]).find((key): key is string => typeof key === "string" && !Object.hasOwn(value, key));
  if (absent !== undefined) return `${path}/${absent} is missing`;
  const properties = isRecord(schema["properties"]) ? schema["properties"] : {};
  for (const key of keys) {
    const part = Object.hasOwn(properties, key) ? properties[key] : (schema["additionalProperties"] ?? true);
    const found = violation(value[key], part, `${path}/${key}`);
    if (found !== undefined) return found;
  }
  return undefined;
}

function combinedViolation(value: unknown, schema: Keywords, path: string): string | undefined {
  const holds = (part: unknown) => violation(value, part, path) === undefined;
  const all = list(schema["allOf"]).map((part) => violation(value, part, path)).find((found) => found !== undefined);
  if (all !== undefined) return all;
  if (schema["anyOf"] !== undefined && !list(schema["anyOf"]).some(holds)) return `${path || "the value"} follows none of the alternatives`;
  if (schema["oneOf"] !== undefined && list(schema["oneOf"]).filter(holds).length !== 1) return `${path || "the value"} does not follow exactly one of the alternatives`;
  return schema["not"] !== undefined && holds(schema["not"]) ? `${path || "the value"} follows what it must not` : undefined;
}

function isRecord(value: unknown): value is Exclude<Schema, boolean> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function number(value: unknown, otherwise: number): number {
  return typeof value === "number" ? value : otherwise;
}

function same(a: unknown, b: unknown): boolean {
  return canonical(a) === canonical(b);
}

/** Keys in order, so that equal objects are equal texts. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(",")}]`;
  if (!isRecord(value)) return JSON.stringify(value) ?? "";
  return `{${Object.keys(value).toSorted().map((key) => `${JSON.stringify(key)}:${canonical(value[key])}`).join(",")}}`;
}

function regular(pattern: string): RegExp | undefined {
  try {
    return new RegExp(pattern, "u");
  } catch {
    return undefined;
  }
}
