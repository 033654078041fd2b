import { LicetError } from "@licet/contract";

/** Rows with a true class and a score of the positive class, as columns. */
export interface Scored {
  /** 1 where the true class is the positive one, otherwise 0. */
  readonly positive: Uint8Array;
  readonly scores: Float64Array;
}

/** Rows with a finite score; the others count as not assessed. Throws `columns_unequal` when the columns have different lengths. */
export function finiteRows({ positive, scores }: Scored): Scored {
  requireEqual({ positive, scores });
  if (scores.every((score) => Number.isFinite(score))) return { positive, scores };
  const kept = Uint32Array.from(scores.keys()).filter((row) => Number.isFinite(scores[row]));
  return { positive: Uint8Array.from(kept, (row) => positive[row] ?? 0), scores: Float64Array.from(kept, (row) => scores[row] ?? 0) };
}

/** Throws `columns_unequal` unless all columns have the same number of rows. */
export function requireEqual(columns: Readonly<Record<string, ArrayLike<unknown>>>): void {
  const lengths = new Set(Object.values(columns).map(({ length }) => length));
  if (lengths.size <= 1) return;
  const named = Object.entries(columns).map(([name, { length }]) => `\`${name}\` ${length}`);
  throw new LicetError("columns_unequal", { message: `the columns have different numbers of rows: ${named.join(", ")}` });
}

/** Share of rows of the positive class. */
export function baseRate(positive: Uint8Array): number {
  let events = 0;
  for (const label of positive) events += label;
  return events / positive.length;
}
