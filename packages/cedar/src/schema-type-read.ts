import type { DeclaredAttribute, DeclaredType } from "./schema-declared.ts";
import { only, readAnnotations, readEntries, readFields, readText, refuse, without, type Fields } from "./schema-fields.ts";
import { isReferenceName, isTypeId } from "./schema-names.ts";

/** How deep types nest as they are written. */
export const typeDepthMax = 100;

export function readType(json: unknown, at: string, depth = 0): DeclaredType {
  return typeOf(readFields(json, at), at, depth);
}

/** A common type: annotations stand beside the type's own fields. */
export function readCommonType(json: unknown, at: string): DeclaredType {
  const fields = readFields(json, at);
  readAnnotations(fields, at);
  return typeOf(without(fields, ["annotations"]), at, 0);
}

function readAttribute(json: unknown, at: string, depth: number): DeclaredAttribute {
  const fields = readFields(json, at);
  readAnnotations(fields, at);
  const required = fields.has("required") ? fields.get("required") : true;
  if (typeof required !== "boolean") throw refuse(`${at}.required`, "this must be true or false");
  return { type: typeOf(without(fields, ["annotations", "required"]), at, depth), required };
}

type TypeReader = (fields: Fields, at: string, depth: number) => DeclaredType;

const readers: ReadonlyMap<string, TypeReader> = new Map<string, TypeReader>([
  ["String", plain("string")],
  ["Long", plain("long")],
  ["Boolean", plain("bool")],
  ["Set", readSet],
  ["Record", readRecord],
  ["Entity", reference("entity")],
  ["EntityOrCommon", reference("either")],
  ["Extension", readExtension],
]);

function typeOf(fields: Fields, at: string, depth: number): DeclaredType {
  if (depth > typeDepthMax) throw refuse(at, `types nest at most ${typeDepthMax} deep`);
  const type = readText(fields.get("type"), `${at}.type`);
  const reader = readers.get(type);
  if (reader !== undefined) return reader(fields, at, depth);
  only(fields, at, ["type"]);
  return { kind: "reference", to: "common", name: named(type, `${at}.type`), at };
}

function plain(kind: "bool" | "long" | "string"): TypeReader {
  return (fields, at) => {
    only(fields, at, ["type"]);
    return { kind };
  };
}

function readSet(fields: Fields, at: string, depth: number): DeclaredType {
  only(fields, at, ["type", "element"]);
  return { kind: "set", element: readType(fields.get("element"), `${at}.element`, depth + 1) };
}

function readRecord(fields: Fields, at: string, depth: number): DeclaredType {
  only(fields, at, ["type", "attributes", "additionalAttributes"]);
  if (fields.has("additionalAttributes") && fields.get("additionalAttributes") !== false) {
    throw refuse(`${at}.additionalAttributes`, "this must be false: a record has the attributes that its type lists, and no others");
  }
  return { kind: "record", attributes: readEntries(fields.get("attributes"), `${at}.attributes`, (json, at) => readAttribute(json, at, depth + 1)) };
}

function reference(to: "entity" | "either"): TypeReader {
  return (fields, at) => {
    only(fields, at, ["type", "name"]);
    return { kind: "reference", to, name: named(readText(fields.get("name"), `${at}.name`), `${at}.name`), at };
  };
}

function readExtension(fields: Fields, at: string): DeclaredType {
  only(fields, at, ["type", "name"]);
  const name = readText(fields.get("name"), `${at}.name`);
  if (!isTypeId(name)) throw refuse(`${at}.name`, `\`${name}\` cannot name an extension type`);
  return { kind: "extension", name, at };
}

function named(name: string, at: string): string {
  if (!isReferenceName(name)) throw refuse(at, `\`${name}\` cannot name a type`);
  return name;
}
