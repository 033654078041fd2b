import { round12, totalEpsilon } from "@licet/assurance";
import type { DataLineage } from "@licet/contract";
import type { OpenBudget } from "./data-budget.ts";

type Spent = Extract<DataLineage, { method: "noise" }>["privacy"]["spent"];

/** What this run cost by itself, and where that leaves the budget: both from the accountant. */
export function spentOf(open: OpenBudget): Spent {
  const { accountant, before, delta } = open;
  const own = open.spendings();
  return { epsilon: round12(totalEpsilon(own, delta)), delta, epsilonBefore: before, epsilonAfter: accountant.epsilon, epsilonTotal: accountant.budget.epsilon, spendings: [...own] };
}

/** Beyond this, the promise of differential privacy says little about anybody. */
const epsilonWeak = 10;

export function ownerNotes(epsilon: number): readonly string[] {
  const owner = "the lineage file holds exact figures about the real data: keep it with the source, publish only the output";
  return epsilon > epsilonWeak ? [owner, `epsilon ${epsilon} promises little: figures between 0.1 and ${epsilonWeak} are usual`] : [owner];
}
