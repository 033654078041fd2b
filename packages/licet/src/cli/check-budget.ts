import type { Estimate } from "./check-estimate.ts";
import { UsageError } from "./failure.ts";

/** What one run may spend on asking models, all its checks together. */
export interface RunBudget {
  readonly queries?: number;
  readonly tokens?: number;
  /** In the currency of the price tables. */
  readonly money?: number;
  readonly timeMs?: number;
}

/** What one check may spend of it. */
export interface CheckBudget {
  readonly queriesMax?: number;
  readonly tokensMax?: number;
  readonly moneyMax?: number;
}

const parts = ["queries", "tokens", "money", "time"] as const;
const secondsIn = { s: 1, m: 60, h: 3600 } as const;
const notation = "write --budget queries=500,tokens=200000,money=2.50,time=10m, with those that you want to bound";

/** `queries=500,tokens=200000,money=2.50,time=10m`; time in seconds where no unit is said. */
export function runBudget(text: string | undefined): RunBudget {
  const given = (text ?? "").split(",").filter((part) => part !== "").map(partOf);
  const names = given.map(([name]) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw new UsageError(`\`${twice}\` stands twice in --budget: keep one`);
  return Object.fromEntries(given.map(([name, value]) => (name === "time" ? ["timeMs", 1000 * value] : [name, value])));
}

function partOf(part: string): readonly [(typeof parts)[number], number] {
  const [, written, digits, unit] = /^([a-z]+)=(\d+(?:\.\d+)?|\.\d+)([smh])?$/u.exec(part) ?? [];
  const name = parts.find((each) => each === written);
  const value = Number(digits);
  if (name === undefined || !(value > 0) || (unit !== undefined && name !== "time")) throw new UsageError(`\`${part}\` is no budget: ${notation}`);
  if ((name === "queries" || name === "tokens") && !Number.isInteger(value)) throw new UsageError(`\`${part}\`: a number of ${name} is whole`);
  return [name, value * (unit === "m" || unit === "h" || unit === "s" ? secondsIn[unit] : 1)];
}

/**
 * Shares of the checks that ask models, in proportion to the questions that each plans: shares that were taken as needed would
 * depend on which check came first, and with several workers that is chance.
 */
export function sharesOf({ queries, tokens, money }: RunBudget, estimates: readonly Estimate[]): ReadonlyMap<string, CheckBudget> {
  const planned = estimates.reduce((sum, estimate) => sum + estimate.queries, 0);
  return new Map(
    estimates.map((estimate) => {
      const share = planned === 0 ? 0 : estimate.queries / planned;
      return [estimate.check, { ...(queries !== undefined && { queriesMax: Math.floor(queries * share) }), ...(tokens !== undefined && { tokensMax: Math.floor(tokens * share) }), ...(money !== undefined && { moneyMax: money * share }) }];
    }),
  );
}
