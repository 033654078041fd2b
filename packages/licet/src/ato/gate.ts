import { GateFacts, LicetError, type GateAnswer, type Requirement } from "@licet/contract";
import type { Bundle } from "../policy/bundle.ts";
import { createDecider, type Decider, type PolicyDecision, type PolicyReason, type PolicyRequest } from "../policy/decide.ts";
import { countResults, type CountedResults } from "./count-results.ts";
import { awaitedIn } from "./awaited-repeat.ts";
import { evidenceFinding, unmetRows } from "./evidence-finding.ts";
import { finding, requirementState, turns, waitingSince } from "./gate-reasons.ts";
import { gateRequest } from "./gate-request.ts";
import { unwatched, type GateWatch } from "./gate-watch.ts";
import { factsDigest } from "./material.ts";

/**
 * Decides one move: a pure function of facts and bundle, the same bytes on the server, in CI and offline.
 * What each passed result stands for is asked of Cedar first (action `countResult`), then what applies (`demand`); what
 * is unmet are the forbids that fired (`promote`).
 *
 * INVARIANT: allow only when Cedar allows, nothing errored, and no requirement is listed as unmet.
 * Throws `facts_malformed` for anything that is not GateFacts.
 */
export function decideGate(given: GateFacts, bundle: Bundle, watch: GateWatch = unwatched): GateAnswer {
  const parsed = GateFacts.safeParse(given);
  if (!parsed.success) throw new LicetError("facts_malformed", { at: { issues: parsed.error.issues.slice(0, 20).map((issue) => ({ path: issue.path.join("."), message: issue.message })) } });
  const facts = parsed.data;
  const decider = createDecider(bundle);
  const counted = countResults(decider, facts, watch);
  const demanded = decider.decide(gateRequest(facts, "demand", counted.kinds));
  const promotion = gateRequest(facts, "promote", counted.kinds);
  const moved = decider.decide(promotion);
  watch({ bundle, request: promotion, decision: moved });
  const told = foreignSentences(decider, { promotion, moved });
  const requirements = requirementReasons(decider, demanded, moved).map((each) => requirement(each, facts, { moved, told, counted, decider }));
  const clean = demanded.errors.length === 0 && moved.errors.length === 0 && demanded.decision === "allow";
  const allowed = moved.decision === "allow" && clean && requirements.every((each) => each.state === "met");
  return {
    v: 1,
    system: facts.system,
    release: facts.release,
    tier: facts.tier,
    from: facts.from,
    to: facts.to,
    environment: facts.environment,
    decision: allowed ? "allow" : "deny",
    requirements,
    factsDigest: factsDigest(facts),
    policyDigest: bundle.digest,
  };
}

/** What the gate asks last, with what the results stand for: for those who explain it. */
export function promotionRequest(facts: GateFacts, bundle: Bundle): PolicyRequest {
  return gateRequest(facts, "promote", countResults(createDecider(bundle), facts, unwatched).kinds);
}

export type { GateWatch } from "./gate-watch.ts";

/** Applying requirements in the bundle's order; one that errored is listed too, and so is every one when the engine failed. */
function requirementReasons({ bundle, requirements }: Decider, demanded: PolicyDecision, moved: PolicyDecision): readonly PolicyReason[] {
  const errors = [...demanded.errors, ...moved.errors].map((error) => error.policy);
  const broken = errors.some((id) => !bundle.policies.some((policy) => policy.id === id));
  const shown = new Set([...demanded.reasons, ...moved.reasons].map((each) => each.policy).concat(errors));
  return requirements.filter((each) => broken || shown.has(each.policy));
}

/** What each policy in the way still asks for, where one of them came with a pack: of Licet's own, gate-reasons.ts knows more. */
function foreignSentences(decider: Decider, { promotion, moved }: { readonly promotion: PolicyRequest; readonly moved: PolicyDecision }): ReadonlyMap<string, string> {
  const { packs, policies } = decider.bundle;
  const own = new Set(packs.filter(({ kind }) => kind === "builtin").map(({ name }) => name));
  const foreign = new Set(policies.filter(({ pack }) => !own.has(pack)).map(({ id }) => id));
  if (!moved.reasons.some(({ policy }) => foreign.has(policy))) return new Map();
  const left = decider.explain(promotion)?.wouldAllowIf ?? [];
  return new Map(left.filter(({ effect }) => effect === "forbid").flatMap(({ policies: ids, sentence }) => ids.filter((id) => foreign.has(id)).map((id) => [id, sentence] as const)));
}

interface Moved {
  readonly moved: PolicyDecision;
  readonly told: ReadonlyMap<string, string>;
  readonly counted: CountedResults;
  readonly decider: Decider;
}

function requirement(policy: PolicyReason, facts: GateFacts, { moved, told, counted, decider }: Moved): Requirement {
  const id = policy.policy;
  const fired = moved.reasons.some((each) => each.policy === id);
  const error = moved.errors.find((each) => each.policy === id || each.policy === "request" || each.policy === "engine");
  const met = !fired && error === undefined;
  const shown = evidenceFinding(id, facts, { met, counted, decider }) ?? { finding: finding(id, facts, { met, told: told.get(id) }) };
  return {
    id,
    title: policy.requirement ?? id,
    state: requirementState(id, facts, met),
    reason: error === undefined ? shown.finding : "the policy could not be evaluated, which denies",
    ...(met ? nobodysTurn : openTurn(policy, facts, shown.remedy)),
    controls: [...policy.controls],
  };
}

type Turn = Pick<Requirement, "remedy" | "turn" | "people" | "since">;

const nobodysTurn: Turn = { remedy: "", turn: "", people: [], since: null };

/** Whose turn it is and what to do; where only the server is waited for, that. */
function openTurn(policy: PolicyReason, facts: GateFacts, better: string | undefined): Turn {
  const { turn, people } = turns(policy, facts);
  const id = policy.policy;
  const { remedy, since, turn: awaitedTurn } = awaitedIn(unmetRows(id, facts) ?? []) ?? { remedy: better ?? filled(policy.remedy ?? "", facts), since: waitingSince(id, facts), turn };
  return { remedy, turn: awaitedTurn, people: [...people], since };
}

function filled(remedy: string, facts: GateFacts): string {
  return remedy.replaceAll("{system}", facts.system).replaceAll("{environment}", facts.environment).replaceAll("{to}", facts.to);
}
