import { authorize, CedarError, compilePolicySet, compileSchema, entityStore, prepareRequest, type EntityJson, type EntityStore, type PolicySet, type PolicySetJson, type RequestJson, type Schema, type SchemaJson } from "../../packages/cedar/src/index.ts";
import { cedarEntity } from "../../packages/licet/src/policy/engine.ts";
import { type Bundle, type BundlePolicy } from "../../packages/licet/src/policy/bundle-form.ts";
import { createDecider, type PolicyDecision, type PolicyRequest } from "../../packages/licet/src/policy/decide.ts";
import { DataMaker, type Json } from "../oracles/cedar-data.ts";
import { Dice } from "../oracles/cedar-dice.ts";
import { ExpressionMaker } from "../oracles/cedar-expression.ts";
import { mutate } from "../oracles/cedar-mutate.ts";
import { policySet } from "../oracles/cedar-policies.ts";
import { SchemaMaker } from "../oracles/cedar-schema.ts";
import { TypedMaker } from "../oracles/cedar-typed.ts";
import { goodEnough, type GoodLiterals } from "../oracles/cedar-world.ts";
import { garbage, hostileNames } from "./cedar-fuzz-garbage.ts";

/** What was tried, and what broke a promise. */
export interface Tried {
  readonly figures: Readonly<Record<string, number>>;
  readonly losses: readonly string[];
}

/** Longest time of the processor that one call may take: what else the machine does is not the call's. */
const callMillisecondsMax = 5_000;
const callsPerCase = 6;

const good: GoodLiterals = goodEnough;

/** One case is made by its seed alone. */
export function fuzzCase(seed: number): Tried {
  const dice = new Dice(seed);
  const trial = new Trial(`seed ${seed}`);
  const data = new DataMaker({ dice, good, badness: dice.pick([0, 0, 0.01, 0.1]), safe: dice.chance(0.8) });
  const model = new SchemaMaker(dice).make();
  const twist = (json: Json, times: number): Json => {
    let twisted = json;
    for (let count = dice.chance(0.5) ? 0 : dice.below(times + 1); count > 0; count--) twisted = mutate(twisted, { dice, junk: () => garbage(dice), names: hostileNames });
    return twisted;
  };
  const expressions = new ExpressionMaker({ dice, good, data, types: model.entities.map(({ type }) => type) });
  const given = policySet({ dice, data, expressions, policies: dice.pick([1, 2, 6]) });
  const schema = trial.read("schema", () => compileSchema(twist(model.json, 2) as SchemaJson));
  const policies = trial.read("policies", () => compilePolicySet(twist(given, 3) as PolicySetJson));
  const typed = new TypedMaker({ dice, good, data, schema: model });
  for (let round = 0; round < callsPerCase; round++) {
    const call = dice.chance(0.8) ? typed.call(dice.chance(0.2)) : { principal: data.uid(), action: data.action(), resource: data.uid(), context: data.record(0, 0.8), entities: data.entities() };
    const twisted = twist(call, 2) as PolicyRequest;
    decideFreely(trial, { policies, schema: dice.chance(0.5) ? schema : undefined, request: twisted });
    if (dice.chance(0.5)) decideForLicet(trial, { schemaJson: model.json as SchemaJson, given, request: twisted });
    if (dice.chance(0.5)) decideForLicet(trial, { schemaJson: model.json as SchemaJson, given: permitting(given), request: twisted });
  }
  return trial;
}

class Trial implements Tried {
  readonly figures: Record<string, number> = {};
  readonly losses: string[] = [];
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
  }

  count(what: string): void {
    this.figures[what] = (this.figures[what] ?? 0) + 1;
  }

  lose(why: string): void {
    this.losses.push(`${this.#name}: ${why}`);
  }

  /** Runs one call of the library: it may answer, or refuse with a `CedarError`; nothing else, and soon. */
  read<T>(what: string, run: () => T): T | undefined {
    const started = process.threadCpuUsage();
    try {
      const value = run();
      this.count(`${what} taken`);
      return value;
    } catch (error) {
      if (error instanceof CedarError) this.count(`${what} refused`);
      else this.lose(`${what} threw ${error instanceof Error ? `${error.name}: ${error.message.slice(0, 200)}` : String(error)}`);
      return undefined;
    } finally {
      const { user, system } = process.threadCpuUsage(started);
      const took = (user + system) / 1000;
      if (took > callMillisecondsMax) this.lose(`${what} took ${Math.round(took)} ms`);
    }
  }
}

/** One policy more, which permits everything: what is denied then is denied by a forbid or by an error. */
function permitting(given: Json): Json {
  const all = { op: "All" };
  return { staticPolicies: { ...(given as PolicySetJson).staticPolicies, all: { effect: "permit", principal: all, action: all, resource: all, conditions: [] } } };
}

interface Free {
  readonly policies: PolicySet | undefined;
  readonly schema: Schema | undefined;
  readonly request: PolicyRequest;
}

function decideFreely(trial: Trial, { policies, schema, request }: Free): void {
  const parties = request as unknown as RequestJson | undefined;
  const entities = trial.read("entities", (): EntityStore => entityStore(request?.entities as unknown as readonly EntityJson[], { schema }));
  const prepared = trial.read("request", () => prepareRequest(parties as RequestJson, { schema }));
  if (policies === undefined || entities === undefined || prepared === undefined) return;
  const answer = trial.read("decision", () => authorize(policies, prepared, entities));
  if (answer !== undefined) trial.count(answer.decision);
}

interface ForLicet {
  readonly schemaJson: SchemaJson;
  readonly given: Json;
  readonly request: PolicyRequest;
}

/** The decider never throws, and allows nothing where a policy that is in force could not be evaluated. */
function decideForLicet(trial: Trial, { schemaJson, given, request }: ForLicet): void {
  const bundle = bundleOf(schemaJson, given);
  const decider = trial.read("bundle", () => createDecider(bundle));
  if (decider === undefined) return;
  const decision = trial.read("licet decision", () => decider.decide(request));
  if (decision === undefined) return;
  trial.count(`licet ${decision.decision}${decision.errors.length > 0 ? " with errors" : ""}`);
  const why = openDoor(bundle, decision, request);
  if (why !== undefined) trial.lose(why);
}

/** Why this decision lets something through that it must not. */
export function openDoor({ policies, schemaJson }: Bundle, decision: PolicyDecision, request: PolicyRequest): string | undefined {
  if (decision.decision === "deny") return undefined;
  if (decision.errors.length > 0) return "allowed although policies failed";
  // The same question put to the evaluator anew, past the decider.
  const set = compilePolicySet({ staticPolicies: Object.fromEntries(policies.filter(({ mode }) => mode === "enforce").map(({ id, json }) => [id, json])) });
  const schema = compileSchema(schemaJson);
  const { context, entities, ...parties } = request;
  // By the decider's own reading of a request: it takes of an entity what `PolicyRequest` says, and nothing beside it.
  const answer = authorize(set, prepareRequest({ ...parties, context: context as RequestJson["context"] }, { schema }), entityStore(entities.map(cedarEntity), { schema }));
  if (answer.errors.length > 0) return `allowed although ${answer.errors.map(({ policy }) => policy).join(", ")} failed`;
  return answer.decision === "allow" ? undefined : "allowed although the policies deny";
}

function bundleOf(schemaJson: SchemaJson, given: Json): Bundle {
  const held = (given as PolicySetJson).staticPolicies ?? {};
  const policies = Object.entries(held).map(([id, json], index): BundlePolicy => ({ id, pack: "fuzz", effect: json.effect, text: "", json, annotations: {}, mode: index === 5 ? "warn" : "enforce" }));
  return { v: 2, schema: "", schemaJson, packs: [], policies, golden: [], digest: "" };
}
