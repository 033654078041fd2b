import type { Budgets } from "../gateway/budgets/budgets.ts";
import { refuse, type Refusal } from "../gateway/refusal.ts";

/**
 * Budgets are exact where one process counts them, and a gateway process sees its own calls alone. INVARIANT: a call that
 * has a budget is refused here, so that several gateways together never pass it; all others are priced and counted.
 */
export function withoutLimits(budgets: Budgets): Budgets {
  const refusal = (limited: boolean): Refusal | undefined => (limited ? refuse("budget_elsewhere") : undefined);
  return {
    reserve(ask) {
      const refused = refusal(ask.credential.deployment.budgets !== undefined);
      return refused === undefined ? budgets.reserve(ask) : { refusal: refused };
    },
    peek: (ask) => refusal(ask.credential.deployment.budgets !== undefined) ?? budgets.peek(ask),
    cedar: (ask) => budgets.cedar(ask),
    spending: (space, system, now) => budgets.spending(space, system, now),
  };
}
