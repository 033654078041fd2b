import { existsSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { decide, differing, readSchema, type Outcome } from "./cedar-compare.ts";
import { DataMaker, type Json } from "./cedar-data.ts";
import { Dice } from "./cedar-dice.ts";
import { constantsOf, modelOf } from "./cedar-model.ts";
import { comparePolicies, type RandomRun } from "./cedar-random.ts";
import type { SchemaModel } from "./cedar-schema.ts";
import { TypedMaker, type Constants } from "./cedar-typed.ts";
import type { Call, CedarWasm } from "./cedar-wasm.ts";

const builtIn = fileURLToPath(new URL("../../packages/licet/policies/", import.meta.url));
const shared = fileURLToPath(new URL("../../../shared/policy/domain/", import.meta.url));
export const sharedDomainIsHere = existsSync(path.join(shared, "data.mjs"));

/** Policies that somebody wrote, with their schema. */
export interface Domain {
  readonly name: string;
  readonly schema: Json;
  readonly policies: Json;
  readonly model: SchemaModel;
  readonly constants: Constants;
  /** Requests with entities that make sense; perturbed in turn. */
  readonly calls: readonly Call[];
}

export async function readDomains(wasm: CedarWasm): Promise<readonly Domain[]> {
  const texts = readdirSync(builtIn, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".cedar")).toSorted();
  const own = domain(wasm, { name: "built-in policies", schema: read(builtIn, "licet.cedarschema"), policies: texts.map((name) => read(builtIn, name)), calls: [] });
  if (!sharedDomainIsHere) return [own];
  const data: { readonly scenarios: readonly unknown[]; readonly call: (scenario: unknown) => Call } = await import(pathToFileURL(path.join(shared, "data.mjs")).href);
  const calls = data.scenarios.map((scenario) => data.call(scenario));
  const schema = read(shared, "licet.cedarschema");
  return [own, ...["licet.cedar", "licet.v0-naive.cedar"].map((name) => domain(wasm, { name, schema, policies: [read(shared, name)], calls }))];
}

function read(folder: string, name: string): string {
  return readFileSync(path.join(folder, name), "utf8");
}

interface DomainText {
  readonly name: string;
  readonly schema: string;
  readonly policies: readonly string[];
  readonly calls: readonly Call[];
}

function domain(wasm: CedarWasm, { name, schema, policies, calls }: DomainText): Domain {
  const texts = policies.flatMap((text) => wasm.policyTexts(text).policies);
  const staticPolicies = Object.fromEntries(texts.map((text, index) => [`policy${index}`, wasm.policyJson(text)]));
  const json = wasm.schemaJson(schema);
  const compiled = readSchema(json);
  if (compiled.kind !== "read") throw new Error(`${name}: ${compiled.message}`);
  return { name, schema: json, policies: { staticPolicies }, model: modelOf(compiled.value), constants: constantsOf(staticPolicies), calls };
}

/** One domain's policies, with requests made from its schema and, where there are some, from its own requests. */
export function domainRound({ wasm, tally, seed, good }: RandomRun, { schema, policies, model, constants, calls, name }: Domain): void {
  const dice = new Dice(seed);
  const data = new DataMaker({ dice, good, badness: 0 });
  const typed = new TypedMaker({ dice, good, data, schema: model, constants });
  const compiled = readSchema(schema);
  const refusal = wasm.setSchema(schema);
  if (compiled.kind !== "read" || refusal !== undefined) throw new Error(`${name}: ${refusal ?? "the schema cannot be read"}`);
  const read = comparePolicies({ tally, wasm, policies, what: "policy set" }, () => ({ name }));
  if (read.kind !== "read") return;
  for (let round = 0; round < 20; round++) {
    const call = calls.length > 0 && dice.chance(0.8) ? perturbed(dice, calls) : typed.call(dice.chance(0.1));
    const answers: { readonly ours: Outcome; readonly wasm: Outcome } = { ours: decide(call, { policies: read.value, schema: compiled.value }), wasm: wasm.decide(call, { schema: true }) };
    tally.outcome("decision", { ...answers, input: () => ({ seed, name, call, policies: differing(answers.ours, answers.wasm) }) });
  }
}

/** A request with parts of another one: entities left out or as they are elsewhere, another context or resource of the same kind. */
function perturbed(dice: Dice, calls: readonly Call[]): Call {
  const [call, other] = [dice.pick(calls), dice.pick(calls)];
  const same = JSON.stringify(call.action) === JSON.stringify(other.action);
  const entities = listOf(call.entities);
  const elsewhere = new Map(listOf(other.entities).map((entity) => [JSON.stringify(uidOf(entity)), entity]));
  const share = dice.pick([0.7, 0.9, 1]);
  const kept = dice.some(entities, share).map((entity) => (dice.chance(0.2) ? (elsewhere.get(JSON.stringify(uidOf(entity))) ?? entity) : entity));
  return {
    principal: dice.chance(0.1) ? other.principal : call.principal,
    action: call.action,
    resource: same && dice.chance(0.4) ? other.resource : call.resource,
    context: same && dice.chance(0.4) ? other.context : call.context,
    entities: kept,
  };
}

function listOf(entities: unknown): readonly unknown[] {
  return Array.isArray(entities) ? entities : [];
}

function uidOf(entity: unknown): unknown {
  return typeof entity === "object" && entity !== null && "uid" in entity ? entity.uid : undefined;
}
