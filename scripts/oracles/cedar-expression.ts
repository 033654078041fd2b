import type { Dice } from "./cedar-dice.ts";
import type { DataMaker, Json, Uid } from "./cedar-data.ts";
import { attributeKinds, attributeNames, entityTypes, kinds, literal, longs, objectOf, strings, tagNames, type GoodLiterals, type Kind, type LiteralFunction } from "./cedar-world.ts";

/** `entities`: a set of entities, for the right side of `in`. */
type Wanted = Kind | "entities";
type Make = (depth: number) => Json;

export interface ExpressionOptions {
  readonly dice: Dice;
  readonly good: GoodLiterals;
  readonly data: DataMaker;
  readonly types?: readonly string[];
}

const small = {
  long: [0, 1, -1, 2],
  datetime: ["1970-01-01", "1969-12-31", "2024-10-15"],
  duration: ["0ms", "-12h", "86399999ms", "90m", "-1ms"],
} as const;

/** Expressions of every form, mostly of the kind that is asked for, so that most of them have a value. */
export class ExpressionMaker {
  readonly forms = new Map<string, number>();
  readonly #dice: Dice;
  readonly #good: GoodLiterals;
  readonly #data: DataMaker;
  readonly #types: readonly string[];
  readonly #makers: Readonly<Record<Wanted, readonly Make[]>>;
  readonly #leaves: Readonly<Record<Wanted, () => Json>>;

  constructor({ dice, good, data, types = entityTypes }: ExpressionOptions) {
    this.#dice = dice;
    this.#good = good;
    this.#data = data;
    this.#types = types;
    this.#leaves = this.#makeLeaves();
    this.#makers = this.#makeMakers();
  }

  /** A condition: a boolean that is as such, or the comparison of anything with something near it. */
  condition(): Json {
    return this.#dice.chance(0.5) ? this.expression("bool", 1 + this.#dice.below(4)) : this.#observation();
  }

  expression(wanted: Wanted, depth: number): Json {
    const dice = this.#dice;
    const kind = dice.chance(0.03) ? dice.pick(kinds) : wanted;
    if (depth <= 0) return this.#leaves[kind]();
    const chance = dice.next();
    if (chance < 0.1) return this.#form("if-then-else", branches(this.expression("bool", depth - 1), this.expression(kind, depth - 1), this.expression(kind, depth - 1)));
    if (chance < 0.36) return this.#attribute(kind, depth);
    if (chance < 0.4) return this.#form("getTag", { left: this.expression("entity", depth - 1), right: this.#tagName(depth) });
    return dice.pick(this.#makers[kind])(depth);
  }

  #form(name: string, body: Json): Json {
    this.forms.set(name, (this.forms.get(name) ?? 0) + 1);
    return { [name]: body };
  }

  #attribute(kind: Wanted, depth: number): Json {
    const names = attributeNames.filter((name) => attributeKinds.get(name) === kind);
    if (names.length === 0) return this.#dice.pick(this.#makers[kind])(depth);
    return this.#form(".", { left: this.#holder(depth), attr: this.#dice.pick(names) });
  }

  #holder(depth: number): Json {
    return this.expression(this.#dice.chance(0.5) ? "entity" : "record", depth - 1);
  }

  #tagName(depth: number): Json {
    return this.#dice.chance(0.8) ? { Value: this.#dice.pick(tagNames) } : this.expression("string", depth - 1);
  }

  #call(fn: string, args: readonly Json[]): Json {
    return this.#form(fn, args);
  }

  #literalCall(fn: LiteralFunction): Json {
    return this.#call(fn, [{ Value: literal(this.#dice, this.#good, fn, 0.08) }]);
  }

  #uid(): Uid {
    const { id } = this.#data.uid();
    return { type: this.#dice.pick(this.#types), id };
  }

  #makeLeaves(): Readonly<Record<Wanted, () => Json>> {
    const dice = this.#dice;
    const entity = () => (dice.chance(0.5) ? { Value: { __entity: this.#uid() } } : { Var: dice.pick(["principal", "action", "resource"]) });
    return {
      long: () => ({ Value: this.#data.long() }),
      bool: () => ({ Value: dice.chance(0.5) }),
      string: () => ({ Value: dice.pick(strings) }),
      entity,
      entities: () => ({ Set: [{ Value: { __entity: this.#uid() } }] }),
      set: () => dice.pick<Json>([{ Set: [] }, { Value: [] }, { Value: this.#data.value("set") }]),
      record: () => (dice.chance(0.9) ? { Var: "context" } : { Value: this.#data.record(1, 0.4) }),
      datetime: () => this.#literalCall("datetime"),
      duration: () => this.#literalCall("duration"),
      ip: () => this.#literalCall("ip"),
      decimal: () => this.#literalCall("decimal"),
    };
  }

  #binary(names: readonly string[], left: () => Wanted, right: (left: Wanted) => Wanted = (kind) => kind): Make {
    return (depth) => {
      const kind = left();
      return this.#form(this.#dice.pick(names), { left: this.expression(kind, depth - 1), right: this.expression(right(kind), depth - 1) });
    };
  }

  #method(names: readonly string[], ...takes: readonly Wanted[]): Make {
    return (depth) => {
      const args = takes.map((kind) => this.expression(kind, depth - 1));
      if (this.#dice.chance(0.02)) args.push({ Value: 1 });
      return this.#call(this.#dice.pick(names), args);
    };
  }

  #makeMakers(): Readonly<Record<Wanted, readonly Make[]>> {
    const dice = this.#dice;
    const leaf = (kind: Wanted): Make => () => this.#leaves[kind]();
    const group = (): Wanted => (dice.chance(0.6) ? "entity" : "entities");
    return {
      bool: [...this.#logic(), ...this.#sets(group), ...this.#looks(group)],
      long: [
        this.#binary(["+", "-"], () => "long"),
        this.#binary(["*"], () => "long"),
        (depth) => this.#form("neg", { arg: this.expression("long", depth - 1) }),
        this.#method(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"], "duration"),
        leaf("long"),
      ],
      string: [leaf("string")],
      entity: [leaf("entity")],
      entities: [(depth) => this.#form("Set", dice.times(3, () => this.expression("entity", depth - 1))), leaf("entities"), leaf("entity")],
      set: [(depth) => this.#setOf(depth), (depth) => this.#setOf(depth), leaf("set")],
      record: [(depth) => this.#record(depth), leaf("record")],
      datetime: [this.#method(["offset"], "datetime", "duration"), this.#method(["toDate"], "datetime"), leaf("datetime")],
      duration: [this.#method(["durationSince"], "datetime", "datetime"), this.#method(["toTime"], "datetime"), leaf("duration")],
      ip: [leaf("ip")],
      decimal: [leaf("decimal")],
    };
  }

  #logic(): readonly Make[] {
    const dice = this.#dice;
    const any = (): Kind => dice.pick(kinds);
    return [
      this.#binary(["&&"], () => "bool"),
      this.#binary(["||"], () => "bool"),
      (depth) => this.#form("!", { arg: this.expression("bool", depth - 1) }),
      this.#binary(["==", "!="], any),
      this.#binary(["=="], any, () => any()),
      this.#binary(["<", "<=", ">", ">="], () => "long"),
      this.#binary(["<", "<=", ">", ">="], () => dice.pick(["datetime", "duration", "decimal"])),
    ];
  }

  #sets(group: () => Wanted): readonly Make[] {
    const dice = this.#dice;
    return [
      this.#binary(["in"], () => "entity", group),
      this.#binary(["in"], () => "entity", group),
      this.#binary(["contains"], () => "set", () => dice.pick(kinds)),
      this.#binary(["containsAll", "containsAny"], () => "set"),
      (depth) => this.#nearSets(depth),
      (depth) => this.#form("isEmpty", { arg: this.expression("set", depth - 1) }),
    ];
  }

  /** Two sets that share members. */
  #nearSets(depth: number): Json {
    const kind = this.#dice.pick(kinds);
    const shared = this.expression(kind, depth - 1);
    const set = () => ({ Set: this.#dice.some([shared, this.expression(kind, depth - 1), shared], 0.7) });
    const name = this.#dice.pick(["containsAll", "containsAny", "==", "contains"]);
    return this.#form(name, { left: set(), right: name === "contains" ? shared : set() });
  }

  #looks(group: () => Wanted): readonly Make[] {
    const dice = this.#dice;
    const type = () => dice.pick(this.#types);
    return [
      (depth) => this.#form("hasTag", { left: this.expression("entity", depth - 1), right: this.#tagName(depth) }),
      (depth) => this.#form("has", { left: this.#holder(depth), attr: dice.pick(attributeNames) }),
      (depth) => this.#form("has", { left: this.#holder(depth), attr: [dice.pick(["rec", "e"]), ...dice.times(2, () => dice.pick(["rec", "e", "a", "__proto__"]))] }),
      (depth) => this.#form("like", { left: this.expression("string", depth - 1), pattern: this.#pattern() }),
      (depth) => this.#form("is", { left: this.expression("entity", depth - 1), entity_type: type(), ...(dice.chance(0.5) ? { in: this.expression(group(), depth - 1) } : {}) }),
      this.#method(["isIpv4", "isIpv6", "isLoopback", "isMulticast"], "ip"),
      this.#method(["isInRange"], "ip", "ip"),
      this.#method(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"], "decimal", "decimal"),
    ];
  }

  #pattern(): Json {
    const pieces = ["a", "b", "c", "*", "é", "\u{1F600}", "/", "foo", "", "\n"];
    return Array.from({ length: this.#dice.below(5) }, () => (this.#dice.chance(0.5) ? "Wildcard" : { Literal: this.#dice.pick(pieces) }));
  }

  #setOf(depth: number): Json {
    const kind = this.#dice.pick(kinds);
    return this.#form("Set", this.#dice.times(4, () => this.expression(kind, depth - 1)));
  }

  #record(depth: number): Json {
    const names = this.#dice.some(attributeNames, 0.2);
    return this.#form("Record", objectOf(names.map((name) => [name, this.expression(attributeKinds.get(name) ?? "long", depth - 1)] as const)));
  }

  #observation(): Json {
    const dice = this.#dice;
    const kind = dice.pick(["long", "long", "datetime", "duration", "set", "record", "bool", "string", "decimal", "ip"] as const);
    const seen = this.expression(kind, 1 + dice.below(2));
    if (dice.chance(0.5) && (kind === "long" || kind === "datetime" || kind === "duration")) {
      const near = kind === "long" ? { Value: dice.pick([...small.long, ...longs]) } : { [kind]: [{ Value: dice.pick(small[kind]) }] };
      return this.#form(dice.pick(["==", "<", "<=", "!=", ">", ">="]), { left: seen, right: near });
    }
    if (dice.chance(0.3)) return this.#form("==", { left: { Set: [seen, seen, this.expression(kind, 1)] }, right: { Set: [seen, this.expression(kind, 1)] } });
    return this.#form("==", { left: seen, right: this.expression(kind, 1 + dice.below(2)) });
  }
}

/** From entries: an object literal with `then` looks like a promise to a reader, and to the linter. */
export function branches(condition: Json, yes: Json, no: Json): Json {
  return Object.fromEntries(["if", "then", "else"].map((name, index) => [name, [condition, yes, no][index]]));
}
