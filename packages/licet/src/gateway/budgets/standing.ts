import { BudgetLimits, ModelPrices } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { DeploymentView, ProviderView } from "../snapshot.ts";
import type { StandingRows } from "../store.ts";

/** The row of `budget_limit` that holds for all systems of a space together. */
export const wholeSpace = "";

type Place = Pick<DeploymentView, "space" | "system">;

/** Every set of limits of a deployment; nothing where nobody set any. */
export function budgetsOf({ budgetLimits }: Pick<StandingRows, "budgetLimits">, { space, system }: Place, declared: DeploymentView["budgets"]): Pick<DeploymentView, "budgets"> {
  const own = limitsIn(budgetLimits, { space, system });
  const whole = limitsIn(budgetLimits, { space, system: wholeSpace });
  if (declared === undefined && own === undefined && whole === undefined) return {};
  return { budgets: { ...declared, ...(own !== undefined && { system: own }), ...(whole !== undefined && { space: whole }) } };
}

function limitsIn(rows: StandingRows["budgetLimits"], { space, system }: Place): BudgetLimits | undefined {
  const row = rows.find((each) => each.space === space && each.system === system);
  return row === undefined ? undefined : BudgetLimits.parse(parseJson(row.limits));
}

/** The organisation's own prices of a provider's models. */
export function pricesOf({ modelPrices }: Pick<StandingRows, "modelPrices">, { space, id }: { readonly space: string; readonly id: string }): Pick<ProviderView, "prices"> {
  const own = modelPrices.filter((row) => row.space === space && row.provider === id);
  return own.length === 0 ? {} : { prices: Object.fromEntries(own.map((row) => [row.model, ModelPrices.parse(parseJson(row.known))])) };
}
