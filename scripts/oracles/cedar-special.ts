import { decide, differing, type Outcome } from "./cedar-compare.ts";
import type { Json } from "./cedar-data.ts";
import { Dice } from "./cedar-dice.ts";
import { comparePolicies, everything, type RandomRun } from "./cedar-random.ts";
import { literals, longs, strings, type LiteralFunction } from "./cedar-world.ts";

const expressionsPerRound = 150;

/** Edge values against each other in every operator and function that takes them: where a limit is off by one, it shows here. */
export function specialRound({ wasm, tally, seed }: RandomRun): void {
  const dice = new Dice(seed);
  const policy = () => ({ ...everything, conditions: [{ kind: "when", body: observed(dice) }] });
  const policies = { staticPolicies: Object.fromEntries(Array.from({ length: expressionsPerRound }, (_, index) => [`p${index}`, policy()])) };
  const read = comparePolicies({ tally, wasm, policies, what: "policy set" }, () => ({ seed, policies }));
  if (read.kind !== "read") return;
  const call = { principal: { type: "A", id: "" }, action: { type: "Action", id: "" }, resource: { type: "A", id: "" }, context: {}, entities: [] };
  const answers: { readonly ours: Outcome; readonly wasm: Outcome } = { ours: decide(call, { policies: read.value }), wasm: wasm.decide(call, { schema: false }) };
  const different = new Set(differing(answers.ours, answers.wasm));
  tally.outcome("edge values", { ...answers, input: () => ({ seed, policies: Object.fromEntries(Object.entries(policies.staticPolicies).filter(([id]) => different.has(id))) }) });
  // Each policy is a comparison of its own; the round counted one of them.
  const rest = expressionsPerRound - 1;
  tally.total += rest;
  tally.matched += rest - Math.max(0, different.size - 1);
}

/** A boolean that tells much of what the expression gives. */
function observed(dice: Dice): Json {
  return dice.pick([observedLong, observedMoment, observedSpan, text, addresses, decimals, constructors, sets])(dice);
}

function long(dice: Dice): Json {
  const value = dice.pick(longs) + BigInt(dice.below(3) - 1);
  const held = value > 9223372036854775807n || value < -9223372036854775808n ? 0n : value;
  return { Value: BigInt(Number(held)) === held && Number.isSafeInteger(Number(held)) ? Number(held) : held };
}

function of(fn: LiteralFunction): (dice: Dice) => Json {
  return (dice) => ({ [fn]: [{ Value: dice.pick(literals[fn]) }] });
}

const [moment, span, address, decimal] = [of("datetime"), of("duration"), of("ip"), of("decimal")];

function compared(dice: Dice, left: Json, right: Json): Json {
  return { [dice.pick(["<", "<=", ">", ">=", "==", "!="])]: { left, right } };
}

function observedLong(dice: Dice): Json {
  const made = dice.pick<() => Json>([
    () => ({ [dice.pick(["+", "-", "*"])]: { left: long(dice), right: long(dice) } }),
    () => ({ [dice.pick(["+", "-", "*"])]: { left: { [dice.pick(["+", "-", "*"])]: { left: long(dice), right: long(dice) } }, right: long(dice) } }),
    () => ({ neg: { arg: long(dice) } }),
    () => ({ [dice.pick(["toMilliseconds", "toSeconds", "toMinutes", "toHours", "toDays"])]: [observableSpan(dice)] }),
  ])();
  return compared(dice, made, long(dice));
}

function observableSpan(dice: Dice): Json {
  return dice.pick<() => Json>([() => span(dice), () => ({ durationSince: [moment(dice), moment(dice)] }), () => ({ toTime: [observableMoment(dice)] })])();
}

function observableMoment(dice: Dice): Json {
  return dice.pick<() => Json>([() => moment(dice), () => ({ offset: [moment(dice), span(dice)] }), () => ({ toDate: [{ offset: [moment(dice), span(dice)] }] })])();
}

function observedMoment(dice: Dice): Json {
  return compared(dice, observableMoment(dice), observableMoment(dice));
}

function observedSpan(dice: Dice): Json {
  return compared(dice, observableSpan(dice), span(dice));
}

function text(dice: Dice): Json {
  const held = dice.pick(strings) + dice.pick(strings);
  const pieces = Array.from(held, (sign) => (dice.chance(0.25) ? "Wildcard" : { Literal: sign }));
  if (dice.chance(0.3)) return compared(dice, { Value: held }, { Value: dice.pick(strings) });
  return { like: { left: { Value: held }, pattern: dice.some([...pieces, "Wildcard", { Literal: dice.pick(strings) }], 0.9) } };
}

function addresses(dice: Dice): Json {
  return dice.pick<() => Json>([
    () => ({ isInRange: [address(dice), address(dice)] }),
    () => ({ "==": { left: address(dice), right: address(dice) } }),
    () => ({ [dice.pick(["isIpv4", "isIpv6", "isLoopback", "isMulticast"])]: [address(dice)] }),
  ])();
}

function decimals(dice: Dice): Json {
  if (dice.chance(0.2)) return compared(dice, decimal(dice), decimal(dice));
  return { [dice.pick(["lessThan", "lessThanOrEqual", "greaterThan", "greaterThanOrEqual"])]: [decimal(dice), decimal(dice)] };
}

/** A text that is nearly one of the good ones. */
function constructors(dice: Dice): Json {
  const fn = dice.pick(["decimal", "datetime", "duration", "ip"] as const);
  const held = Array.from(dice.pick<string>(literals[fn]));
  const at = dice.below(held.length + 1);
  const sign = dice.pick([..."0123456789:./-+TZdhms ".split(""), "\n", "٣", "é"]);
  const near = dice.pick([held.toSpliced(at, 1, sign), held.toSpliced(at, 1), held.toSpliced(at, 0, sign)]);
  const call = { [fn]: [{ Value: near.join("") }] };
  return { "==": { left: call, right: dice.chance(0.5) ? call : of(fn)(dice) } };
}

function sets(dice: Dice): Json {
  const kind = dice.pick([long, moment, span, address, decimal, plainText]);
  const member = () => (dice.chance(0.1) ? dice.pick([long, span, plainText]) : kind)(dice);
  const shared = member();
  const set = () => ({ Set: dice.some([shared, member(), shared, { Set: [shared] }], 0.6) });
  const name = dice.pick(["containsAll", "containsAny", "==", "contains"]);
  return { [name]: { left: set(), right: name === "contains" ? member() : set() } };
}

function plainText(dice: Dice): Json {
  return { Value: dice.pick(strings) };
}
