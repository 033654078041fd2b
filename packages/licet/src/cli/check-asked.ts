import { declaredLimit } from "@licet/assurance";
import { AssuranceCheck, gateKindOf, type GateFacts } from "@licet/contract";
import type { Lack, ProposedCheck } from "../assurance/propose/proposal.ts";
import { askedLimit, idealResult, limitText } from "../ato/asked-bound.ts";
import { effortOf } from "../ato/check-facts.ts";
import { countResults } from "../ato/count-results.ts";
import { kindOfRequirement, usualLimits } from "../ato/evidence-finding.ts";
import { unwatched } from "../ato/gate-watch.ts";
import { decideGate } from "../ato/gate.ts";
import { offlineFacts } from "../ato/offline-facts.ts";
import type { Project } from "../inventory/project.ts";
import { builtinBundle } from "../policy/bundle.ts";
import { createDecider, type Decider } from "../policy/decide.ts";

/** What the gate will ask of proposed checks and beside them, by the packs of this installation and the stricter tier. */
export interface AskedByGate {
  /** Whether the gate asks for it, and the limit that its kind of check must keep to. */
  remarks(check: ProposedCheck["check"]): readonly string[];
  /** Evidence that production asks for and that none of the proposed checks gives, with what to add. */
  readonly missing: readonly Missing[];
}

interface Missing {
  readonly kind: string;
  readonly sentence: string;
}

interface Proposed {
  readonly checks: readonly ProposedCheck[];
  readonly lacking: readonly Lack[];
}

export function askedByGate(project: Project, proposed: Proposed, now: number): AskedByGate {
  return askedOf(offlineFacts(project, { to: "production", now }), proposed);
}

/** The same of facts at any tier. */
export function askedOf(facts: GateFacts, { checks, lacking }: Proposed): AskedByGate {
  const decider = createDecider(builtinBundle());
  const declared = checks.flatMap(({ check }) => AssuranceCheck.safeParse(check).data ?? []);
  const passed = withPassed(facts, declared);
  const counted = countResults(decider, passed, unwatched);
  const demanded = decideGate(passed, decider.bundle).requirements;
  const missing = demanded.flatMap(({ id, title, state }) => {
    const kind = kindOfRequirement[id];
    if (kind === undefined || state === "met") return [];
    const add = [...new Set(lacking.filter((each) => each.kind === kind).map((each) => each.add))];
    return [{ kind, sentence: [`before production, tier ${facts.tier} also asks that ${title}: ${usualLimits(decider, facts, kind).join(", or ")}`, ...add].join("; ") }];
  });
  return {
    missing,
    remarks: (given) => {
      const check = AssuranceCheck.safeParse(given).data;
      if (check === undefined) return [];
      const asking = demanded.filter(({ id }) => kindOfRequirement[id] === gateKindOf(check.check) && counted.standingFor(gateKindOf(check.check)).includes(check.id));
      return [...asking.map(({ id }) => `tier ${facts.tier} asks for it before production: \`${id}\``), ...limitRemark(decider, facts, check)];
    },
  };
}

/** The facts if every one of these checks had passed, and nothing else had been run. */
export function withPassed(facts: GateFacts, checks: readonly AssuranceCheck[]): GateFacts {
  const counting = checks.filter(({ advisory }) => advisory !== true);
  return {
    ...facts,
    offline: false,
    declaredChecks: counting.map(({ id }) => id),
    advisoryChecks: checks.filter(({ advisory }) => advisory === true).map(({ id }) => id),
    checks: counting.map((check) => {
      const { op, value } = declaredLimit(check);
      return { id: check.id, check: check.check, verdict: "pass", producer: "licet", producedBy: "server", at: facts.now, result: check.id, judged: { op, limit: value, alpha: 0.05, attempted: 600, assessed: 600, origin: "native", ...effortOf(check) } };
    }),
  };
}

function limitRemark(decider: Decider, facts: GateFacts, check: AssuranceCheck): readonly string[] {
  const row = idealResult(check.check, { now: facts.now, figure: effortOf(check).figure });
  const asked = askedLimit(decider, { move: facts, row, kind: gateKindOf(check.check) });
  return asked === undefined || (asked.op === "<=" && asked.value === 0) ? [] : [`the gate counts it with a limit of ${limitText(asked)}, or a stricter one`];
}
