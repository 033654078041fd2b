import { binomialUpper } from "../stats/binomial.ts";
import { benjaminiHochberg } from "../stats/multiple.ts";
import { randomFrom } from "../stats/random.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { decideRateFamily, type NamedRate } from "./rate-family.ts";
import { requireEqual } from "./scored.ts";
import { contradicted, type Evidence, isRate, settle, unusable } from "../verdict/settle.ts";
import { type Found, searchSlices, type SliceColumn, type SliceSearch, type SliceTerm } from "./slice-search.ts";

/** False discoveries allowed among the slices that the search reports. */
const discoveryRate = 0.1;
/** More declared slices than anybody would read. */
const slicesMax = 1000;

/** A slice that the search found on one half, counted on the other. */
export interface DiscoveredSlice {
  readonly name: string;
  /** Right answers among n in the slice, and everywhere on that half. */
  readonly events: number;
  readonly n: number;
  readonly overall: { readonly events: number; readonly n: number };
}

export interface SliceStatistics extends Evidence {
  readonly declared: readonly NamedRate[];
  readonly discovered: readonly DiscoveredSlice[];
  readonly notes: readonly string[];
}

export interface SliceOptions extends Partial<SliceSearch> {
  readonly seed: string;
  /** Each slice is a conjunction of terms. */
  readonly declared: readonly (readonly SliceTerm[])[];
}

/** Categories of every row by column, and whether the model was right: 1, 0, or 255 without an answer. */
export interface SlicedRows {
  readonly right: Uint8Array;
  readonly columns: readonly SliceColumn[];
}

/** `perf.slices`: counts of declared slices on all rows; a search on a random half whose finds are counted on the other. */
export function measureSlices({ right, columns }: SlicedRows, options: SliceOptions): SliceStatistics {
  requireEqual({ right, ...Object.fromEntries(columns.map(({ name, codes }) => [name, codes])) });
  const rows = Uint32Array.from(right.keys()).filter((row) => (right[row] ?? 255) <= 1);
  const random = randomFrom(options.seed);
  const side = Uint8Array.from(rows, () => (random.uniform() < 0.5 ? 0 : 1));
  const half = (which: number) => rows.filter((_, index) => side[index] === which);
  const [searched, tested] = [half(0), half(1)];
  const discovered = searchSlices({ right, columns, rows: searched }, options).map((found) => counted({ right, columns, rows: tested }, found));
  return {
    attempted: right.length,
    assessed: rows.length,
    degenerate: null,
    declared: options.declared.map((terms) => countSlice({ right, columns, rows }, terms)),
    discovered,
    notes: discoveries(discovered).map(({ name, events, n, overall }) => `found by search: \`${name}\` has ${events} of ${n} right, against ${overall.events} of ${overall.n} on the same half`),
  };
}

/** Declared slices against a floor; what the search found is for people and changes no verdict. */
export function decideSlices(statistics: SliceStatistics, limit: Limit): Outcome {
  const { declared, assessed } = statistics;
  const possible = declared.length <= slicesMax && declared.every(({ events, n }) => isRate(events, n) && n <= assessed);
  return unusable(limit) ?? contradicted(possible) ?? settle(decideRateFamily(declared, limit), statistics);
}

/**
 * Finds that hold up on the other half: fewer right answers than that half has overall, by the exact binomial test,
 * with Benjamini-Hochberg at 0.1 over all finds.
 */
export function discoveries(found: readonly DiscoveredSlice[]): readonly DiscoveredSlice[] {
  const p = found.map(({ events, n, overall }) => (n === 0 || overall.n === 0 ? 1 : binomialUpper(n - events, n, 1 - overall.events / overall.n)));
  const adjusted = benjaminiHochberg(p);
  return found.filter((_, index) => (adjusted[index] ?? 1) <= discoveryRate);
}

interface CountedRows extends SlicedRows {
  readonly rows: Uint32Array;
}

function counted(rows: CountedRows, { terms }: Found): DiscoveredSlice {
  const all = countSlice(rows, []);
  return { ...countSlice(rows, terms), overall: { events: all.events, n: all.n } };
}

function countSlice({ right, columns, rows }: CountedRows, terms: readonly SliceTerm[]): NamedRate {
  const tests = terms.map(({ column, value }) => {
    const found = columns.find(({ name }) => name === column);
    return { codes: found?.codes ?? new Int32Array(), code: found?.values.indexOf(value) ?? -1 };
  });
  let [events, n] = [0, 0];
  for (const row of rows) {
    if (!tests.every(({ codes, code }) => code >= 0 && codes[row] === code)) continue;
    n += 1;
    events += right[row] ?? 0;
  }
  return { name: terms.map(({ column, value }) => `${column}=${value}`).join(" and "), events, n };
}
