import type { ModelPrices, Price, RunnerBudget } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import type { Usage } from "../dialect.ts";
import { promptTokensAtMost } from "../budgets/bound.ts";
import { costAtMost, costOf, priceOn } from "../budgets/cost.ts";
import type { PriceBook } from "../budgets/price-tables.ts";
import { dayOf } from "../budgets/utc-day.ts";
import type { ModelView, ProviderView } from "../snapshot.ts";

export interface Costing {
  readonly provider: ProviderView;
  readonly model: Pick<ModelView, "model" | "bounds">;
  /** Bytes of the question as it leaves. */
  readonly bytes: number;
  /** The most that the answer may have, as the question says. */
  readonly answerTokensMax: number | undefined;
  readonly at: number;
}

/** Taken from the budget before a question leaves; given back, or down to what it came to, when it ended. */
export interface Reserved {
  readonly number: number;
  readonly tokens: number;
  readonly costMicros: number | null;
  readonly currency: string | null;
  /** Nothing left. */
  release(): void;
  /** `null`: the provider does not say, and all of it is spent. */
  settle(usage: Usage | null): { readonly tokens: number | null; readonly costMicros: number | null };
}

/** What one ticket's questions may come to together. INVARIANT: what is reserved and spent never passes the budget. */
export class QuestionBudget {
  readonly #budget: RunnerBudget;
  readonly #prices: PriceBook;
  #queries = 0;
  #tokens = 0;
  #micros = 0;

  constructor(budget: RunnerBudget, prices: PriceBook) {
    this.#budget = budget;
    this.#prices = prices;
  }

  /** How many left. */
  get queries(): number {
    return this.#queries;
  }

  /** Throws `budget_exceeded`, `price_unknown`, `answer_unbounded`. */
  reserve(costing: Costing): Reserved {
    const known = this.#prices(costing.provider, costing.model);
    const price = known === undefined ? undefined : priceOn(known, dayOf(costing.at));
    const { prompt, answer } = tokensAtMost(costing, known);
    const tokens = prompt + answer;
    const micros = price === undefined ? 0 : costAtMost(price, { prompt, answer });
    this.#assertPriced(costing, price);
    this.#assertLeft(tokens, micros);
    this.#queries += 1;
    this.#take(tokens, micros);
    return {
      number: this.#queries,
      tokens,
      costMicros: price === undefined ? null : micros,
      currency: price?.currency ?? null,
      release: () => {
        this.#queries -= 1;
        this.#take(-tokens, -micros);
      },
      settle: (usage) => {
        if (usage === null) return { tokens: null, costMicros: null };
        const cost = price === undefined ? 0 : costOf(price, usage);
        this.#take(usage.total - tokens, cost - micros);
        return { tokens: usage.total, costMicros: price === undefined ? null : cost };
      },
    };
  }

  /** What cannot be priced cannot be kept within a budget of money. */
  #assertPriced({ provider, model }: Costing, price: Price | undefined): void {
    const { money } = this.#budget;
    if (money === null || price?.currency === money.currency) return;
    throw new LicetError("price_unknown", { message: `the run's budget is in ${money.currency}, and what \`${model.model}\` of \`${provider.id}\` costs in it is not known` });
  }

  #assertLeft(tokens: number, micros: number): void {
    const { queries, tokens: tokensMax, money } = this.#budget;
    if (this.#queries + 1 > queries) throw exceeded(`${queries} questions`);
    if (this.#tokens + tokens > tokensMax) throw exceeded(`${tokensMax} tokens`);
    if (money !== null && this.#micros + micros > money.micros) throw exceeded(`${money.micros / 1_000_000} ${money.currency}`);
  }

  #take(tokens: number, micros: number): void {
    this.#tokens += tokens;
    this.#micros += micros;
  }
}

function tokensAtMost({ bytes, answerTokensMax }: Costing, known: ModelPrices | undefined): { readonly prompt: number; readonly answer: number } {
  const answer = answerTokensMax ?? known?.answerTokensMax;
  if (answer === undefined) throw new LicetError("answer_unbounded");
  return { prompt: Math.min(promptTokensAtMost({ bytes }), known?.promptTokensMax ?? Infinity), answer };
}

function exceeded(bound: string): LicetError {
  return new LicetError("budget_exceeded", { message: `the question could come to more than what is left of the run's ${bound}: raise it with \`licet serve --runner\`` });
}
