import { checkParseSchema, type Schema as WasmSchema } from "@cedar-policy/cedar-wasm/nodejs";
import { expect, test } from "vitest";
import { CedarError } from "./errors.ts";
import type { SchemaJson } from "./json.ts";
import { resolvedDepthMax } from "./schema-resolve.ts";
import { typeDepthMax } from "./schema-type-read.ts";
import { compileSchema, type Schema } from "./schema.ts";

const long = { type: "Long" };
const record = (attributes: object) => ({ type: "Record", attributes });
const shaped = (shape: object, rest: object = {}) => ({ "": { entityTypes: { A: { shape } }, actions: {}, ...rest } });
const attribute = (type: object, rest: object = {}) => shaped(record({ x: type }), rest);
const acting = (action: object, more: object = {}) => ({ "": { entityTypes: { A: {}, E: { enum: ["e"] } }, actions: { x: action, ...more } } });

/** What cedar-wasm refuses, and where we say that it is wrong. */
const refused: readonly (readonly [why: string, at: string, schema: unknown])[] = [
  ["no object", "", []],
  ["a namespace that is no name", "a b", { "a b": { entityTypes: {}, actions: {} } }],
  ["a namespace that is a keyword", "N::in", { "N::in": { entityTypes: {}, actions: {} } }],
  ["a reserved namespace", "__cedar", { __cedar: { entityTypes: {}, actions: {} } }],
  ["no entity types", '"".entityTypes', { "": { actions: {} } }],
  ["no actions", "N.actions", { N: { entityTypes: {} } }],
  ["common types that are null", '"".commonTypes', { "": { commonTypes: null, entityTypes: {}, actions: {} } }],
  ["an unknown field of a namespace", '""', { "": { entityTypes: {}, actions: {}, more: 1 } }],
  ["annotations of the namespace without name", '""', { "": { entityTypes: {}, actions: {}, annotations: { a: "b" } } }],
  ["an annotation that is no text", "N.annotations.a", { N: { entityTypes: {}, actions: {}, annotations: { a: 1 } } }],
  ["an annotation that is no name", "N.annotations", { N: { entityTypes: {}, actions: {}, annotations: { "a b": "x" } } }],
  ["an entity type that is no name", '"".entityTypes.a-b', { "": { entityTypes: { "a-b": {} }, actions: {} } }],
  ["an entity type called Action", "N.entityTypes.Action", { N: { entityTypes: { Action: {} }, actions: {} } }],
  ["a common type with a word of the language", '"".commonTypes.Bool', attribute(long, { commonTypes: { Bool: long } })],
  ["a common type that is a keyword", '"".commonTypes.has', attribute(long, { commonTypes: { has: long } })],
  ["an enumerated type without ids", '"".entityTypes.A.enum', { "": { entityTypes: { A: { enum: [] } }, actions: {} } }],
  ["an enumerated type with a shape", '"".entityTypes.A.shape', { "": { entityTypes: { A: { enum: ["a"], shape: record({}) } }, actions: {} } }],
  ["an id that is no text", '"".entityTypes.A.enum[1]', { "": { entityTypes: { A: { enum: ["a", 1] } }, actions: {} } }],
  ["a shape that is null", '"".entityTypes.A.shape', { "": { entityTypes: { A: { shape: null } }, actions: {} } }],
  ["a shape that is no record", '"".entityTypes.A.shape', shaped(long)],
  ["a shape that names no record", '"".entityTypes.A.shape', shaped({ type: "T" }, { commonTypes: { T: long } })],
  ["an open record", '"".entityTypes.A.shape.additionalAttributes', shaped({ ...record({}), additionalAttributes: true })],
  ["a record without attributes", '"".entityTypes.A.shape.attributes', shaped({ type: "Record" })],
  ["a set without elements", '"".entityTypes.A.shape.attributes.x.element', attribute({ type: "Set" })],
  ["a type with a field of another", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Long", name: "A" })],
  ["a set with a name", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Set", element: long, name: "A" })],
  ["an entity without name", '"".entityTypes.A.shape.attributes.x.name', attribute({ type: "Entity" })],
  ["required that is no boolean", '"".entityTypes.A.shape.attributes.x.required', attribute({ type: "Long", required: null })],
  ["required on a shape", '"".entityTypes.A.shape', shaped({ ...record({}), required: true })],
  ["an undeclared entity type", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Entity", name: "B" })],
  ["an undeclared common type", '"".entityTypes.A.shape.attributes.x', attribute({ type: "B" })],
  ["an entity type where a common type is due", '"".entityTypes.A.shape.attributes.x', attribute({ type: "A" })],
  ["a common type where an entity type is due", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Entity", name: "T" }, { commonTypes: { T: long } })],
  ["an undeclared type of either kind", '"".entityTypes.A.shape.attributes.x', attribute({ type: "EntityOrCommon", name: "B" })],
  ["an unknown extension", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Extension", name: "ip" })],
  ["a name that is none", '"".entityTypes.A.shape.attributes.x.type', attribute({ type: "a b" })],
  ["Boolean below __cedar", '"".entityTypes.A.shape.attributes.x', attribute({ type: "__cedar::Boolean" })],
  ["common types in a circle", '"".commonTypes.T', attribute(long, { commonTypes: { T: { type: "U" }, U: { type: "Set", element: { type: "T" } } } })],
  ["a common type of itself", '"".commonTypes.T', attribute(long, { commonTypes: { T: record({ x: { type: "EntityOrCommon", name: "T" } }) } })],
  ["an unused common type that is wrong", '"".commonTypes.T', attribute(long, { commonTypes: { T: { type: "Unknown" } } })],
  ["a parent type that is none", '"".entityTypes.A.memberOfTypes[0]', { "": { entityTypes: { A: { memberOfTypes: ["B"] } }, actions: {} } }],
  ["a parent type of actions", '"".entityTypes.A.memberOfTypes[0]', { "": { entityTypes: { A: { memberOfTypes: ["Action"] } }, actions: { x: {} } } }],
  ["a type declared twice over namespaces", "N.entityTypes.A", { "": { entityTypes: { A: {} }, actions: {} }, N: { entityTypes: { A: {} }, actions: {} } }],
  ["a common type that shadows an entity type", "N.commonTypes.A", { "": { entityTypes: { A: {} }, actions: {} }, N: { commonTypes: { A: long }, entityTypes: {}, actions: {} } }],
  ["an action declared twice over namespaces", "N.actions.x", { "": { entityTypes: {}, actions: { x: {} } }, N: { entityTypes: {}, actions: { x: {} } } }],
  ["an action with attributes", '"".actions.x.attributes', acting({ attributes: {} })],
  ["an action in no action", '"".actions.x.memberOf[0]', acting({ memberOf: [{ id: "y" }] })],
  ["an action in itself", '"".actions.x.memberOf', acting({ memberOf: [{ id: "x" }] })],
  ["actions in a circle", '"".actions.x.memberOf', acting({ memberOf: [{ id: "y" }] }, { y: { memberOf: [{ id: "x" }] } })],
  ["an action for unknown principals", '"".actions.x.appliesTo.principalTypes[0]', acting({ appliesTo: { principalTypes: ["B"], resourceTypes: [] } })],
  ["an action for actions", '"".actions.x.appliesTo.resourceTypes[0]', acting({ appliesTo: { principalTypes: [], resourceTypes: ["Action"] } })],
  ["an action for nobody said", '"".actions.x.appliesTo.principalTypes', acting({ appliesTo: { resourceTypes: [] } })],
  ["a context that is no record", '"".actions.x.appliesTo.context', acting({ appliesTo: { principalTypes: [], resourceTypes: [], context: { type: "Set", element: long } } })],
  ["an annotation of a common type that is no text", '"".commonTypes.T.annotations.a', attribute(long, { commonTypes: { T: { ...long, annotations: { a: 1 } } } })],
  ["an annotation of an attribute that is no text", '"".entityTypes.A.shape.attributes.x.annotations.a', attribute({ ...long, annotations: { a: 1 } })],
  ["a common type's name with a field of another type", '"".entityTypes.A.shape.attributes.x', attribute({ type: "T", name: "A" }, { commonTypes: { T: long } })],
  ["an entity with a field of another type", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Entity", name: "A", element: long })],
  ["an extension with a field of another type", '"".entityTypes.A.shape.attributes.x', attribute({ type: "Extension", name: "ipaddr", element: long })],
  ["an extension without name", '"".entityTypes.A.shape.attributes.x.name', attribute({ type: "Extension" })],
  ["an extension that is no name", '"".entityTypes.A.shape.attributes.x.name', attribute({ type: "Extension", name: "a b" })],
  ["an entity that is no name", '"".entityTypes.A.shape.attributes.x.name', attribute({ type: "Entity", name: "a b" })],
  ["a record with a field of another type", '"".entityTypes.A.shape.attributes.x', attribute({ ...record({}), element: long })],
  ["a type that is no text", '"".entityTypes.A.shape.attributes.x.type', attribute({ type: 1 })],
  ["annotations that are none", "N.annotations", { N: { entityTypes: {}, actions: {}, annotations: 1 } }],
  ["an annotation of an entity type that is no text", '"".entityTypes.A.annotations.a', { "": { entityTypes: { A: { annotations: { a: 1 } } }, actions: {} } }],
  ["an annotation of an action that is no text", '"".actions.x.annotations.a', acting({ annotations: { a: 1 } })],
  ["an enumerated type with parents", '"".entityTypes.A.memberOfTypes', { "": { entityTypes: { A: { enum: ["a"], memberOfTypes: [] } }, actions: {} } }],
  ["an enumerated type with tags", '"".entityTypes.A.tags', { "": { entityTypes: { A: { enum: ["a"], tags: long } }, actions: {} } }],
  ["parents that are no list", '"".entityTypes.A.memberOfTypes', { "": { entityTypes: { A: { memberOfTypes: "A" } }, actions: {} } }],
  ["tags of no type", '"".entityTypes.A.tags.type', { "": { entityTypes: { A: { tags: { type: "a b" } } }, actions: {} } }],
  ["groups that are no list", '"".actions.x.memberOf', acting({ memberOf: "x" })],
  ["a group without id", '"".actions.x.memberOf[0].id', acting({ memberOf: [{ type: "Action" }] })],
  ["a group of a type that is no text", '"".actions.x.memberOf[0].type', acting({ memberOf: [{ id: "x", type: 1 }] })],
  ["a group of a type that is no name", '"".actions.x.memberOf[0].type', acting({ memberOf: [{ id: "x", type: "a b" }] })],
  ["an action for resources of no list", '"".actions.x.appliesTo.resourceTypes', acting({ appliesTo: { principalTypes: [], resourceTypes: "A" } })],
  ["a name with a keyword in it", '"".entityTypes.A.shape.attributes.x.type', attribute({ type: "N::in" })],
  ["a context that is null", '"".actions.x.appliesTo.context', acting({ appliesTo: { principalTypes: [], resourceTypes: [], context: null } })],
];

test.each(refused)("a schema with %s is refused, with the place `%s`, as cedar-wasm refuses it", (_why, at, schema) => {
  expect(checkParseSchema(schema as WasmSchema).type).toBe("failure");
  const error = refusal(schema);
  expect([error.code, error.at]).toEqual(["schema_invalid", at]);
});

function refusal(schema: unknown): CedarError {
  try {
    compileSchema(schema as SchemaJson);
  } catch (error) {
    if (error instanceof CedarError) return error;
    throw error;
  }
  throw new Error("the schema was taken");
}

/** Compiles what cedar-wasm takes as well. */
function taken(schema: unknown): Schema {
  expect(checkParseSchema(schema as WasmSchema).type).toBe("success");
  return compileSchema(schema as SchemaJson);
}

const typeOfX = (schema: Schema, name = "A") => schema.entityTypes.get(name)?.attributes.attributes.get("x")?.type;

test("a name means the common type before the entity type, and the own namespace before the one without name", () => {
  const either = (name: string) => record({ x: { type: "EntityOrCommon", name } });
  const both = taken({ N: { commonTypes: { T: long }, entityTypes: { T: {}, A: { shape: either("T") } }, actions: {} } });
  expect(typeOfX(both, "N::A")).toEqual({ kind: "long" });
  const own = taken({ N: { entityTypes: { Long: {}, A: { shape: either("Long") } }, actions: {} } });
  expect(typeOfX(own, "N::A")).toEqual({ kind: "entity", entityType: "N::Long" });
  const builtIn = taken({ N: { entityTypes: { Long: {}, A: { shape: either("__cedar::Long") } }, actions: {} } });
  expect(typeOfX(builtIn, "N::A")).toEqual({ kind: "long" });
  const elsewhere = taken({ "": { commonTypes: { T: { type: "String" } }, entityTypes: {}, actions: {} }, N: { entityTypes: { A: { shape: either("T") } }, actions: {} } });
  expect(typeOfX(elsewhere, "N::A")).toEqual({ kind: "string" });
  const shadowed = taken(attribute({ type: "EntityOrCommon", name: "datetime" }, { commonTypes: { datetime: { type: "Set", element: { type: "Bool" } } } }));
  expect(typeOfX(shadowed)).toEqual({ kind: "set", element: { kind: "bool" } });
});

test("a name with its namespace is looked for nowhere else", () => {
  const schema = taken({
    M: { commonTypes: { T: { type: "String" } }, entityTypes: {}, actions: {} },
    "N::M": { commonTypes: { T: long }, entityTypes: {}, actions: {} },
    N: { entityTypes: { A: { shape: record({ x: { type: "M::T" } }) } }, actions: {} },
  });
  expect(typeOfX(schema, "N::A")).toEqual({ kind: "string" });
});

test("names are taken and refused as by cedar-wasm, wherever they stand", () => {
  const names = ["true", "false", "if", "then", "else", "in", "is", "like", "has", "permit", "when", "Bool", "Boolean", "Entity", "Extension", "Long", "Record", "Set", "String", "EntityOrCommon", "decimal", "__cedar", "_", "a1", "1a", "a-b", "é", ""];
  const places: readonly ((name: string) => unknown)[] = [
    (name) => ({ "": { entityTypes: { [name]: {} }, actions: {} } }),
    (name) => ({ "": { commonTypes: { [name]: long }, entityTypes: {}, actions: {} } }),
    (name) => ({ [`N::${name}`]: { entityTypes: {}, actions: {} } }),
    (name) => ({ N: { entityTypes: {}, actions: {}, annotations: { [name]: null } } }),
    (name) => ({ N: { entityTypes: { A: { annotations: { [name]: "text" } } }, actions: { x: { annotations: { [name]: "text" } } } } }),
    (name) => attribute({ type: name }),
    (name) => attribute({ type: "Extension", name }),
    (name) => ({ N: { entityTypes: { A: { memberOfTypes: [`N::${name}`] } }, actions: {} } }),
  ];
  const different = names.flatMap((name) => places.filter((place) => (checkParseSchema(place(name) as WasmSchema).type === "success") !== isTaken(place(name))).map((place) => JSON.stringify(place(name))));
  expect(different).toEqual([]);
});

function isTaken(schema: unknown): boolean {
  try {
    compileSchema(schema as SchemaJson);
    return true;
  } catch (error) {
    if (error instanceof CedarError) return false;
    throw error;
  }
}

test("annotations may stand wherever something is declared", () => {
  const annotations = { doc: "text", flag: null };
  const schema = taken({ N: { annotations, commonTypes: { T: { ...long, annotations } }, entityTypes: { A: { annotations, shape: record({ x: { type: "T", annotations, required: false } }) } }, actions: { x: { annotations } } } });
  expect(schema.entityTypes.get("N::A")?.attributes.attributes.get("x")).toEqual({ type: { kind: "long" }, required: false });
});

test.each<readonly [string, (inner: object) => object]>([
  ["sets", (element) => ({ type: "Set", element })],
  ["records", (x) => record({ x })],
])("%s may nest as many levels as are allowed as they are written, and not one more", (_what, wrap) => {
  const nested = (depth: number) => Array.from({ length: depth }).reduce<object>(wrap, long);
  const common = (depth: number) => ({ "": { commonTypes: { T: nested(depth) }, entityTypes: {}, actions: {} } });
  expect(compileSchema(common(typeDepthMax) as SchemaJson).entityTypes.size).toBe(0);
  expect(refusal(common(typeDepthMax + 1)).message).toContain(`nest at most ${typeDepthMax} deep`);
});

test("an attribute is required where nothing else is said", () => {
  const { attributes } = taken(shaped(record({ x: long, y: { ...long, required: false }, z: { ...long, required: true } }))).entityTypes.get("A")?.attributes ?? {};
  expect([...(attributes ?? [])].map(([name, { required }]) => [name, required])).toEqual([["x", true], ["y", false], ["z", true]]);
});

test("a field that holds undefined is not there", () => {
  expect(typeOfX(compileSchema(attribute({ type: "Long", name: undefined, element: undefined }) as SchemaJson))).toEqual({ kind: "long" });
});

test("a refusal says what is not declared, and which types refer to each other in a circle", () => {
  expect(refusal({ "": { entityTypes: { A: { memberOfTypes: ["B"] } }, actions: {} } }).message).toContain("no entity type `B` is declared");
  const circle = { A: record({ c: { type: "C" }, b: { type: "B" } }), B: { type: "A" }, C: long };
  expect(refusal(attribute(long, { commonTypes: { T: long, ...circle } })).message).toContain("a circle: `A`, `B`, `A`");
});

test("common types may lead through as many others as are allowed, and not one more, and beside each other there may be any number", () => {
  const chain = (count: number) => Object.fromEntries(Array.from({ length: count + 1 }, (_, index) => [`T${index}`, index === count ? long : { type: `T${index + 1}` }]));
  expect(typeOfX(compileSchema(attribute({ type: "T0" }, { commonTypes: chain(resolvedDepthMax) }) as SchemaJson))).toEqual({ kind: "long" });
  expect(refusal(attribute({ type: "T0" }, { commonTypes: chain(resolvedDepthMax + 1) })).message).toContain(`nest more than ${resolvedDepthMax} deep`);
  const flat = Object.fromEntries(Array.from({ length: resolvedDepthMax + 100 }, (_, index) => [`T${index}`, { type: "Set", element: long }]));
  expect(typeOfX(compileSchema(attribute({ type: "T0" }, { commonTypes: flat }) as SchemaJson))).toEqual({ kind: "set", element: { kind: "long" } });
});

test("a common type is resolved in the namespace where it stands, not where it is used", () => {
  const schema = taken({
    N: { commonTypes: { T: { type: "EntityOrCommon", name: "B" } }, entityTypes: { B: {} }, actions: {} },
    M: { commonTypes: { B: long }, entityTypes: { A: { shape: record({ x: { type: "N::T" } }) } }, actions: {} },
  });
  expect(typeOfX(schema, "M::A")).toEqual({ kind: "entity", entityType: "N::B" });
});

test("parents may be of every type above, and an action is in every group above", () => {
  const schema = taken({
    N: {
      entityTypes: { A: { memberOfTypes: ["B"] }, B: { memberOfTypes: ["C"] }, C: {}, D: { memberOfTypes: ["D"] } },
      actions: { x: { memberOf: [{ id: "g" }] }, g: { memberOf: [{ id: "top", type: "N::Action" }] }, top: {} },
    },
  });
  expect([...(schema.entityTypes.get("N::A")?.parentTypes ?? [])].toSorted()).toEqual(["N::B", "N::C"]);
  expect([...(schema.entityTypes.get("N::D")?.parentTypes ?? [])]).toEqual(["N::D"]);
  const x = [...schema.actions.values()].find(({ uid }) => uid.id === "x");
  expect(x?.ancestors.map(({ type, id }) => `${type} ${id}`).toSorted()).toEqual(["N::Action g", "N::Action top"]);
});

test("half of a surrogate pair is no text", () => {
  const schema = { "": { entityTypes: { A: { enum: ["\ud800"] } }, actions: {} } };
  expect(() => checkParseSchema(schema)).toThrow("hex escape");
  expect(refusal(schema).at).toBe('"".entityTypes.A.enum[0]');
});

test("names of every object's properties are names like any other", () => {
  const schema = taken(JSON.parse('{"":{"entityTypes":{"__proto__":{"shape":{"type":"Record","attributes":{"__proto__":{"type":"Long"},"constructor":{"type":"Bool"}}}}},"actions":{"__proto__":{}}}}'));
  expect([...(schema.entityTypes.get("__proto__")?.attributes.attributes.keys() ?? [])]).toEqual(["__proto__", "constructor"]);
  expect([...schema.actions.values()].map(({ uid }) => uid.id)).toEqual(["__proto__"]);
});

test("types that nest without end in sight are refused, not followed until the stack is full", () => {
  let deep: object = long;
  for (let level = 0; level < 20_000; level++) deep = { type: "Set", element: deep };
  expect(refusal(attribute(deep)).message).toContain("nest at most");
  const chain = Object.fromEntries(Array.from({ length: 2_000 }, (_, index) => [`T${index}`, index === 1_999 ? long : { type: "Set", element: { type: `T${index + 1}` } }]));
  expect(refusal(attribute(long, { commonTypes: chain })).message).toContain("nest more than");
});

test("common types that double each other are compiled once each", () => {
  const doubling = Object.fromEntries(Array.from({ length: 60 }, (_, index) => [`T${index}`, index === 0 ? record({ x: long }) : record({ l: { type: `T${index - 1}` }, r: { type: `T${index - 1}` } })]));
  const schema = compileSchema({ "": { commonTypes: doubling, entityTypes: { A: { shape: { type: "T59" } } }, actions: {} } });
  expect(schema.entityTypes.get("A")?.attributes.attributes.size).toBe(2);
});
