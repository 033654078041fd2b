import { choiceExpr, infixExpr } from "./format-view.ts";
import type { ActionScopeJson, CedarValueJson, ClauseJson, EntityJson, ExprJson, PolicyJson, ScopeJson, TypeAndId } from "./json.ts";

/** Random Cedar of every form, from a seed: what the tests of text and residuals ask cedar-wasm about. */
export type Kind = "long" | "bool" | "str" | "ent" | "ents" | "set" | "rec" | "dt" | "du" | "ip" | "dec";

const kinds: readonly Kind[] = ["long", "bool", "str", "ent", "set", "rec", "dt", "du", "ip", "dec"];
const types = ["A", "B", "N::C"];
const ids = ["0", "1", "2", "", "x y", '"q"', "__proto__", "é\u{1F600}"];
const tags = ["a", "b", "s"];
const attributes: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ["a", "long"], ["flag", "bool"], ["n", "long"], ["s", "str"], ["e", "ent"], ["set", "set"], ["rec", "rec"], ["dt", "dt"], ["du", "du"],
  ["ip", "ip"], ["dec", "dec"], ["__proto__", "long"], ["toString", "bool"], ["a b", "str"], ["if", "bool"], ["", "long"],
]);
const names = [...attributes.keys()];
const longs = [0n, 1n, -1n, 2n, 7n, 100n, 86_400_000n, 9007199254740991n, 9007199254740993n, 4611686018427387904n, 9223372036854775807n, -9223372036854775808n];
const strings = ["", "a", "ab", "abc", "*", "a*b", "é", "\u{1F600}", "x\ny", "\\\"'\0\u0007\u202e", "__proto__", "10.0.0.1", "foo/bar/baz"];
const literals: Readonly<Record<"dt" | "du" | "ip" | "dec", readonly [string, readonly string[], readonly string[]]>> = {
  dt: ["datetime", ["2024-10-15", "0000-01-01", "9999-12-31T23:59:59.999Z", "2024-10-15T11:38:02.101+1134", "1969-12-31T23:59:59.999Z", "1970-01-01", "0000-01-01T00:00:00+2359"], ["2023-02-29", "x"]],
  du: ["duration", ["1d2h3m4s5ms", "-1d", "0ms", "90m", "9223372036854775807ms", "-9223372036854775808ms", "-12h"], ["", "106751991168d"]],
  ip: ["ip", ["10.0.0.1", "10.0.0.0/8", "127.0.0.1", "::1", "::1/127", "ff00::/8", "0.0.0.0/0", "2001:0DB8::1"], ["256.1.1.1", "1::2::3"]],
  dec: ["decimal", ["0.0", "1.5", "-1.50", "922337203685477.5807", "-922337203685477.5808", "-0.0001"], ["1.23456", "1."]],
};

export interface World {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Readonly<Record<string, CedarValueJson>>;
  readonly entities: readonly EntityJson[];
}

/** An object with these own fields, `__proto__` among them. */
export function recordOf<T>(fields: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  return Object.fromEntries(fields);
}

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0;
  }

  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  below(bound: number): number {
    return Math.floor(this.next() * bound);
  }

  chance(part: number): boolean {
    return this.next() < part;
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    if (found === undefined) throw new Error("nothing to pick from");
    return found;
  }

  times<T>(count: number, make: () => T): readonly T[] {
    return Array.from({ length: count }, make);
  }

  uid(): TypeAndId {
    return { type: this.pick(types), id: this.pick(ids) };
  }

  action(): TypeAndId {
    return { type: "Action", id: this.pick(["x", "y", "g"]) };
  }
}

const long = (value: bigint): number | bigint => (Number.isSafeInteger(Number(value)) ? Number(value) : value);

type LiteralKind = keyof typeof literals;

function isLiteralKind(kind: Kind): kind is LiteralKind {
  return kind in literals;
}

export function randomValue(random: Random, kind: Kind, depth = 0): CedarValueJson {
  if (isLiteralKind(kind)) return { __extn: { fn: literals[kind][0], arg: random.pick(literals[kind][1]) } };
  return valueMakers[kind](random, depth);
}

const valueMakers: Readonly<Record<Exclude<Kind, LiteralKind>, (random: Random, depth: number) => CedarValueJson>> = {
  long: (random) => long(random.pick(longs)),
  bool: (random) => random.chance(0.5),
  str: (random) => random.pick(strings),
  ent: (random) => ({ __entity: random.uid() }),
  ents: (random) => random.times(random.below(3), () => ({ __entity: random.uid() })),
  set: (random, depth) => {
    const of = random.pick(depth > 1 ? kinds.slice(0, 4) : kinds);
    return random.times(random.below(4), () => randomValue(random, random.chance(0.1) ? random.pick(kinds.slice(0, 4)) : of, depth + 1));
  },
  rec: (random, depth) => (depth > 1 ? {} : randomRecord(random, depth === 0 ? 0.9 : 0.5, depth + 1)),
};

export function randomRecord(random: Random, share: number, depth = 1): Readonly<Record<string, CedarValueJson>> {
  return recordOf([...attributes].filter(() => random.chance(share)).map(([name, kind]) => [name, randomValue(random, kind, depth)] as const));
}

function literal(random: Random, kind: Kind): ExprJson {
  if (isLiteralKind(kind)) return { [literals[kind][0]]: [{ Value: random.pick(literals[kind][random.chance(0.93) ? 1 : 2]) }] };
  if (kind === "ent") return random.chance(0.4) ? { Value: { __entity: random.uid() } } : { Var: random.pick(["principal", "action", "resource"] as const) };
  if (kind === "ents") return { Set: random.times(random.below(3), () => ({ Value: { __entity: random.uid() } })) };
  if (kind === "rec") return { Var: "context" };
  return kind === "set" ? { Set: [] } : { Value: randomValue(random, kind) };
}

type Maker = (random: Random, depth: number) => ExprJson;

const both = (op: string, left: Kind, right: Kind): Maker => (random, depth) => infixExpr(op, randomExpr(random, left, depth), randomExpr(random, right, depth));
const method = (fn: string, ...of: readonly Kind[]): Maker => (random, depth) => ({ [fn]: of.map((kind) => randomExpr(random, kind, depth)) });
const of = (random: Random, depth: number): ExprJson => randomExpr(random, random.chance(0.5) ? "ent" : "rec", depth);

function randomLike(random: Random, depth: number): ExprJson {
  const pattern = random.times(1 + random.below(4), () => (random.chance(0.5) ? ("Wildcard" as const) : { Literal: random.pick(["a", "b", "*", "é", "\u{1F600}", "/", "\\"]) }));
  return { like: { left: randomExpr(random, "str", depth), pattern } };
}

function randomIs(random: Random, depth: number): ExprJson {
  const left = randomExpr(random, "ent", depth);
  return { is: { left, entity_type: random.pick(types), ...(random.chance(0.5) && { in: randomExpr(random, random.chance(0.6) ? "ent" : "ents", depth) }) } };
}

const anyTwo = (op: string): Maker => (random, depth) => {
  const kind = random.pick(kinds);
  return both(op, kind, kind)(random, depth);
};
const ordered: Maker = (random, depth) => {
  const kind = random.pick(["long", "dt", "du"] as const);
  return both(random.pick(["<", "<=", ">", ">="]), kind, kind)(random, depth);
};

const makers: Readonly<Partial<Record<Kind, readonly Maker[]>>> = {
  bool: [
    both("&&", "bool", "bool"), both("&&", "bool", "bool"), both("||", "bool", "bool"), both("||", "bool", "bool"),
    (random, depth) => ({ "!": { arg: randomExpr(random, "bool", depth) } }),
    anyTwo("=="), anyTwo("!="), ordered, ordered, both("in", "ent", "ent"), both("in", "ent", "ents"),
    (random, depth) => both("contains", "set", random.pick(kinds))(random, depth),
    both("containsAll", "set", "set"), both("containsAny", "set", "set"),
    (random, depth) => ({ isEmpty: { arg: randomExpr(random, "set", depth) } }),
    (random, depth) => ({ hasTag: { left: randomExpr(random, "ent", depth), right: { Value: random.pick(tags) } } }),
    (random, depth) => ({ has: { left: of(random, depth), attr: random.pick(names) } }),
    (random, depth) => ({ has: { left: of(random, depth), attr: random.pick(names) } }),
    (random, depth) => ({ has: { left: of(random, depth), attr: [random.pick(["rec", "e"]), random.pick(names)] } }),
    randomLike, randomIs,
    (random, depth) => method(random.pick(["isIpv4", "isIpv6", "isLoopback", "isMulticast"]), "ip")(random, depth),
    method("isInRange", "ip", "ip"),
    (random, depth) => method(random.pick(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"]), "dec", "dec")(random, depth),
  ],
  long: [
    both("+", "long", "long"), both("-", "long", "long"), both("*", "long", "long"),
    (random, depth) => ({ neg: { arg: randomExpr(random, "long", depth) } }),
    (random, depth) => method(random.pick(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"]), "du")(random, depth),
  ],
  ents: [(random, depth) => ({ Set: random.times(random.below(3), () => randomExpr(random, "ent", depth)) })],
  set: [(random, depth) => ({ Set: random.times(random.below(4), () => randomExpr(random, random.pick(kinds), depth)) })],
  rec: [(random, depth) => ({ Record: recordOf([...attributes].filter(() => random.chance(0.15)).map(([name, kind]) => [name, randomExpr(random, kind, depth)] as const)) })],
  dt: [method("offset", "dt", "du"), method("toDate", "dt")],
  du: [method("durationSince", "dt", "dt"), method("toTime", "dt")],
};

export function randomExpr(random: Random, wanted: Kind, depth: number): ExprJson {
  const kind = random.chance(0.03) ? random.pick(kinds) : wanted;
  if (depth <= 0) return literal(random, kind);
  const roll = random.next();
  if (roll < 0.1) return choiceExpr(randomExpr(random, "bool", depth - 1), randomExpr(random, kind, depth - 1), randomExpr(random, kind, depth - 1));
  const fitting = names.filter((name) => attributes.get(name) === kind);
  if (roll < 0.45 && fitting.length > 0) return { ".": { left: of(random, depth - 1), attr: random.pick(fitting) } };
  if (roll < 0.49) return { getTag: { left: randomExpr(random, "ent", depth - 1), right: { Value: random.pick(tags) } } };
  const make = makers[kind];
  return make === undefined ? literal(random, kind) : random.pick(make)(random, depth - 1);
}

function randomScope(random: Random): ScopeJson {
  const roll = random.next();
  if (roll < 0.7) return { op: "All" };
  if (roll < 0.78) return { op: "==", entity: random.uid() };
  if (roll < 0.86) return { op: "in", entity: random.uid() };
  return { op: "is", entity_type: random.pick(types), ...(roll < 0.93 && { in: { entity: random.uid() } }) };
}

function randomActionScope(random: Random): ActionScopeJson {
  const roll = random.next();
  if (roll < 0.7) return { op: "All" };
  if (roll < 0.8) return { op: "==", entity: random.action() };
  return roll < 0.9 ? { op: "in", entity: random.action() } : { op: "in", entities: [random.action(), random.action()] };
}

export function randomPolicy(random: Random, depth = 4): PolicyJson {
  const clause = (): ClauseJson => ({ kind: random.chance(0.7) ? "when" : "unless", body: randomExpr(random, "bool", 1 + random.below(depth)) });
  return {
    effect: random.chance(0.5) ? "permit" : "forbid",
    principal: randomScope(random),
    action: randomActionScope(random),
    resource: randomScope(random),
    conditions: random.times(1 + random.below(2), clause),
    ...(random.chance(0.3) && { annotations: { id: random.pick(strings), if: "x", bare: null } }),
  };
}

export function randomWorld(random: Random): World {
  const uids = types.flatMap((type) => ids.map((id) => ({ type, id })));
  const present = uids.filter(() => random.chance(0.85));
  const rank = (uid: TypeAndId) => uids.findIndex((other) => other.type === uid.type && other.id === uid.id);
  const entities = present.map((uid): EntityJson => ({
    uid,
    attrs: randomRecord(random, 0.85),
    parents: random.times(random.below(3), () => random.uid()).filter((parent) => rank(parent) > rank(uid)),
    tags: recordOf(tags.filter(() => random.chance(0.8)).map((tag) => [tag, randomValue(random, random.pick(["long", "str", "bool"] as const), 1)] as const)),
  }));
  const actions: readonly EntityJson[] = [{ uid: { type: "Action", id: "x" }, attrs: {}, parents: [{ type: "Action", id: "g" }] }];
  return { principal: random.uid(), action: random.action(), resource: random.uid(), context: randomRecord(random, 0.9), entities: [...entities, ...actions] };
}
