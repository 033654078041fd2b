import type { Residual } from "@licet/cedar";
import type { Bundle, BundlePolicy, PolicyMode } from "./bundle-form.ts";
import { cedarEngine, RequestRefused, type Answers, type Engine, type EntityBase } from "./engine.ts";
import { isGateRequirement, requirementOf } from "./requirement.ts";
import type { CedarEntity, PolicyRequest } from "./request.ts";
import { wasmEngine } from "./wasm-engine.ts";

export type { EntityBase } from "./engine.ts";
export type { CedarEntity, EntityUid, PolicyRequest } from "./request.ts";

/** A policy that determined the decision, with what people need to act on it. */
export interface PolicyReason {
  readonly policy: string;
  readonly requirement?: string;
  readonly title?: string;
  readonly remedy?: string;
  readonly turn?: string;
  readonly severity?: string;
  readonly controls: readonly string[];
}

export interface PolicyError {
  readonly policy: string;
  readonly message: string;
}

export interface PolicyDecision {
  readonly decision: "allow" | "deny";
  /** On deny the forbids that matched (none when no permit did), on allow the permits; in the bundle's order. */
  readonly reasons: readonly PolicyReason[];
  /** Any error has denied. `request` stands for a request that does not fit the schema. */
  readonly errors: readonly PolicyError[];
  /** Policies in mode warn that would have forbidden; they never change the decision, nor do `shadowed`. */
  readonly warnings: readonly PolicyReason[];
  readonly shadowed: readonly PolicyReason[];
  /** Policies in mode warn or shadow that could not be evaluated. */
  readonly advisoryErrors: readonly PolicyError[];
}

/** What is between a request and an allow. */
export interface PolicyResidual {
  /** `depends` where what is unknown could decide either way. */
  readonly decision: "allow" | "deny" | "depends";
  /** Once all of it holds, the request is allowed; empty where it is allowed already. */
  readonly wouldAllowIf: readonly {
    /** The forbid that is in the way, or the permits of which one has to hold. */
    readonly policies: readonly string[];
    readonly effect: "permit" | "forbid";
    /** As a Cedar condition, and as a sentence. */
    readonly text: string;
    readonly sentence: string;
  }[];
}

export interface Decider {
  readonly bundle: Bundle;
  /** The gate's requirements, in the bundle's order. */
  readonly requirements: readonly PolicyReason[];
  /** Never throws: whatever goes wrong denies and stands in `errors`. Of `base` the request's own entities hide others. */
  decide(request: PolicyRequest, base?: EntityBase): PolicyDecision;
  /** What still has to hold for the request to be allowed; undefined where the request itself is none. Never throws. */
  explain(request: PolicyRequest, options?: { readonly unknown?: readonly string[]; readonly base?: EntityBase }): PolicyResidual | undefined;
  /** Prepares entities that many requests share; throws where one of them does not fit the schema. */
  entities(entities: readonly CedarEntity[]): EntityBase;
}

interface Prepared {
  readonly engine: ReturnType<typeof cedarEngine>;
  readonly requirements: readonly PolicyReason[];
  readonly order: Order;
}

/** Owned by `prepare`: a bundle never changes, so each is compiled once. */
const prepared = new WeakMap<Bundle, Prepared>();

function prepare(bundle: Bundle, options: { readonly lazily?: boolean } = {}): Prepared {
  const before = prepared.get(bundle);
  if (before !== undefined) return before;
  const made = { engine: cedarEngine(bundle, options), requirements: bundle.policies.filter(isGateRequirement).map(reason), order: orderOf(bundle) };
  prepared.set(bundle, made);
  return made;
}

/** Digests of bundles that `@licet/cedar` was seen to decide differently from Cedar's own implementation. */
const distrusted = new Set<string>();

/** From now on every decider of this bundle asks cedar-wasm: what helps is to publish another. */
export function distrust(digest: string): void {
  distrusted.add(digest);
}

export function isDistrusted(digest: string): boolean {
  return distrusted.has(digest);
}

/**
 * The one evaluator: the gate, CI, the gateway and the decision API ask it. Compiles the bundle once; `lazily`, which is
 * for a bundle that was compiled and checked before, each condition when it is first asked for.
 */
export function createDecider(bundle: Bundle, options?: { readonly lazily?: boolean }): Decider {
  const { engine, requirements, order } = prepare(bundle, options);
  return {
    bundle,
    requirements,
    entities: (entities) => engine.entities(entities),
    explain: (request, { unknown = [], base } = {}) => {
      try {
        return residualOf(engine.residual(request, unknown, base));
      } catch {
        return undefined;
      }
    },
    decide: (request, base) => decideBy(() => (isDistrusted(bundle.digest) ? wasmEngine(bundle) : engine), order, { request, base }),
  };
}

function residualOf({ decision, wouldAllowIf }: Residual): PolicyResidual {
  return { decision, wouldAllowIf: wouldAllowIf.map(({ policies, effect, text, sentence }) => ({ policies: policies.map(requirementOf), effect, text, sentence })) };
}

/** The same decider on another engine: for golden decisions, for sampling, and to put an engine to the test. */
export function deciderOn(bundle: Bundle, engine: Engine): Pick<Decider, "bundle" | "decide"> {
  const order = orderOf(bundle);
  return { bundle, decide: (request, base) => decideBy(() => engine, order, { request, base }) };
}

interface Question {
  readonly request: PolicyRequest;
  readonly base: EntityBase | undefined;
}

function decideBy(engine: () => Engine, order: Order, { request, base }: Question): PolicyDecision {
  try {
    return read(engine().answers(request, base), order);
  } catch (error) {
    if (error instanceof RequestRefused) return denied("request", error.message);
    // A `TypeError` is a value that Cedar does not have; the message of anything else might hold content.
    return denied("engine", error instanceof Error ? error.name : "unknown");
  }
}

type Order = ReadonlyMap<string, { readonly policy: BundlePolicy; readonly index: number; readonly reason: PolicyReason }>;

function orderOf({ policies }: Bundle): Order {
  return new Map(policies.map((policy, index) => [policy.id, { policy, index, reason: reason(policy) }]));
}

function read({ enforced, advisory }: Answers, order: Order): PolicyDecision {
  const errors = errorsOf(enforced.errors);
  const tried = (mode: PolicyMode) => (advisory === undefined || advisory.decision === "allow" ? [] : reasonsOf(advisory.reasons, order, mode));
  const beside = { warnings: tried("warn"), shadowed: tried("shadow"), advisoryErrors: errorsOf(advisory?.errors ?? []) };
  const reasons = reasonsOf(enforced.reasons, order, "enforce");
  // Cedar skips a policy that errors; a forbid that was skipped would be an open door, so any error denies.
  if (errors.length > 0) return { decision: "deny", reasons: enforced.decision === "deny" ? reasons : [], errors, ...beside };
  return { decision: enforced.decision, reasons, errors, ...beside };
}

function errorsOf(errors: readonly PolicyError[]): readonly PolicyError[] {
  return errors.map(({ policy, message }) => ({ policy: requirementOf(policy), message })).sort(byPolicy);
}

function reasonsOf(ids: readonly string[], order: Order, mode: PolicyMode): readonly PolicyReason[] {
  return ids
    .map((id) => order.get(requirementOf(id)))
    .filter((found) => found?.policy.mode === mode)
    .filter((found) => found !== undefined)
    .sort((a, b) => a.index - b.index)
    .map((found) => found.reason);
}

function byPolicy(a: PolicyError, b: PolicyError): number {
  return a.policy < b.policy ? -1 : 1;
}

export function reason(policy: BundlePolicy): PolicyReason {
  const { requirement, title, remedy, turn, severity, control } = policy.annotations;
  return {
    policy: policy.id,
    ...(requirement !== undefined && { requirement }),
    ...(title !== undefined && { title }),
    ...(remedy !== undefined && { remedy }),
    ...(turn !== undefined && { turn }),
    ...(severity !== undefined && { severity }),
    controls: list(control),
  };
}

/** Several values in one annotation are separated by commas. */
export function list(annotation: string | undefined): readonly string[] {
  return (annotation ?? "").split(",").map((each) => each.trim()).filter((each) => each !== "");
}

function denied(policy: string, message: string): PolicyDecision {
  return { decision: "deny", reasons: [], errors: [{ policy, message }], warnings: [], shadowed: [], advisoryErrors: [] };
}
