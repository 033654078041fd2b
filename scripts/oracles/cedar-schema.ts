import type { Dice } from "./cedar-dice.ts";
import type { Json, Uid } from "./cedar-data.ts";
import { attributeKinds, attributeNames, objectOf, type Kind } from "./cedar-world.ts";

/** What a type in a generated schema means, by which conforming values are made. */
export type Model =
  | { readonly kind: "long" | "bool" | "string" | "decimal" | "datetime" | "duration" | "ip" }
  | { readonly kind: "set"; readonly element: Model }
  | RecordModel
  | { readonly kind: "entity"; readonly type: string };

export interface RecordModel {
  readonly kind: "record";
  readonly attributes: readonly (readonly [string, { readonly model: Model; readonly required: boolean }])[];
}

export interface EntityModel {
  readonly type: string;
  readonly ids: readonly string[] | undefined;
  readonly parents: readonly string[];
  readonly attributes: RecordModel;
  readonly tags: Model | undefined;
}

export interface ActionModel {
  readonly uid: Uid;
  readonly parents: readonly Uid[];
  readonly principals: readonly string[];
  readonly resources: readonly string[];
  readonly context: RecordModel;
}

export interface SchemaModel {
  readonly json: Json;
  readonly entities: readonly EntityModel[];
  readonly actions: readonly ActionModel[];
}

interface Common {
  readonly name: string;
  readonly model: Model;
}

interface Draft {
  readonly commonTypes: Record<string, Json>;
  readonly entityTypes: Record<string, Json>;
  readonly actions: Record<string, Json>;
}

const namespaces = ["", "N", "N::M"] as const;
/** Some are words of the language or names of every object. */
const entityNames = ["A", "B", "C", "User", "String", "Long", "ipaddr", "constructor", "__proto__", "Set", "Entity"];
const commonNames = ["T0", "T1", "T2", "Flag", "decimal", "datetime", "Action", "toString"];
const actionNames = ["x", "y", "g", "read all", "", "__proto__", "é\u{1F600}"];
const enumIds = ["red", "green", "", "__proto__", "\u{1F600}"];

const extensionTypes = { decimal: "decimal", datetime: "datetime", duration: "duration", ip: "ipaddr" } as const;
const primitives = { long: "Long", bool: "Boolean", string: "String" } as const;

/** A schema and what it means. Names are drawn so that they now and then shadow each other: cedar-wasm then says what holds. */
export class SchemaMaker {
  readonly #dice: Dice;
  readonly #drafts = new Map<string, Draft>(namespaces.map((name) => [name, { commonTypes: bare(), entityTypes: bare(), actions: bare() }]));
  readonly #types: { readonly full: string; readonly enumerated: boolean }[] = [];
  readonly #commons: Common[] = [];

  constructor(dice: Dice) {
    this.#dice = dice;
  }

  make(): SchemaModel {
    const dice = this.#dice;
    // Mostly a name is declared once, as one without namespace may not be declared in another as well.
    const shadows = dice.chance(0.1);
    for (const namespace of namespaces) {
      for (const name of dice.some(entityNames, namespace === "" ? 0.2 : 0.3)) if (shadows || this.#isFree(name)) this.#types.push({ full: qualify(namespace, name), enumerated: dice.chance(0.2) });
    }
    if (this.#types.length === 0) this.#types.push({ full: "A", enumerated: false });
    for (let count = dice.below(5); count > 0; count--) this.#addCommon();
    const entities = this.#types.map(({ full, enumerated }, index) => (enumerated ? this.#enumerated(full) : this.#standard(full, index)));
    const actions = this.#actions();
    const used = [...this.#drafts].filter(([, draft]) => Object.values(draft).some((held) => Object.keys(held).length > 0) || dice.chance(0.2));
    return { json: Object.fromEntries(used), entities, actions };
  }

  #isFree(name: string): boolean {
    return [...this.#types.map(({ full }) => full), ...this.#commons.map((common) => common.name)].every((full) => split(full)[1] !== name);
  }

  #draft(namespace: string): Draft {
    const draft = this.#drafts.get(namespace);
    if (draft === undefined) throw new Error(`no namespace ${namespace}`);
    return draft;
  }

  #addCommon(): void {
    const namespace = this.#dice.pick(namespaces);
    const name = this.#dice.pick(commonNames);
    const full = qualify(namespace, name);
    if (this.#commons.some((common) => common.name === full) || (this.#dice.chance(0.9) && !this.#isFree(name))) return;
    const model = this.#dice.chance(0.6) ? this.#record(1) : this.#model(this.#dice.pick(["long", "string", "set", "entity", "datetime", "bool"]), 1);
    set(this.#draft(namespace).commonTypes, name, this.#spell(model, namespace));
    this.#commons.push({ name: full, model });
  }

  #enumerated(full: string): EntityModel {
    const [namespace, name] = split(full);
    const ids = this.#dice.some(enumIds, 0.5);
    const held = ids.length === 0 ? ["only"] : ids;
    set(this.#draft(namespace).entityTypes, name, { enum: held });
    return { type: full, ids: held, parents: [], attributes: noAttributes, tags: undefined };
  }

  #standard(full: string, index: number): EntityModel {
    const dice = this.#dice;
    const [namespace, name] = split(full);
    const parents = dice.some(this.#types.map(({ full }) => full).filter((_, at) => at > index || dice.chance(0.1)), 0.25);
    const attributes = this.#record(0);
    const tags = dice.chance(0.5) ? this.#model(dice.pick(["long", "string", "set", "entity", "decimal"]), 1) : undefined;
    set(this.#draft(namespace).entityTypes, name, {
      ...(parents.length > 0 || dice.chance(0.2) ? { memberOfTypes: parents.map((parent) => this.#reference(parent, namespace)) } : {}),
      ...(attributes.attributes.length > 0 || dice.chance(0.5) ? { shape: this.#spell(attributes, namespace) } : {}),
      ...(tags === undefined ? {} : { tags: this.#spell(tags, namespace) }),
    });
    return { type: full, ids: undefined, parents, attributes, tags };
  }

  #actions(): readonly ActionModel[] {
    const dice = this.#dice;
    const made: ActionModel[] = [];
    for (const namespace of namespaces) {
      for (const id of dice.some(actionNames, 0.3)) if (dice.chance(0.02) || made.every(({ uid }) => uid.id !== id)) made.push(this.#action({ type: qualify(namespace, "Action"), id }, namespace, made));
    }
    return made;
  }

  #action(uid: Uid, namespace: string, earlier: readonly ActionModel[]): ActionModel {
    const dice = this.#dice;
    const types = this.#types.map(({ full }) => full);
    const parents = dice.some(earlier, 0.3).map((action) => action.uid);
    const [principals, resources] = [dice.some(types, 0.4), dice.some(types, 0.4)];
    const context = this.#record(0);
    const applies = dice.chance(0.9);
    set(this.#draft(namespace).actions, uid.id, {
      ...(parents.length > 0 ? { memberOf: parents.map(({ type, id }) => (type === uid.type && dice.chance(0.5) ? { id } : { id, type: this.#reference(type, namespace) })) } : {}),
      ...(applies
        ? {
            appliesTo: {
              principalTypes: principals.map((type) => this.#reference(type, namespace)),
              resourceTypes: resources.map((type) => this.#reference(type, namespace)),
              ...(context.attributes.length > 0 || dice.chance(0.3) ? { context: this.#spell(context, namespace) } : {}),
            },
          }
        : {}),
    });
    return applies ? { uid, parents, principals, resources, context } : { uid, parents, principals: [], resources: [], context: noAttributes };
  }

  #record(depth: number): RecordModel {
    const dice = this.#dice;
    const names = dice.some(attributeNames, depth > 0 ? 0.15 : 0.3);
    return { kind: "record", attributes: names.map((name) => [name, { model: this.#model(attributeKinds.get(name) ?? "long", depth + 1), required: dice.chance(0.6) }] as const) };
  }

  #model(kind: Kind, depth: number): Model {
    const dice = this.#dice;
    if (dice.chance(0.05)) return this.#model(dice.pick(["long", "string", "entity", "decimal", "ip"]), depth);
    if (kind === "record") return depth > 2 ? noAttributes : this.#record(depth);
    if (kind === "set") return { kind, element: this.#model(dice.pick(["long", "string", "entity", depth > 2 ? "bool" : "record", depth > 2 ? "ip" : "set"]), depth + 1) };
    if (kind === "entity") return { kind, type: dice.pick(this.#types).full };
    return { kind };
  }

  /** A name as it may be written in a namespace. */
  #reference(full: string, namespace: string): string {
    const [own, name] = split(full);
    return own === namespace && this.#dice.chance(0.7) ? name : full;
  }

  #spell(model: Model, namespace: string): Json {
    const dice = this.#dice;
    const common = dice.chance(0.3) ? this.#commons.find((each) => each.model === model || sameShape(each.model, model)) : undefined;
    if (common !== undefined) {
      const name = this.#reference(common.name, namespace);
      return dice.chance(0.5) ? { type: name } : { type: "EntityOrCommon", name };
    }
    if (model.kind === "set") return { type: "Set", element: this.#spell(model.element, namespace) };
    if (model.kind === "record") return this.#spellRecord(model, namespace);
    if (model.kind === "entity") return { type: dice.chance(0.6) ? "Entity" : "EntityOrCommon", name: this.#reference(model.type, namespace) };
    return this.#spellPlain(model.kind);
  }

  #spellPlain(kind: keyof typeof primitives | keyof typeof extensionTypes): Json {
    if (kind === "long" || kind === "bool" || kind === "string") return this.#spellNamed(primitives[kind], { type: primitives[kind] });
    return this.#spellNamed(extensionTypes[kind], { type: "Extension", name: extensionTypes[kind] });
  }

  #spellNamed(name: string, plain: Json): Json {
    const called = name === "Boolean" ? "Bool" : name;
    return this.#dice.pick<Json>([plain, plain, plain, { type: "EntityOrCommon", name: called }, { type: "EntityOrCommon", name: `__cedar::${called}` }, { type: `__cedar::${called}` }]);
  }

  #spellRecord({ attributes }: RecordModel, namespace: string): Json {
    const spelt = attributes.map(([name, { model, required }]) => {
      const type = { ...(this.#spell(model, namespace) as object), ...(required ? (this.#dice.chance(0.1) ? { required } : {}) : { required }) };
      return [name, type] as const;
    });
    return { type: "Record", attributes: objectOf(spelt), ...(this.#dice.chance(0.1) ? { additionalAttributes: false } : {}) };
  }
}

const noAttributes: RecordModel = { kind: "record", attributes: [] };

/** Only for models without members, whose kind says all. */
function sameShape(left: Model, right: Model): boolean {
  return left.kind === right.kind && left.kind !== "set" && left.kind !== "record" && left.kind !== "entity";
}

export function qualify(namespace: string, name: string): string {
  return namespace === "" ? name : `${namespace}::${name}`;
}

function split(full: string): readonly [string, string] {
  const at = full.lastIndexOf("::");
  return at < 0 ? ["", full] : [full.slice(0, at), full.slice(at + 2)];
}

function bare(): Record<string, Json> {
  return {};
}

function set(held: Record<string, Json>, name: string, value: Json): void {
  Object.defineProperty(held, name, { value, enumerable: true, configurable: true, writable: true });
}
