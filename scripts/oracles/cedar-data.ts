import type { Dice } from "./cedar-dice.ts";
import { actionIds, attributeKinds, attributeNames, constructorOf, entityTypes, ids, kinds, literal, longs, objectOf, strings, tagNames, type GoodLiterals, type Kind } from "./cedar-world.ts";

export type Json = unknown;

const smallDurations = ["1d2h3m4s5ms", "-1d", "0ms", "90m", "-12h"];

export interface Uid {
  readonly type: string;
  readonly id: string;
}

export interface DataOptions {
  readonly dice: Dice;
  readonly good: GoodLiterals;
  /** How often something is wrong on purpose. */
  readonly badness: number;
  /** Only longs that a JavaScript number holds. */
  readonly safe?: boolean;
  /** How many ids there are of each type: with few, what is named is met. */
  readonly idsPerType?: number;
}

/** Values without a schema: mostly of the kind that is asked for. */
export class DataMaker {
  readonly #dice: Dice;
  readonly #good: GoodLiterals;
  readonly #badness: number;
  readonly #makers: Readonly<Record<Kind, (depth: number) => Json>>;

  readonly #longs: readonly bigint[];
  readonly #ids: readonly string[];

  constructor({ dice, good, badness, safe = false, idsPerType = ids.length }: DataOptions) {
    this.#ids = ids.slice(0, idsPerType);
    this.#longs = safe ? longs.filter((each) => BigInt(Number(each)) === each && Number.isSafeInteger(Number(each))) : longs;
    this.#dice = dice;
    this.#good = good;
    this.#badness = badness;
    const call = (fn: "decimal" | "datetime" | "duration" | "ip") => () => this.#call(fn);
    this.#makers = {
      long: () => this.long(),
      bool: () => dice.chance(0.5),
      string: () => dice.pick(strings),
      entity: () => ({ __entity: this.uid() }),
      set: (depth) => this.#set(depth),
      record: (depth) => this.record(depth, depth > 0 ? 0.4 : 0.92),
      datetime: call("datetime"),
      duration: call("duration"),
      ip: call("ip"),
      decimal: call("decimal"),
    };
  }

  uid(): Uid {
    return { type: this.#dice.pick(entityTypes), id: this.#dice.pick(this.#ids) };
  }

  action(): Uid {
    return { type: "Action", id: this.#dice.pick(actionIds) };
  }

  long(): number | bigint {
    const value = this.#dice.pick(this.#longs);
    return Number.isSafeInteger(Number(value)) && BigInt(Number(value)) === value ? Number(value) : value;
  }

  value(kind: Kind, depth = 0): Json {
    if (this.#dice.chance(this.#badness)) return this.#bad();
    return this.#makers[kind](depth);
  }

  record(depth: number, share: number): Json {
    if (depth > 2) return {};
    return objectOf(this.#dice.some(attributeNames, share).map((name) => [name, this.value(attributeKinds.get(name) ?? "long", depth + 1)] as const));
  }

  /** Entities, each below later ones only, so that there are no cycles; now and then there are. */
  entities(): readonly Json[] {
    const dice = this.#dice;
    const all = entityTypes.flatMap((type) => this.#ids.map((id) => ({ type, id })));
    const share = dice.pick([0.2, 0.4, 0.9]);
    const upwards = (from: number) => dice.times(2, () => dice.pick(all)).filter((parent) => all.indexOf(parent) > from || dice.chance(this.#badness));
    const entities: Json[] = all.flatMap((uid, index) =>
      dice.chance(share) ? [{ uid: dice.chance(0.3) ? { __entity: uid } : uid, attrs: this.record(0, 0.9), parents: upwards(index), ...this.#tags() }] : [],
    );
    entities.push(...this.actions());
    if (dice.chance(this.#badness * 3) && entities.length > 0) entities.push(dice.pick(entities));
    if (dice.chance(this.#badness * 3)) entities.push(this.#badEntity());
    return entities;
  }

  /** Entities that have nothing but parents. */
  hierarchy(): readonly Json[] {
    const all = entityTypes.flatMap((type) => this.#ids.map((id) => ({ type, id })));
    const below = all.map((uid, index) => ({ uid, attrs: {}, parents: this.#dice.times(2, () => this.#dice.pick(all)).filter((parent) => all.indexOf(parent) > index) }));
    return [...this.#dice.some(below, 0.8), ...this.actions()];
  }

  /** Actions with the groups that they are in, if there are any. */
  actions(): readonly Json[] {
    const action = (id: string, parents: readonly string[]) => ({ uid: { type: "Action", id }, attrs: {}, parents: parents.map((parent) => ({ type: "Action", id: parent })) });
    return this.#dice.pick([[], [action("x", ["g"])], [action("x", ["y"]), action("y", ["g"])], [action("y", ["x", "g"])], [action("g", ["x"])]]);
  }

  #tags(): { readonly tags?: Json } {
    if (this.#dice.chance(0.2)) return {};
    return { tags: objectOf(this.#dice.some(tagNames, 0.85).map((name) => [name, this.value(attributeKinds.get(name) ?? "long", 1)] as const)) };
  }

  #set(depth: number): Json {
    const kind = this.#dice.pick(depth > 1 ? (["long", "string", "entity", "bool"] as const) : kinds);
    return this.#dice.times(4, () => this.value(this.#dice.chance(0.1) ? this.#dice.pick(kinds.slice(0, 4)) : kind, depth + 1));
  }

  #call(fn: "decimal" | "datetime" | "duration" | "ip"): Json {
    const arg = literal(this.#dice, this.#good, constructorOf[fn], this.#badness);
    if (fn === "datetime" && this.#dice.chance(0.1)) return { __extn: { fn: "offset", args: [{ __extn: { fn, arg } }, { __extn: { fn: "duration", arg: this.#dice.pick(smallDurations) } }] } };
    return { __extn: this.#dice.chance(0.8) ? { fn, arg } : { fn, args: [arg] } };
  }

  /** What is no value, or looks like another. */
  #bad(): Json {
    const uid = this.uid();
    return this.#dice.pick<() => Json>([
      () => null,
      () => 1.5,
      () => 9223372036854775808n,
      () => -9223372036854775809n,
      () => "\ud800",
      () => ({ __entity: { type: uid.type } }),
      () => ({ __entity: { ...uid, more: 1 } }),
      () => ({ __entity: uid, more: 1 }),
      () => ({ __entity: { type: "A B", id: "1" } }),
      () => ({ __entity: { type: "in", id: "1" } }),
      () => ({ __entity: { type: "__cedar::A", id: "1" } }),
      () => ({ __entity: { type: 1, id: "1" } }),
      () => ({ __entity: "A" }),
      () => ({ __expr: "1" }),
      () => ({ __expr: 1 }),
      () => ({ __expr: "1", more: 1 }),
      () => ({ __extn: { fn: "nothing", arg: "1" } }),
      () => ({ __extn: { fn: "decimal", arg: 1 } }),
      () => ({ __extn: { fn: "decimal", args: ["1.0", "2.0"] } }),
      () => ({ __extn: { fn: "decimal", args: [] } }),
      () => ({ __extn: { fn: "decimal" } }),
      () => ({ __extn: { arg: "1.0" } }),
      () => ({ __extn: { fn: "toDate", arg: { __extn: { fn: "datetime", arg: "2024-10-15T11:38:02Z" } } } }),
      () => ({ __extn: { fn: "isIpv4", arg: { __extn: { fn: "ip", arg: "::1" } } } }),
      () => ({ __extn: { fn: "toDays", arg: { __extn: { fn: "duration", arg: "49h" } } } }),
      () => ({ __extn: { fn: "toDays", arg: "49h" } }),
      () => ({ fn: "decimal", arg: "1.0" }),
      () => uid,
      () => [[[]]],
      () => ({}),
    ])();
  }

  #badEntity(): Json {
    const uid = this.uid();
    return this.#dice.pick<() => Json>([
      () => ({ uid, attrs: {} }),
      () => ({ uid, parents: [] }),
      () => ({ attrs: {}, parents: [] }),
      () => ({ uid: { ...uid, more: 1 }, attrs: {}, parents: [] }),
      () => ({ uid, attrs: {}, parents: [], more: 1 }),
      () => ({ uid, attrs: {}, parents: [uid] }),
      () => ({ uid, attrs: {}, parents: [{ type: "A" }] }),
      () => ({ uid, attrs: {}, parents: null }),
      () => ({ uid, attrs: null, parents: [] }),
      () => ({ uid, attrs: {}, parents: [], tags: null }),
      () => ({ uid: { type: "A b", id: "1" }, attrs: {}, parents: [] }),
      () => ({ uid: { type: "Action", id: "q" }, attrs: {}, parents: [uid] }),
      () => ({ uid: { __expr: "A" }, attrs: {}, parents: [] }),
      () => ({ uid: "A", attrs: {}, parents: [] }),
      () => 7,
      () => null,
    ])();
  }
}
