import type { BudgetAsk, Budgets, Reserving } from "./budgets.ts";

/** More often nobody tries: what others gave back went to somebody else. */
const triesMax = 4;

/** As `reserve`, and at once where it fits; where the rest of a limit is at other gateways it waits a moment for some of it. */
export function reserveShared(budgets: Budgets | undefined, ask: BudgetAsk): Reserving | undefined | Promise<Reserving> {
  const first = budgets?.reserve(ask);
  return budgets !== undefined && first !== undefined && "refusal" in first && first.pending === true ? later(budgets, ask, first) : first;
}

async function later(budgets: Budgets, ask: BudgetAsk, first: Reserving): Promise<Reserving> {
  let last = first;
  for (let tries = 0; tries < triesMax; tries++) {
    if (!("refusal" in last) || last.pending !== true || !(await budgets.changed())) return last;
    last = budgets.reserve(ask);
  }
  return last;
}
