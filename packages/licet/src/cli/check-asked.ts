import { AssuranceCheck, gateKindOf, type GateFacts } from "@licet/contract";
import type { ProposedCheck } from "../assurance/propose.ts";
import { askedLimit, idealResult, limitText } from "../ato/asked-bound.ts";
import { effortOf } from "../ato/check-facts.ts";
import { kindOfRequirement, usualLimits } from "../ato/evidence-finding.ts";
import { decideGate } from "../ato/gate.ts";
import { offlineFacts } from "../ato/offline-facts.ts";
import type { Project } from "../inventory/project.ts";
import { builtinBundle } from "../policy/bundle.ts";
import { createDecider, type Decider } from "../policy/decide.ts";

/** What the gate will ask of proposed checks and beside them, by the packs of this installation and the stricter tier. */
export interface AskedByGate {
  /** The limit that its kind of check must keep to. */
  remarks(check: ProposedCheck["check"]): readonly string[];
  /** Evidence that production asks for and that none of the proposed checks gives. */
  readonly missing: readonly string[];
}

export function askedByGate(project: Project, proposed: readonly ProposedCheck[], now: number): AskedByGate {
  const decider = createDecider(builtinBundle());
  const facts = offlineFacts(project, { to: "production", now });
  const given = new Set(proposed.map(({ check }) => gateKindOf(String(check["check"]))));
  const missing = decideGate(facts, decider.bundle).requirements.flatMap(({ id, title }) => {
    const kind = kindOfRequirement[id];
    return kind === undefined || given.has(kind) ? [] : [`before production, tier ${facts.tier} also asks that ${title}: ${usualLimits(decider, facts, kind).join(", or ")}`];
  });
  return { missing, remarks: (check) => remarksOn(decider, facts, check) };
}

function remarksOn(decider: Decider, facts: GateFacts, given: ProposedCheck["check"]): readonly string[] {
  const check = AssuranceCheck.safeParse(given).data;
  if (check === undefined) return [];
  const row = idealResult(check.check, { now: facts.now, figure: effortOf(check).figure });
  const asked = askedLimit(decider, { move: facts, row, kind: gateKindOf(check.check) });
  return asked === undefined || (asked.op === "<=" && asked.value === 0) ? [] : [`the gate counts it with a limit of ${limitText(asked)}, or a stricter one`];
}
