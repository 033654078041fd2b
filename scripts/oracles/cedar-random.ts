import { decide, differing, readPolicies, readSchema, type Outcome, type Read } from "./cedar-compare.ts";
import { DataMaker, type Json } from "./cedar-data.ts";
import { Dice } from "./cedar-dice.ts";
import { ExpressionMaker } from "./cedar-expression.ts";
import { mutate } from "./cedar-mutate.ts";
import { headsOnly, policySet } from "./cedar-policies.ts";
import { SchemaMaker, type SchemaModel } from "./cedar-schema.ts";
import type { CedarTally } from "./cedar-tally.ts";
import { TypedMaker } from "./cedar-typed.ts";
import { isUnreadable, type Call, type CedarWasm } from "./cedar-wasm.ts";
import { attributeNames, literals, type GoodLiterals, type LiteralFunction } from "./cedar-world.ts";

export interface RandomRun {
  readonly wasm: CedarWasm;
  readonly tally: CedarTally;
  /** The seed of this round alone. */
  readonly seed: number;
  readonly good: GoodLiterals;
}

/** What cedar-wasm takes of the literals; it is the oracle for them, too. */
export function goodLiterals(wasm: CedarWasm): GoodLiterals {
  const isGood = (fn: LiteralFunction, text: string) => {
    const call = { [fn]: [{ Value: text }] };
    wasm.setPolicies({ staticPolicies: { p: { ...everything, conditions: [{ kind: "when", body: { "==": { left: call, right: call } } }] } } });
    const answer = wasm.decide({ principal: nobody, action: nobody, resource: nobody, context: {}, entities: [] }, { schema: false });
    return answer.kind === "answer" && answer.errors.length === 0;
  };
  const goodOf = (fn: LiteralFunction) => literals[fn].filter((text) => isGood(fn, text));
  return { decimal: goodOf("decimal"), datetime: goodOf("datetime"), duration: goodOf("duration"), ip: goodOf("ip") };
}

const nobody = { type: "A", id: "" };
export const everything = { effect: "permit", principal: { op: "All" }, action: { op: "All" }, resource: { op: "All" }, conditions: [] } as const;

/** Policies, entities and requests without a schema. */
export function randomRound({ wasm, tally, seed, good }: RandomRun): void {
  const dice = new Dice(seed);
  const badness = dice.chance(0.6) ? 0 : 0.003;
  const data = new DataMaker({ dice, good, badness });
  const expressions = new ExpressionMaker({ dice, good, data: new DataMaker({ dice, good, badness: 0 }) });
  const made = policySet({ dice, data, expressions, policies: 25 });
  const policies = dice.chance(0.15) ? mutate(made, { dice, junk: () => policyJunk(dice, expressions), names: ["Value", "Var", "like", "is", "has", "in", "?principal", "decimal", "nothing"] }) : made;
  const input = () => ({ seed, policies });
  const ours = comparePolicies({ tally, wasm, policies, what: "policy set" }, input);
  if (ours.kind !== "read") return;
  let entities = data.entities();
  for (let round = 0; round < 5; round++) {
    // The same policies over other entities, and over ones in which only the actions' groups are others.
    if (dice.chance(0.3)) entities = dice.chance(0.5) ? data.entities() : [...entities.filter((entity) => !isAction(entity)), ...data.actions()];
    const principal = data.uid();
    const call: Call = { principal: dice.chance(0.2) ? { __entity: principal } : principal, action: data.action(), resource: data.uid(), context: data.record(0, 0.9), entities };
    const below = dice.chance(0.3) ? dice.below(entities.length) : 0;
    const answers = { ours: decide(call, { policies: ours.value, below }), wasm: wasm.decide(call, { schema: false }) };
    tally.outcome("decision", { ...answers, input: () => ({ seed, below, call, policies: onlyThose(policies, differing(answers.ours, answers.wasm)) }) });
  }
}

function isAction(entity: Json): boolean {
  return typeof entity === "object" && entity !== null && "uid" in entity && JSON.stringify(entity.uid).startsWith('{"type":"Action"');
}

interface PolicyComparison {
  readonly tally: CedarTally;
  readonly wasm: CedarWasm;
  readonly policies: Json;
  readonly what: string;
}

/** Whether both take the policies; ours, compiled. */
export function comparePolicies({ tally, wasm, policies, what }: PolicyComparison, input: () => unknown): ReturnType<typeof readPolicies> {
  const ours = readPolicies(policies);
  const refusal = wasm.setPolicies(policies);
  const agreed = accepted(tally, what, { ours, refusal, input });
  return agreed ? ours : { kind: "refused", message: "the two differ" };
}

function accepted(tally: CedarTally, what: string, { ours, refusal, input }: { readonly ours: Read<unknown>; readonly refusal: string | undefined; readonly input: () => unknown }): boolean {
  if (isUnreadable(refusal)) return false;
  const wasm = refusal === undefined ? "taken" : "refused";
  const said = ours.kind === "read" ? "taken" : ours.kind;
  const told = [ours.kind === "read" ? said : `${said}: ${ours.message}`, refusal === undefined ? wasm : `${wasm}: ${refusal}`] as const;
  return tally.same(what, { ours: said, wasm, said: `${what} ${wasm}`, input, told });
}

/** Policies that differ in their heads alone, each time over another hierarchy. */
export function headRound({ wasm, tally, seed, good }: RandomRun): void {
  const dice = new Dice(seed);
  const data = new DataMaker({ dice, good, badness: 0, idsPerType: 3 });
  const policies = headsOnly(dice, data, 40);
  const read = comparePolicies({ tally, wasm, policies, what: "policy set" }, () => ({ seed, policies }));
  if (read.kind !== "read") return;
  for (let round = 0; round < 10; round++) {
    const call: Call = { principal: data.uid(), action: data.action(), resource: data.uid(), context: {}, entities: data.hierarchy() };
    const answers = { ours: decide(call, { policies: read.value, below: dice.below(5) }), wasm: wasm.decide(call, { schema: false }) };
    tally.outcome("heads", { ...answers, input: () => ({ seed, call, policies: onlyThose(policies, differing(answers.ours, answers.wasm)) }) });
  }
}

/** Small policies, each wrong in one place or nearly so: what is taken and what is not. */
export function refusalRound({ wasm, tally, seed, good }: RandomRun): void {
  const dice = new Dice(seed);
  const data = new DataMaker({ dice, good, badness: 0 });
  const expressions = new ExpressionMaker({ dice, good, data });
  const names = ["entity", "entities", "slot", "entity_type", "in", "op", "left", "right", "arg", "attr", "pattern", "if", "Value", "Var", "templates", "templateLinks", "newId", "values", "?principal", "?resource", "annotations", "more", "__entity", "type", "id"];
  for (let round = 0; round < 12; round++) {
    const made = policySet({ dice, data, expressions, policies: 1 });
    const policies = mutate(made, { dice, junk: () => policyJunk(dice, expressions), names });
    // Where cedar-wasm reads Cedar's text or a list as well, the library reads JSON by id alone.
    if (!isById(policies)) continue;
    comparePolicies({ tally, wasm, policies, what: "small policy set" }, () => ({ seed, policies }));
  }
}

function isById(policies: Json): boolean {
  if (!isObject(policies)) return false;
  const held = [policies["staticPolicies"] ?? {}, policies["templates"] ?? {}];
  return held.every((each) => isObject(each) && Object.values(each).every((policy) => typeof policy !== "string"));
}

function isObject(json: Json): json is Readonly<Record<string, Json>> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

function policyJunk(dice: Dice, expressions: ExpressionMaker): Json {
  return dice.pick<() => Json>([
    () => expressions.condition(),
    () => expressions.expression("long", 1),
    () => null,
    () => 1,
    () => 9223372036854775808n,
    () => 1.5,
    () => "principal",
    () => "",
    () => ({}),
    () => ({ Slot: "?principal" }),
    () => ({ Unknown: [{ Value: "x" }] }),
    () => ({ nothing: [] }),
    () => ({ decimal: { Value: "1.0" } }),
    () => ({ Value: { __entity: { type: "in", id: "" } } }),
    () => ({ op: "in", slot: "?resource" }),
    () => ({ op: "==", slot: "?action" }),
    () => ({ op: "is", entity_type: dice.pick(["A", "a b", "N::", "in", "__cedar::A"]) }),
    () => ({ op: "in", entities: [data(dice)] }),
    () => data(dice),
    () => dice.pick(["All", "all", "==", "in", "is", "permit", "forbid", "when", "unless", "?principal", "?resource", "Wildcard", "context", "p0", "t0", "l0", "N::C", "a b"]),
    () => [data(dice)],
    () => ({ Literal: dice.pick(["a", 1, null]) }),
    () => ({ Value: dice.pick<Json>([null, [1, "a"], { a: 1 }, { __extn: { fn: "ip", arg: "1.2.3.4" } }, { __extn: { fn: "ip", arg: "x" } }, { __expr: "1" }, 1e300]) }),
    () => ({ "==": { left: { Value: 1 } } }),
    () => ({ Value: 1, Var: "context" }),
    () => ({ Set: [{ Value: 1 }, dice.pick<Json>([1, null, { Value: 2 }])] }),
    () => ({ Record: { a: dice.pick<Json>([1, { Value: 2 }]) } }),
    () => ({ ip: dice.times(3, () => ({ Value: "1.2.3.4" })) }),
    () => ({ isIpv4: [] }),
    () => ({ has: { left: { Var: "context" }, attr: dice.pick<Json>([[], ["a"], ["a", 1], "a", 1]) } }),
    () => ({ like: { left: { Value: "a" }, pattern: dice.pick<Json>([[], ["Wildcard"], "Wildcard", ["wildcard"], [{ Literal: "a", more: 1 }]]) } }),
  ])();
}

function data(dice: Dice): Json {
  return dice.pick<Json>([{ type: "Action", id: "x" }, { type: "A", id: "0" }, { __entity: { type: "N::Action", id: "x" } }, { type: "A" }, { type: "a b", id: "0" }, { __entity: "A" }]);
}

function onlyThose(policies: Json, ids: readonly string[]): Json {
  if (typeof policies !== "object" || policies === null || ids.length === 0 || !("staticPolicies" in policies)) return policies;
  const held = policies.staticPolicies;
  if (typeof held !== "object" || held === null) return policies;
  const kept = Object.entries(held).filter(([id]) => ids.includes(id));
  return kept.length === ids.length ? { staticPolicies: Object.fromEntries(kept) } : policies;
}

/** Schemas, and entities and requests by them, right and wrong. */
export function requestRound({ wasm, tally, seed, good }: RandomRun): void {
  const dice = new Dice(seed);
  const model = new SchemaMaker(dice).make();
  const schema = dice.chance(0.35) ? mutate(model.json, { dice, junk: () => schemaJunk(dice, model), names: schemaNames }) : model.json;
  // A text cedar-wasm reads as Cedar's own form of a schema.
  if (typeof schema === "string") return;
  const read = readSchema(schema);
  const agreed = accepted(tally, "schema", { ours: read, refusal: wasm.setSchema(schema), input: () => ({ seed, schema }) });
  if (!agreed || read.kind !== "read") return;
  const data = new DataMaker({ dice, good, badness: dice.chance(0.7) ? 0 : 0.02 });
  const types = model.entities.map(({ type }) => type);
  const expressions = new ExpressionMaker({ dice, good, data: new DataMaker({ dice, good, badness: 0 }), types });
  const policies = policySet({ dice, data: new DataMaker({ dice, good, badness: 0 }), expressions, policies: 8 });
  const compiled = comparePolicies({ tally, wasm, policies, what: "policy set" }, () => ({ seed, policies }));
  if (compiled.kind !== "read") return;
  const typed = new TypedMaker({ dice, good, data, schema: model });
  for (let round = 0; round < 12; round++) {
    const call = typed.call(dice.chance(0.5));
    const answers: { readonly ours: Outcome; readonly wasm: Outcome } = { ours: decide(call, { policies: compiled.value, schema: read.value }), wasm: wasm.decide(call, { schema: true }) };
    tally.outcome("request", { ...answers, input: () => ({ seed, schema, call, policies: onlyThose(policies, differing(answers.ours, answers.wasm)) }) });
  }
}

const schemaNames = [...attributeNames, "A", "User", "T0", "Bool", "String", "Set", "decimal", "Action", "in", "__cedar", "a-b", "", "N", "memberOfTypes", "shape", "tags", "enum", "annotations", "required", "type", "element", "name", "context", "attributes", "additionalAttributes", "memberOf"];

function schemaJunk(dice: Dice, { entities }: SchemaModel): Json {
  return dice.pick<() => Json>([
    () => null,
    () => 1,
    () => true,
    () => "",
    () => ({}),
    () => ({ type: "Long" }),
    () => ({ type: "Bool" }),
    () => ({ type: "Boolean" }),
    () => ({ type: "Set" }),
    () => ({ type: "Set", element: { type: "Long" } }),
    () => ({ type: "Record", attributes: {} }),
    () => ({ type: "Record", attributes: {}, additionalAttributes: true }),
    () => ({ type: "Entity", name: dice.pick(entities).type }),
    () => ({ type: "Extension", name: "ip" }),
    () => ({ type: "EntityOrCommon", name: "Action" }),
    () => ({ type: dice.pick(["T0", "T1", "T2", "Flag", "decimal", "N::T0", "Unknown"]) }),
    () => ({ enum: [] }),
    () => ({ enum: ["a", "a"] }),
    () => ({ id: "x" }),
    () => [{ id: "x", type: "Action" }],
    () => dice.pick(["A", "B", "N::A", "User", "N::M::User", "Action", "N::Action", "T0", "N::T1", "Long", "Boolean", "String", "Record", "in", "x y", "__cedar::Long", "datetime", "Entity"]),
  ])();
}
