import { policySetTextToParts, policyToJson, schemaToJsonWithResolvedTypes } from "@cedar-policy/cedar-wasm/nodejs";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { viewExpr } from "./format-view.ts";
import { Random } from "./format-fixture.ts";
import type { CedarValueJson, EntityJson, ExprJson, PolicyJson, RequestJson, SchemaJson, TypeAndId } from "./json.ts";
import type { Schema } from "./schema.ts";
import type { RecordType, ValueType } from "./schema-type.ts";
import type { Need } from "./residual-need.ts";

const folder = fileURLToPath(new URL("../../licet/policies", import.meta.url));

/** The product's own policies, as data to explain. */
export function domainPolicies(): { readonly policies: ReadonlyMap<string, PolicyJson>; readonly schema: SchemaJson } {
  const answer = schemaToJsonWithResolvedTypes(readFileSync(join(folder, "licet.cedarschema"), "utf8"));
  const schema: unknown = answer.type === "success" ? answer.json : undefined;
  if (!isSchema(schema)) throw new Error("the schema of the policies is none");
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".cedar")).sort();
  const texts = files.flatMap((name) => partsOf(readFileSync(join(folder, name), "utf8")));
  return { schema, policies: new Map(texts.map(jsonOf).map((json, index) => [json.annotations?.["id"] ?? `p${index}`, json])) };
}

function partsOf(text: string): readonly string[] {
  const parts = policySetTextToParts(text);
  return parts.type === "success" ? parts.policies : [];
}

function jsonOf(text: string): PolicyJson {
  const answer = policyToJson(text);
  const json: unknown = answer.type === "success" ? answer.json : undefined;
  if (!isPolicy(json)) throw new Error(text);
  return json;
}

function isPolicy(json: unknown): json is PolicyJson {
  return typeof json === "object" && json !== null && "effect" in json;
}

function isSchema(json: unknown): json is SchemaJson {
  return typeof json === "object" && json !== null;
}

/** A request as data that a test can mend. */
export interface Draft {
  readonly request: RequestJson;
  readonly entities: ReadonlyMap<string, EntityJson>;
}

type Attributes = Readonly<Record<string, CedarValueJson>>;

const keyOf = ({ type, id }: TypeAndId) => `${type} ${id}`;
const now = Date.UTC(2026, 10, 20, 17);
const datetime = (time: number): CedarValueJson => ({ __extn: { fn: "datetime", arg: new Date(time).toISOString() } });

const literals = { ipaddr: { fn: "ip", arg: "10.0.0.1" }, decimal: { fn: "decimal", arg: "1.0" }, duration: { fn: "duration", arg: "1h" } } as const;

/** Values by type, so that a random request fits the schema. */
export class Drafts {
  readonly #schema: Schema;
  readonly #random: Random;
  #entities = new Map<string, EntityJson>();

  constructor(schema: Schema, seed: number) {
    this.#schema = schema;
    this.#random = new Random(seed);
  }

  draft(action: TypeAndId): Draft | undefined {
    const declared = [...this.#schema.actions.values()].find(({ uid }) => uid.type === action.type && uid.id === action.id);
    const [principalType] = declared?.principalTypes ?? [];
    const [resourceType] = declared?.resourceTypes ?? [];
    if (declared === undefined || principalType === undefined || resourceType === undefined) return undefined;
    this.#entities = new Map();
    const principal = this.#entity(principalType, 0);
    const resource = this.#entity(resourceType, 0);
    const context = this.#record(declared.context, 0);
    for (const { uid, ancestors } of this.#schema.actions.values()) this.#entities.set(keyOf(uid), { uid: { type: uid.type, id: uid.id }, attrs: {}, parents: ancestors.map(({ type, id }) => ({ type, id })) });
    return { request: { principal, action, resource, context }, entities: this.#entities };
  }

  value(type: ValueType, depth = 0): CedarValueJson {
    const random = this.#random;
    if (type.kind === "set") return random.chance(0.5) ? [] : [this.value(type.element, depth + 1)];
    if (type.kind === "record") return this.#record(type, depth + 1);
    if (type.kind === "entity") return { __entity: this.#entity(type.entityType, depth + 1) };
    if (type.kind === "extension") return type.name === "datetime" ? datetime(now + (random.below(9) - 4) * 3_600_000) : { __extn: literals[type.name] };
    return type.kind === "long" ? random.below(100) : type.kind === "bool" ? random.chance(0.5) : random.pick(["", "a", "pilot", "internal"]);
  }

  /** The declared type of what a path leads to. */
  typeAt(draft: Draft, root: "principal" | "resource" | "context", path: readonly string[]): ValueType | undefined {
    const { request } = draft;
    const record = root === "context" ? [...this.#schema.actions.values()].find(({ uid }) => keyOf(uid) === keyOf(uidOf(request.action)))?.context : this.#schema.entityTypes.get(uidOf(request[root]).type)?.attributes;
    return path.reduce<ValueType | undefined>((at, name) => this.#attributeType(at, name), record);
  }

  #attributeType(at: ValueType | undefined, name: string): ValueType | undefined {
    if (at?.kind === "record") return at.attributes.get(name)?.type;
    return at?.kind === "entity" ? this.#schema.entityTypes.get(at.entityType)?.attributes.attributes.get(name)?.type : undefined;
  }

  #entity(type: string, depth: number): TypeAndId {
    const declared = this.#schema.entityTypes.get(type);
    const id = this.#random.pick([...(declared?.ids ?? ["x", "y"])]);
    const uid = { type, id };
    if (declared === undefined || declared.ids !== undefined || this.#entities.has(keyOf(uid))) return uid;
    this.#entities.set(keyOf(uid), { uid, attrs: {}, parents: [] });
    this.#entities.set(keyOf(uid), { uid, attrs: this.#record(declared.attributes, depth), parents: [] });
    return uid;
  }

  #record({ attributes }: RecordType, depth: number): Attributes {
    const there = [...attributes].filter(([, { required }]) => required || (depth < 3 && this.#random.chance(0.5)));
    return Object.fromEntries(there.map(([name, { type }]) => [name, this.value(type, depth)]));
  }
}

export function uidOf(json: unknown): TypeAndId {
  if (typeof json === "object" && json !== null && "__entity" in json) return uidOf(json.__entity);
  if (typeof json === "object" && json !== null && "type" in json && "id" in json) return { type: String(json.type), id: String(json.id) };
  throw new Error("no entity");
}

export interface Path {
  readonly root: "principal" | "resource" | "context";
  readonly names: readonly string[];
}

export function pathOf(expr: ExprJson): Path | undefined {
  const view = viewExpr(expr);
  if (view.kind === "var") return view.name === "action" ? undefined : { root: view.name, names: [] };
  if (view.kind !== "attr") return undefined;
  const owner = pathOf(view.left);
  return owner === undefined ? undefined : { root: owner.root, names: [...owner.names, view.attr] };
}

/** The draft with another value at the path; records and entities on the way are made where they are missing. */
export function assigned(drafts: Drafts, draft: Draft, path: Path, value: CedarValueJson): Draft {
  const { request, entities } = draft;
  const changed = new Map(entities);
  const put = (attrs: Attributes, at: readonly string[], rest: readonly string[]): Attributes => {
    const [name = "", ...more] = rest;
    if (more.length === 0) return { ...attrs, [name]: value };
    const type = drafts.typeAt(draft, path.root, [...at, name]);
    const held = attrs[name] ?? (type === undefined ? {} : drafts.value(type));
    if (typeof held === "object" && "__entity" in held) {
      const uid = uidOf(held);
      const entity = changed.get(keyOf(uid)) ?? { uid, attrs: {}, parents: [] };
      changed.set(keyOf(uid), { ...entity, attrs: put(entity.attrs, [...at, name], more) });
      return { ...attrs, [name]: held };
    }
    return { ...attrs, [name]: isRecord(held) ? put(held, [...at, name], more) : held };
  };
  if (path.root === "context") return { request: { ...request, context: put(request.context, [], path.names) }, entities };
  const uid = uidOf(request[path.root]);
  if (path.names.length === 0) return { ...draft, request: { ...request, [path.root]: uidOf(value) } };
  const entity = changed.get(keyOf(uid)) ?? { uid, attrs: {}, parents: [] };
  changed.set(keyOf(uid), { ...entity, attrs: put(entity.attrs, [], path.names) });
  return { request, entities: changed };
}

function isRecord(value: CedarValueJson): value is Attributes {
  return typeof value === "object" && !Array.isArray(value);
}

export function withParent(draft: Draft, child: TypeAndId, parent: TypeAndId): Draft {
  const entity = draft.entities.get(keyOf(child)) ?? { uid: child, attrs: {}, parents: [] };
  return { ...draft, entities: new Map([...draft.entities, [keyOf(child), { ...entity, parents: [...entity.parents, parent] }]]) };
}

/** The first condition that a reader would go and mend, where there is a choice the way with the fewest. */
export function firstCondition(needs: readonly Need[]): ExprJson | undefined {
  const [first] = needs;
  if (first === undefined || first.kind === "never") return undefined;
  return first.kind === "condition" ? first.expr : firstCondition(first.options.toSorted((one, other) => one.length - other.length)[0] ?? []);
}
