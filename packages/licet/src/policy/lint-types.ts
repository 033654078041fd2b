import type { EntityTypeJson, NamespaceJson, SchemaJson, TypeJson } from "@licet/cedar";

/** As much of a type as the lints need: whether looking at an attribute asks the entity store. */
export type Kind =
  | { readonly kind: "entity"; readonly type: string }
  | { readonly kind: "record"; readonly attributes: Readonly<Record<string, TypeJson>>; readonly namespace: string }
  | { readonly kind: "datetime" }
  | { readonly kind: "other" };

/** One combination of types in which a policy is evaluated. */
export interface Environment {
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  readonly context: Kind;
}

const other: Kind = { kind: "other" };
const typesMax = 100;

/** Reads a schema of resolved types, as cedar-wasm writes it. */
export class SchemaKinds {
  readonly #schema: SchemaJson;
  #environments: readonly Environment[] | undefined;

  constructor(schema: SchemaJson) {
    this.#schema = schema;
  }

  /** Every combination that the schema allows for one of `actions`. */
  environments(): readonly Environment[] {
    return (this.#environments ??= this.#environmentsOf());
  }

  #environmentsOf(): readonly Environment[] {
    return Object.entries(this.#schema).flatMap(([namespace, { actions }]) =>
      Object.entries(actions).flatMap(([id, { appliesTo }]) => {
        const action = `${namespace === "" ? "" : `${namespace}::`}Action::${JSON.stringify(id)}`;
        // An empty context is not written at all.
        const context: Kind = appliesTo?.context === undefined ? { kind: "record", attributes: {}, namespace } : this.kindOf(appliesTo.context, namespace);
        const principals = (appliesTo?.principalTypes ?? []).map((name) => this.#entityName(name, namespace));
        const resources = (appliesTo?.resourceTypes ?? []).map((name) => this.#entityName(name, namespace));
        return principals.flatMap((principal) => resources.map((resource) => ({ principal, action, resource, context })));
      }),
    );
  }

  /** A record, or `other` for an enumerated or unknown type. */
  attributes(type: string): Kind {
    const [namespace, name] = split(type);
    const found = this.#namespace(namespace)?.entityTypes[name];
    return found === undefined || !hasShape(found) ? other : this.kindOf(found.shape, namespace);
  }

  /** Whether nothing of this kind has the attribute. */
  lacks(kind: Kind, attr: string): boolean {
    const record = kind.kind === "entity" ? this.attributes(kind.type) : kind;
    return record.kind === "record" && !Object.hasOwn(record.attributes, attr);
  }

  /** How entities of this type name the system that they belong to. */
  systemAttribute(type: string): "entity" | "name" | undefined {
    const attributes = this.attributes(type);
    if (attributes.kind !== "record" || !Object.hasOwn(attributes.attributes, "system")) return undefined;
    const kind = this.attribute(attributes, "system");
    if (kind.kind === "entity") return kind.type === "Licet::System" ? "entity" : undefined;
    return attributes.attributes["system"]?.type === "String" ? "name" : undefined;
  }

  tags(type: string): Kind {
    const [namespace, name] = split(type);
    const found = this.#namespace(namespace)?.entityTypes[name];
    return found === undefined || !("tags" in found) || found.tags === undefined ? other : this.kindOf(found.tags, namespace);
  }

  kindOf(type: TypeJson, namespace: string, depth = 0): Kind {
    if (depth > typesMax) return other;
    if ("attributes" in type) return { kind: "record", attributes: type.attributes, namespace };
    const name = "name" in type ? type.name : type.type;
    const common = type.type === "Entity" ? undefined : this.#common(name, namespace);
    if (common !== undefined) return this.kindOf(common.type, common.namespace, depth + 1);
    if (name === "datetime") return { kind: "datetime" };
    const entity = this.#entityName(name, namespace);
    const named = type.type === "Entity" || (type.type === "EntityOrCommon" && this.#isEntity(entity));
    return named ? { kind: "entity", type: entity } : other;
  }

  /** The kind of `kind.attr`. */
  attribute(kind: Kind, attr: string): Kind {
    const record = kind.kind === "entity" ? this.attributes(kind.type) : kind;
    if (record.kind !== "record" || !Object.hasOwn(record.attributes, attr)) return other;
    const type = record.attributes[attr];
    return type === undefined ? other : this.kindOf(type, record.namespace);
  }

  #common(name: string, namespace: string): { readonly type: TypeJson; readonly namespace: string } | undefined {
    for (const full of [namespace === "" ? name : `${namespace}::${name}`, name]) {
      const [at, short] = split(full);
      const types = this.#namespace(at)?.commonTypes ?? {};
      const type = Object.hasOwn(types, short) ? types[short] : undefined;
      if (type !== undefined) return { type, namespace: at };
    }
    return undefined;
  }

  #entityName(name: string, namespace: string): string {
    const own = namespace === "" ? name : `${namespace}::${name}`;
    return this.#isEntity(own) ? own : name;
  }

  #isEntity(full: string): boolean {
    const [namespace, name] = split(full);
    return Object.hasOwn(this.#namespace(namespace)?.entityTypes ?? {}, name);
  }

  #namespace(name: string): NamespaceJson | undefined {
    return Object.hasOwn(this.#schema, name) ? this.#schema[name] : undefined;
  }
}

function hasShape(type: EntityTypeJson): type is EntityTypeJson & { readonly shape: TypeJson } {
  return "shape" in type && type.shape !== undefined;
}

function split(full: string): readonly [namespace: string, name: string] {
  const at = full.lastIndexOf("::");
  return at < 0 ? ["", full] : [full.slice(0, at), full.slice(at + 2)];
}
