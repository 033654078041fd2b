import { binomialCdf } from "./beta.ts";
import { binomialPmf } from "./binomial.ts";

/** Rows on which exactly one of two models errs. */
export interface Discordant {
  readonly onlyFirst: number;
  readonly onlySecond: number;
}

/** Exact two-sided p-value that both models err equally often. 1 without a discordant row. Source: McNemar 1947. */
export function mcnemarExact({ onlyFirst, onlySecond }: Discordant): number {
  const n = onlyFirst + onlySecond;
  return n === 0 ? 1 : Math.min(1, 2 * binomialCdf(Math.min(onlyFirst, onlySecond), n, 0.5));
}

/** The mid-p version: less conservative. NaN without a discordant row. Source: Fagerland, Lydersen & Laake 2013. */
export function mcnemarMid({ onlyFirst, onlySecond }: Discordant): number {
  const n = onlyFirst + onlySecond;
  if (n === 0) return Number.NaN;
  const least = Math.min(onlyFirst, onlySecond);
  return Math.min(1, 2 * binomialCdf(least, n, 0.5) - binomialPmf(least, n, 0.5));
}
