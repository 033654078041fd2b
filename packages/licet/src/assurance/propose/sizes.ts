import { attemptAlpha, trialsNeeded } from "@licet/assurance";

/** What a first attempt is judged at: what the sizes are said for. */
const alpha = attemptAlpha(1);

/** How many cases show a rate below the limit, with nothing wrong and with half of what is allowed. */
export function sizes(limit: number, of: string): string {
  return `${cases(limit, 0)} ${of} show it when all is well, ${cases(limit, limit / 2)} when half of what is allowed goes wrong`;
}

export function rowSizes(limit: number, rows: number): string {
  return `${sizes(limit, "rows")}; there are ${rows}`;
}

/** Rows that show a loss of accuracy below the limit when nothing is lost: it lies between two rates, each bounded at half the error. */
export function lossCases(limit: number): number | undefined {
  return trialsNeeded(0, limit, alpha / 2);
}

export function cases(limit: number, rate: number): number | undefined {
  return trialsNeeded(rate, limit, alpha);
}
