import type { DeclaredCommonType, DeclaredSchema, DeclaredType } from "./schema-declared.ts";
import { refuse } from "./schema-fields.ts";
import { basename, candidates, qualify } from "./schema-names.ts";
import { extensionNames, isExtensionName, type AttributeType, type RecordType, type ValueType } from "./schema-type.ts";

/** How deep types nest when the common types that they name are put in their places. */
export const resolvedDepthMax = 500;

/** Finds what the names of a schema refer to. */
export interface TypeResolver {
  /** A type as it is written in a namespace. */
  resolve(type: DeclaredType, namespace: string): ValueType;
  /** The full name of an entity type, or of the type of declared actions. */
  entityType(name: string, namespace: string, at: string): string;
}

const builtIn: ReadonlyMap<string, ValueType> = new Map<string, ValueType>([
  ["Bool", { kind: "bool" }],
  ["Long", { kind: "long" }],
  ["String", { kind: "string" }],
  ...extensionNames.map((name): [string, ValueType] => [name, { kind: "extension", name }]),
]);

/** Resolves every common type at once, so that one that nobody uses is refused as well. */
export function typeResolver(schema: DeclaredSchema): TypeResolver {
  const found = new Map<string, ValueType>([...builtIn].map(([name, type]) => [qualify("__cedar", name), type]));
  // The short names of the built-in types give way to a declaration without namespace.
  for (const [name, type] of builtIn) if (!schema.entityTypes.has(name) && !schema.commonTypes.has(name)) found.set(name, type);
  const entityTypes = new Set([...schema.entityTypes.keys(), ...schema.actions.map(({ type }) => type)]);
  const open: string[] = [];
  let depth = 0;

  function commonType(name: string, declared: DeclaredCommonType): ValueType {
    const done = found.get(name);
    if (done !== undefined) return done;
    if (open.includes(name)) throw refuse(declared.at, `common types refer to each other in a circle: ${[...open.slice(open.indexOf(name)), name].map((each) => `\`${each}\``).join(", ")}`);
    if (depth > resolvedDepthMax) throw refuse(declared.at, `types nest more than ${resolvedDepthMax} deep`);
    open.push(name);
    const type = resolve(declared.type, declared.namespace);
    open.pop();
    found.set(name, type);
    return type;
  }

  function reference({ to, name, at }: DeclaredType & { readonly kind: "reference" }, namespace: string): ValueType {
    for (const candidate of candidates(namespace, name)) {
      const declared = schema.commonTypes.get(candidate);
      if (to !== "entity" && declared !== undefined) return commonType(candidate, declared);
      const known = found.get(candidate);
      if (to !== "entity" && known !== undefined) return known;
      if (to !== "common" && entityTypes.has(candidate)) return { kind: "entity", entityType: candidate };
    }
    throw refuse(at, `no ${to === "common" ? "common type" : to === "entity" ? "entity type" : "type"} \`${name}\` is declared`);
  }

  function record(attributes: (DeclaredType & { readonly kind: "record" })["attributes"], namespace: string): RecordType {
    const resolved = [...attributes].map(([name, { type, required }]): [string, AttributeType] => [name, { type: resolve(type, namespace), required }]);
    return { kind: "record", attributes: new Map(resolved) };
  }

  function resolve(type: DeclaredType, namespace: string): ValueType {
    depth += 1;
    const resolved = resolveInner(type, namespace);
    depth -= 1;
    return resolved;
  }

  function resolveInner(type: DeclaredType, namespace: string): ValueType {
    if (type.kind === "reference") return reference(type, namespace);
    if (type.kind === "set") return { kind: "set", element: resolve(type.element, namespace) };
    if (type.kind === "record") return record(type.attributes, namespace);
    return type.kind === "extension" ? extension(type) : type;
  }

  for (const [name, declared] of schema.commonTypes) commonType(name, declared);
  return {
    resolve,
    entityType(name, namespace, at) {
      const full = candidates(namespace, name).find((candidate) => entityTypes.has(candidate));
      if (full === undefined) throw refuse(at, `no entity type \`${name}\` is declared`);
      return full;
    },
  };
}

function extension({ name, at }: DeclaredType & { readonly kind: "extension" }): ValueType {
  if (isExtensionName(name)) return { kind: "extension", name };
  throw refuse(at, `there is no extension type \`${name}\`; there are ${extensionNames.map((each) => `\`${each}\``).join(", ")}`);
}

/** A name that is declared without namespace may not be declared in one as well: it would mean two things. */
export function refuseShadowing(schema: DeclaredSchema): void {
  const types = [...schema.entityTypes, ...schema.commonTypes];
  const bare = new Set(types.filter(([name]) => !name.includes("::")).map(([name]) => name));
  for (const [name, { at }] of types) {
    if (name.includes("::") && bare.has(basename(name))) throw refuse(at, `\`${name}\` shadows \`${basename(name)}\`, which is declared without namespace: rename one of them`);
  }
  const bareActions = new Set(schema.actions.filter(({ namespace }) => namespace === "").map(({ id }) => id));
  for (const { namespace, id, at } of schema.actions) {
    if (namespace !== "" && bareActions.has(id)) throw refuse(at, `the action \`${id}\` shadows the one that is declared without namespace: rename one of them`);
  }
}
