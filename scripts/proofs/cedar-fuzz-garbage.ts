import type { Json } from "../oracles/cedar-data.ts";
import { branches } from "../oracles/cedar-expression.ts";
import type { Dice } from "../oracles/cedar-dice.ts";
import { longs, strings } from "../oracles/cedar-world.ts";

export const hostileNames: readonly string[] = [
  "__proto__", "constructor", "toString", "valueOf", "toJSON", "then", "length", "hasOwnProperty", "__entity", "__extn", "__expr", "type", "id", "fn", "arg", "args", "uid", "attrs", "parents", "tags", "Value", "Var", "Slot",
  "==", "in", "has", "like", "is", "if-then-else", "Set", "Record", "decimal", "ip", "unknown", "left", "right", "pattern", "entity_type", "op", "effect", "conditions", "", "\0", "\ud800", "a\nb", "0", "9007199254740993",
];

/** Sizes that overflow a stack, or take for ever where the work grows with their square. */
const deep = [50, 130, 600, 20_000];
const wide = [10, 2_000, 50_000];

/** Anything that JSON can hold, and that an attacker would put there. */
export function garbage(dice: Dice): Json {
  if (dice.chance(0.8)) return small(dice);
  return dice.pick<() => Json>([
    () => nested(dice, dice.pick(deep)),
    () => Array.from({ length: dice.pick(wide) }, (_, index) => (dice.chance(0.5) ? index : { x: index })),
    () => Object.fromEntries(Array.from({ length: dice.pick(wide) }, (_, index) => [`k${index}`, index])),
    () => longText(dice),
    () => deepExpression(dice, dice.pick(deep)),
    () => ({ like: { left: { Value: "a".repeat(dice.pick(wide)) }, pattern: Array.from({ length: dice.pick([10, 300]) }, () => (dice.chance(0.5) ? "Wildcard" : { Literal: "a" })) } }),
    () => ({ [dice.pick(["decimal", "ip", "datetime", "duration"])]: [{ Value: longText(dice) }] }),
    () => chain(dice.pick(wide)),
    () => Array.from({ length: dice.pick(wide) }, (_, index) => ({ uid: { type: "A", id: String(index) }, attrs: {}, parents: [] })),
  ])();
}

function small(dice: Dice): Json {
  return dice.pick<() => Json>([
    () => null,
    () => undefined,
    () => dice.chance(0.5),
    () => dice.pick(longs),
    () => dice.pick([0, -0, 1.5, -1, Number.MAX_SAFE_INTEGER + 2, 1e308, Number.NaN, Infinity]),
    () => dice.pick(strings),
    () => dice.pick(hostileNames),
    () => "\udc00\ud800",
    () => [],
    () => ({}),
    () => ({ [dice.pick(hostileNames)]: small(dice) }),
    () => [small(dice), small(dice)],
    () => ({ __entity: { type: dice.pick(["A", "N::C", "__proto__", "A::", "::A", "a b", ""]), id: dice.pick(strings) } }),
    () => ({ __extn: { fn: dice.pick(["decimal", "ip", "datetime", "duration", "offset", "toDate", "__proto__", "constructor", "unknown"]), arg: dice.pick(strings) } }),
    () => ({ Var: dice.pick(["principal", "context", "__proto__", "nothing"]) }),
    () => ({ Value: small(dice) }),
  ])();
}

function nested(dice: Dice, depth: number): Json {
  const wrap = dice.pick<(inner: Json) => Json>([
    (inner) => [inner],
    (inner) => ({ a: inner }),
    (inner) => ({ __extn: { fn: "offset", args: [inner, "1h"] } }),
    (inner) => ({ fn: "toDate", arg: inner }),
    (inner) => ({ type: "Set", element: inner }),
    (inner) => ({ type: "Record", attributes: { a: inner } }),
  ]);
  let held: Json = 1;
  for (let level = 0; level < depth; level++) held = wrap(held);
  return held;
}

const doublingsMax = 14;

function deepExpression(dice: Dice, depth: number): Json {
  const doubling = (inner: Json): Json => ({ is: { left: inner, entity_type: "A", in: inner } });
  const wrap = dice.pick<(inner: Json) => Json>([
    (inner) => ({ "!": { arg: inner } }),
    (inner) => ({ neg: { arg: inner } }),
    (inner) => ({ "&&": { left: inner, right: { Value: true } } }),
    (inner) => ({ "||": { left: { Value: false }, right: inner } }),
    (inner) => ({ "if-then-else": branches({ Value: true }, inner, { Value: true }) }),
    (inner) => ({ Set: [inner] }),
    (inner) => ({ Record: { a: inner } }),
    (inner) => ({ ".": { left: inner, attr: "a" } }),
    (inner) => ({ toDate: [inner] }),
    doubling,
  ]);
  let held: Json = dice.pick<Json>([{ Value: true }, { Var: "context" }, { Value: 1 }]);
  // JSON cannot say a part twice without writing it twice: what doubles stays of a size that can be written.
  const levels = wrap === doubling ? Math.min(depth, doublingsMax) : depth;
  for (let level = 0; level < levels; level++) held = wrap(held);
  return held;
}

function longText(dice: Dice): string {
  const count = dice.pick(wide);
  return dice.pick([() => "9".repeat(count), () => `${"0".repeat(count)}.1`, () => `1.${"1".repeat(count)}`, () => `${"9".repeat(count)}ms`, () => "1d".repeat(count), () => ":".repeat(count), () => "a".repeat(count), () => "\u{1F600}".repeat(count)])();
}

/** Entities each below the next one. */
function chain(count: number): Json {
  const uid = (index: number) => ({ type: "A", id: String(index) });
  return Array.from({ length: count }, (_, index) => ({ uid: uid(index), attrs: {}, parents: [uid(index + 1)] }));
}
