import type { SchemaJson } from "@licet/cedar";

/** One action of an application's schema, its types with their namespace. */
export interface SchemaAction {
  readonly id: string;
  readonly principals: readonly string[];
  readonly resources: readonly string[];
  /** Names of the context's attributes; undefined where the schema says it by a name that is not found. */
  readonly context: ReadonlySet<string> | undefined;
}

type Namespace = SchemaJson[string];

/** The actions of one namespace that apply to anything, in the schema's order. */
export function schemaActions(schema: SchemaJson, namespace: string): readonly SchemaAction[] {
  const found = schema[namespace];
  if (found === undefined) return [];
  return Object.entries(found.actions).flatMap(([id, { appliesTo }]) => {
    if (appliesTo === undefined) return [];
    const qualified = (names: readonly string[]): readonly string[] => names.map((name) => (name.includes("::") ? name : `${namespace}::${name}`));
    return [{ id, principals: qualified(appliesTo.principalTypes), resources: qualified(appliesTo.resourceTypes), context: attributeNames(appliesTo.context, found, namespace) }];
  });
}

export function schemaEntityTypes(schema: SchemaJson, namespace: string): readonly string[] {
  return Object.keys(schema[namespace]?.entityTypes ?? {}).map((name) => `${namespace}::${name}`);
}

function attributeNames(type: unknown, found: Namespace, namespace: string): ReadonlySet<string> | undefined {
  if (type === undefined) return new Set();
  if (typeof type !== "object" || type === null) return undefined;
  if ("attributes" in type && typeof type.attributes === "object" && type.attributes !== null) return new Set(Object.keys(type.attributes));
  const name = commonName(type);
  const bare = name?.startsWith(`${namespace}::`) === true ? name.slice(namespace.length + 2) : name;
  const common = bare === undefined ? undefined : found.commonTypes?.[bare];
  return common === undefined ? undefined : attributeNames(common, found, namespace);
}

function commonName(type: object): string | undefined {
  if ("name" in type && typeof type.name === "string") return type.name;
  return "type" in type && typeof type.type === "string" && type.type !== "Record" ? type.type : undefined;
}
