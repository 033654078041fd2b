import { gateKindOf, LicetError, Stage, type AssuranceCheck, type CheckStanding, type Tier } from "@licet/contract";
import { askedLimit, idealResult } from "../ato/asked-bound.ts";
import { effortOf } from "../ato/check-facts.ts";
import { bundleOf } from "../policy/publish.ts";
import { createDecider, type Decider } from "../policy/decide.ts";
import type { InsightDeps } from "./board.ts";

/** What the gate would ask of each declared check's limit in the system's next move; null where it says no number. */
export async function askedLimits(deps: InsightDeps, space: string, { name, stage, tier }: { readonly name: string; readonly stage: string; readonly tier: Tier }): Promise<(check: AssuranceCheck) => CheckStanding["asked"]> {
  const decider = await deciderOf(deps, space);
  if (decider === undefined) return () => null;
  const from = Stage.parse(stage);
  const to = from === "pilot" || from === "production" ? "production" : "pilot";
  const move = { system: name, from, to, tier, now: deps.now() } as const;
  return (check) => {
    const row = idealResult(check.check, { now: move.now, figure: effortOf(check).figure });
    return askedLimit(decider, { move, row, kind: gateKindOf(check.check) }) ?? null;
  };
}

async function deciderOf(deps: InsightDeps, space: string): Promise<Decider | undefined> {
  try {
    return createDecider(await bundleOf(deps.read, space));
  } catch (error) {
    if (error instanceof LicetError && error.code === "policy_not_published") return undefined;
    throw error;
  }
}
