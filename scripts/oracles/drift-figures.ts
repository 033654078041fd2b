import type { Tally } from "./tally.ts";

export type Figure = number | string | boolean | readonly (number | string)[];
export type DriftCase = Readonly<Record<string, Figure>>;

/** What we say to each figure; asked for only when the file holds it. */
export type Computed = Readonly<Record<string, Figure | (() => Figure)>>;

/** Quantiles of distributions are compared less strictly. */
const looser: Readonly<Record<string, number>> = { psi_null_95pct_approx: 1e-6 };

/** Compares every figure of a case. One that we do not compute is a difference. */
export function compareFigures(tally: Tally, { name, figures, computed }: { name: string; figures: DriftCase; computed: Computed }): void {
  for (const [key, expected] of Object.entries(figures)) {
    if (key === "kind") continue;
    const found = computed[key];
    const actual = typeof found === "function" ? found() : found;
    compareOne(tally, { name: `${name} ${key}`, actual, expected, relative: looser[key] ?? 1e-9 });
  }
}

export function compareOne(tally: Tally, { name, actual, expected, relative }: { name: string; actual: Figure | undefined; expected: Figure; relative: number }): void {
  if (Array.isArray(expected) && Array.isArray(actual) && expected.length === actual.length && expected.every((value) => typeof value === "number")) {
    compareLists(tally, { name, actual: actual.map(Number), expected, relative });
    return;
  }
  if (typeof actual !== "number" || Number.isFinite(actual) === (typeof expected === "string")) {
    tally.same(name, typeof actual === "number" ? String(actual) : actual, expected);
    return;
  }
  tally.near(name, actual, typeof expected === "number" ? expected : undefined, relative);
}

/** A list counts once: by its first figure that is off. */
function compareLists(tally: Tally, { name, actual, expected, relative }: { name: string; actual: readonly number[]; expected: readonly number[]; relative: number }): void {
  const off = expected.findIndex((value, index) => !(Math.abs((actual[index] ?? Number.NaN) - value) <= relative * Math.abs(value) + 1e-12));
  tally.near(name, off < 0 ? 0 : (actual[off] ?? Number.NaN), off < 0 ? 0 : (expected[off] ?? 0), relative);
}
