import { round12 } from "../verdict/round.ts";

/** One noisy answer: its name, how it was made, and what it cost. */
export type Spending =
  | { readonly name: string; readonly mechanism: "laplace"; readonly epsilon: number }
  | { readonly name: string; readonly mechanism: "gaussian"; readonly rho: number };

export interface PrivacyBudget {
  readonly epsilon: number;
  /** Chance that the promise does not hold; far below one over the number of people. 0 allows only Laplace noise. */
  readonly delta: number;
}

export type SpendResult = { readonly kind: "spent"; readonly left: number } | { readonly kind: "refused"; readonly reason: string };

/**
 * Adds up what noisy answers about the same people cost and refuses one that would exceed the budget.
 * Epsilons of pure answers add up; all answers together are also counted as zero-concentrated privacy, and the smaller
 * total holds. Sources: Dwork et al. 2006; Bun & Steinke 2016 (arXiv:1605.02065), propositions 1.3, 1.4 and 1.7.
 */
export class PrivacyAccountant {
  readonly budget: PrivacyBudget;
  readonly #spent: Spending[] = [];

  constructor(budget: PrivacyBudget) {
    this.budget = budget;
  }

  get spendings(): readonly Spending[] {
    return [...this.#spent];
  }

  /** Total epsilon at the budget's delta. */
  get epsilon(): number {
    return round12(totalEpsilon(this.#spent, this.budget.delta));
  }

  /** All of them or none. */
  spendAll(spendings: readonly Spending[]): SpendResult {
    const before = this.#spent.length;
    let last: SpendResult = { kind: "spent", left: round12(Math.max(0, this.budget.epsilon - this.epsilon)) };
    for (const spending of spendings) {
      last = this.spend(spending);
      if (last.kind === "spent") continue;
      this.#spent.length = before;
      return last;
    }
    return last;
  }

  spend(spending: Spending): SpendResult {
    const cost = spending.mechanism === "laplace" ? spending.epsilon : spending.rho;
    if (!(cost > 0 && Number.isFinite(cost))) return { kind: "refused", reason: `\`${spending.name}\` must cost more than 0: give it a positive epsilon or rho` };
    const total = totalEpsilon([...this.#spent, spending], this.budget.delta);
    if (total > this.budget.epsilon * (1 + 1e-12)) {
      return { kind: "refused", reason: `\`${spending.name}\` would raise epsilon to ${round12(total)} of ${this.budget.epsilon}: publish less, or ask for a larger budget` };
    }
    this.#spent.push(spending);
    return { kind: "spent", left: round12(Math.max(0, this.budget.epsilon - total)) };
  }
}

export function totalEpsilon(spent: readonly Spending[], delta: number): number {
  const pure = spent.every(({ mechanism }) => mechanism === "laplace") ? spent.reduce((sum, each) => sum + (each.mechanism === "laplace" ? each.epsilon : 0), 0) : Infinity;
  const rho = spent.reduce((sum, each) => sum + (each.mechanism === "laplace" ? each.epsilon ** 2 / 2 : each.rho), 0);
  return Math.min(pure, epsilonOfRho(rho, delta));
}

/** Epsilon at delta of rho-zero-concentrated privacy. */
export function epsilonOfRho(rho: number, delta: number): number {
  if (rho === 0) return 0;
  return delta > 0 && delta < 1 ? rho + 2 * Math.sqrt(rho * Math.log(1 / delta)) : Infinity;
}

/** The rho that a budget of epsilon and delta allows. */
export function rhoOfBudget({ epsilon, delta }: PrivacyBudget): number {
  if (!(epsilon > 0 && delta > 0 && delta < 1)) return 0;
  const logDelta = Math.log(1 / delta);
  return (Math.sqrt(logDelta + epsilon) - Math.sqrt(logDelta)) ** 2;
}
