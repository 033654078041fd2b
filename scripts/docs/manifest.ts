import { isRecord } from "@licet/evidence";
import { manifestSchema } from "../../packages/licet/src/inventory/schema-words.ts";
import { table } from "./block.ts";

type Schema = Readonly<Record<string, unknown>>;

interface Field {
  readonly path: string;
  readonly type: string;
  readonly required: boolean;
  readonly text: string;
}

function resolved(schema: Schema): Schema {
  const ref = schema["$ref"];
  if (typeof ref !== "string") return schema;
  const definitions = manifestSchema()["$defs"];
  const target = isRecord(definitions) ? definitions[ref.replace("#/$defs/", "")] : undefined;
  return isRecord(target) ? { ...resolved(target), ...without(schema, "$ref") } : schema;
}

function without(schema: Schema, key: string): Schema {
  return Object.fromEntries(Object.entries(schema).filter(([name]) => name !== key));
}

function branches(schema: Schema): readonly Schema[] {
  return [schema["anyOf"], schema["oneOf"]].filter(Array.isArray).flat().filter(isRecord).map(resolved);
}

function words(schema: Schema): readonly string[] {
  const values: readonly unknown[] = "const" in schema ? [schema["const"]] : Array.isArray(schema["enum"]) ? schema["enum"] : [];
  return values.map((value) => `\`${String(value)}\``);
}

function typeOf(schema: Schema): string {
  const named = words(schema);
  if (named.length > 0) return named.join(", ");
  const options = branches(schema);
  if (options.length > 0) return [...new Set(options.map(typeOf))].join(" or ");
  const items = schema["items"];
  if (schema["type"] === "array") return isRecord(items) ? `list of ${typeOf(resolved(items))}` : "list";
  return [typeof schema["type"] === "string" ? schema["type"] : "any", limits(schema)].filter((part) => part !== "").join(" ");
}

function limits(schema: Schema): string {
  const bound = (key: string, sign: string): string => (typeof schema[key] === "number" && Math.abs(schema[key]) < 1e15 ? `${sign} ${schema[key]}` : "");
  const length = typeof schema["maxLength"] === "number" ? `at most ${schema["maxLength"]} characters` : "";
  return [bound("minimum", "≥"), bound("maximum", "≤"), length].filter((part) => part !== "").join(", ");
}

/** The fields below one schema, with paths as people write them: `components.models[].name`. */
function fieldsOf(given: Schema, path: string): readonly Field[] {
  const schema = resolved(given);
  const items = schema["items"];
  if (schema["type"] === "array" && isRecord(items)) return fieldsOf(items, `${path}[]`);
  const properties = schema["properties"];
  if (!isRecord(properties)) return [...ofBranches(branches(schema), path), ...ofValues(schema, path)];
  const required: readonly unknown[] = Array.isArray(schema["required"]) ? schema["required"] : [];
  return Object.entries(properties).flatMap(([key, value]) => (isRecord(value) ? field(value, { path: path === "" ? key : `${path}.${key}`, required: required.includes(key) }) : []));
}

/** What only some alternatives demand is not demanded of all. */
function ofBranches(alternatives: readonly Schema[], path: string): readonly Field[] {
  const all = alternatives.map((each) => fieldsOf(each, path));
  const everywhere = (field: Field): boolean => all.every((fields) => fields.some((other) => other.path === field.path && other.required));
  return all.flat().map((each) => ({ ...each, required: each.required && everywhere(each) }));
}

/** A mapping whose keys the team chooses. Any JSON below a key is the team's own, and without end. */
function ofValues(schema: Schema, path: string): readonly Field[] {
  const values = schema["additionalProperties"];
  return isRecord(values) && isRecord(resolved(values)["properties"]) ? fieldsOf(values, `${path}.NAME`) : [];
}

function field(value: Schema, at: { readonly path: string; readonly required: boolean }): readonly Field[] {
  const schema = resolved(value);
  const below = fieldsOf(schema, at.path);
  const text = typeof schema["description"] === "string" ? schema["description"] : "";
  const type = below.length === 0 ? typeOf(schema) : kindOf(schema);
  return [{ ...at, type, text }, ...below];
}

function kindOf(schema: Schema): string {
  return schema["type"] === "array" ? "list" : "mapping";
}

/** Every path of the manifest, once; alternatives of a check share their fields. */
export function manifestFields(): readonly Field[] {
  const found = new Map<string, Field>();
  for (const each of fieldsOf(manifestSchema(), "")) {
    const before = found.get(each.path);
    const type = before === undefined || before.type.includes(each.type) ? (before?.type ?? each.type) : `${before.type}, ${each.type}`;
    found.set(each.path, { ...each, ...before, type, required: each.required });
  }
  return [...found.values()];
}

/** One table for each top-level key. */
export function manifestReference(): string {
  const fields = manifestFields();
  const groups = [...new Set(fields.map(({ path }) => path.split(/[.[]/u)[0] ?? ""))];
  const simple = groups.filter((group) => fields.filter(({ path }) => topOf(path) === group).length === 1);
  const sections = groups.filter((group) => !simple.includes(group)).map((group) => `### \`${group}\`\n\n${rowsOf(fields.filter(({ path }) => topOf(path) === group))}`);
  return [`### Plain keys\n\n${rowsOf(fields.filter(({ path }) => simple.includes(path)))}`, ...sections].join("\n\n");
}

function topOf(path: string): string {
  return path.split(/[.[]/u)[0] ?? "";
}

function rowsOf(fields: readonly Field[]): string {
  return table(["key", "value", "", "meaning"], fields.map(({ path, type, required, text }) => [`\`${path}\``, type, required ? "required" : "", text]));
}
