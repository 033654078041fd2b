import type { DataMaker, Json, Uid } from "./cedar-data.ts";
import type { Dice } from "./cedar-dice.ts";
import { mutate } from "./cedar-mutate.ts";
import type { EntityModel, Model, RecordModel, SchemaModel } from "./cedar-schema.ts";
import { attributeNames, constructorOf, ids, kinds, literal, objectOf, strings, tagNames, type GoodLiterals } from "./cedar-world.ts";
import type { Call } from "./cedar-wasm.ts";

export interface TypedOptions {
  readonly dice: Dice;
  readonly good: GoodLiterals;
  readonly data: DataMaker;
  readonly schema: SchemaModel;
  /** What policies compare with; drawn from most of the time, as chance alone seldom meets a constant. */
  readonly constants?: Constants;
}

export interface Constants {
  readonly strings: readonly string[];
  readonly longs: readonly (number | bigint)[];
  readonly datetimes: readonly string[];
  readonly durations: readonly string[];
  readonly ids: ReadonlyMap<string, readonly string[]>;
}

/** Values, entities and requests that conform to a schema, and such as nearly do. */
export class TypedMaker {
  readonly #dice: Dice;
  readonly #good: GoodLiterals;
  readonly #data: DataMaker;
  readonly #schema: SchemaModel;
  readonly #constants: Constants | undefined;

  constructor({ dice, good, data, schema, constants }: TypedOptions) {
    this.#constants = constants;
    this.#dice = dice;
    this.#good = good;
    this.#data = data;
    this.#schema = schema;
  }

  /** A request with its entities; `twist` makes one part of it doubtful. */
  call(twist: boolean): Call {
    const dice = this.#dice;
    const action = dice.chance(0.95) && this.#schema.actions.length > 0 ? dice.pick(this.#schema.actions) : undefined;
    const call: Call = {
      principal: this.#party(action?.principals),
      action: action?.uid ?? { type: "Action", id: "unknown" },
      resource: this.#party(action?.resources),
      context: action === undefined ? {} : this.#record(action.context),
      entities: this.#entities(),
    };
    return twist ? this.#twisted(call) : call;
  }

  #twisted(call: Call): Call {
    const dice = this.#dice;
    const mutation = { dice, junk: () => this.#junk(), names: [...attributeNames, "__entity", "__extn", "type", "id", "fn", "arg", "more", "tags"] };
    const part = dice.pick(["context", "context", "entities", "entities", "entities", "principal", "resource", "action", "actionEntity"] as const);
    if (part === "actionEntity") return { ...call, entities: [...(call.entities as readonly Json[]), this.#actionEntity()] };
    let value: Json = call[part];
    for (let count = 1 + dice.below(2); count > 0; count--) value = mutate(value, mutation);
    return { ...call, [part]: value };
  }

  #junk(): Json {
    const dice = this.#dice;
    if (dice.chance(0.3)) return { type: dice.pick(this.#schema.entities).type, id: dice.pick(ids) };
    if (dice.chance(0.2)) return dice.pick([...strings, ...this.#good.datetime, ...this.#good.ip, "red", "A", "N::C"]);
    return this.#data.value(dice.pick(kinds), 1);
  }

  /** An action given among the entities: only as the schema has it may it be there. */
  #actionEntity(): Json {
    const dice = this.#dice;
    if (this.#schema.actions.length === 0) return { uid: { type: "Action", id: "x" }, attrs: {}, parents: [] };
    const { uid, parents } = dice.pick(this.#schema.actions);
    const all = [...parents, ...parents.flatMap((parent) => this.#schema.actions.find((action) => same(action.uid, parent))?.parents ?? [])];
    return { uid, attrs: dice.chance(0.1) ? { a: 1 } : {}, parents: dice.chance(0.4) ? parents : dice.chance(0.6) ? all : dice.some(all, 0.5) };
  }

  #party(types: readonly string[] | undefined): Uid {
    const dice = this.#dice;
    if (types !== undefined && types.length > 0 && dice.chance(0.97)) return this.#uid(dice.pick(types));
    return dice.chance(0.5) ? this.#uid(dice.pick(this.#schema.entities).type) : this.#data.uid();
  }

  #uid(type: string): Uid {
    const known = this.#schema.entities.find((entity) => entity.type === type)?.ids;
    return { type, id: this.#dice.pick(known ?? this.#idsOf(type)) };
  }

  #idsOf(type: string): readonly string[] {
    return this.#constants?.ids.get(type) ?? ids.slice(0, 3);
  }

  #entities(): readonly Json[] {
    const dice = this.#dice;
    const share = this.#constants === undefined ? 0.6 : dice.pick([0.7, 0.95, 1]);
    return dice.some(this.#schema.entities, share).flatMap((entity) => dice.some(entity.ids ?? this.#idsOf(entity.type), 0.8).map((id) => this.#entity(entity, id)));
  }

  #entity({ type, parents, attributes, tags }: EntityModel, id: string): Json {
    const dice = this.#dice;
    const above = dice.some(parents, 0.4).map((parent) => this.#uid(parent)).filter((parent) => parent.type !== type);
    const held = tags === undefined ? undefined : objectOf(dice.some(tagNames, 0.5).map((name) => [name, this.value(tags)] as const));
    return { uid: { type, id }, attrs: this.#record(attributes), parents: above, ...(held === undefined ? {} : { tags: held }) };
  }

  #record({ attributes }: RecordModel): Json {
    return objectOf(attributes.filter(([, { required }]) => required || this.#dice.chance(0.6)).map(([name, { model }]) => [name, this.value(model)] as const));
  }

  value(model: Model): Json {
    if (model.kind === "set") return this.#dice.times(3, () => this.value(model.element));
    if (model.kind === "record") return this.#record(model);
    if (model.kind === "entity") return this.#entityValue(this.#uid(model.type));
    return model.kind === "long" || model.kind === "bool" || model.kind === "string" ? this.#plain(model.kind) : this.#extension(model.kind);
  }

  #plain(kind: "long" | "bool" | "string"): Json {
    if (this.#constants === undefined || kind === "bool" || this.#dice.chance(0.1)) return this.#data.value(kind);
    const known = kind === "long" ? this.#constants.longs : this.#constants.strings;
    return known.length === 0 ? this.#data.value(kind) : this.#dice.pick<Json>(known);
  }

  #literal(kind: "decimal" | "datetime" | "duration" | "ip"): string {
    const known = kind === "datetime" ? this.#constants?.datetimes : kind === "duration" ? this.#constants?.durations : undefined;
    return known === undefined || known.length === 0 ? literal(this.#dice, this.#good, constructorOf[kind], 0.002) : this.#dice.pick(known);
  }

  #entityValue(uid: Uid): Json {
    return this.#dice.pick<Json>([uid, { __entity: uid }, { ...uid, more: 1 }, { __entity: uid, type: "A", id: "0" }]);
  }

  #extension(kind: "decimal" | "datetime" | "duration" | "ip"): Json {
    const dice = this.#dice;
    const fn = constructorOf[kind];
    const arg = this.#literal(kind);
    const forms: Json[] = [arg, { __extn: { fn, arg } }, { fn, arg }, { fn, args: [arg] }, { __extn: { fn, args: [arg], more: 1 } }];
    if (kind === "datetime") forms.push({ fn: "offset", args: [arg, dice.pick(["1h", "-1d", "0ms"])] }, { __extn: { fn: "toDate", args: [{ fn, arg }] } });
    if (kind === "duration") forms.push({ fn: "toTime", arg: dice.pick(this.#good.datetime) }, { fn: "durationSince", args: ["2024-10-15", { __extn: { fn: "datetime", arg: "1970-01-01" } }] });
    return dice.pick(forms);
  }
}

function same(left: Uid, right: Uid): boolean {
  return left.type === right.type && left.id === right.id;
}
