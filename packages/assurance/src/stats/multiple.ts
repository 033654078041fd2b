/** Bonferroni-adjusted p-values, at most 1, in the order given. */
export function bonferroni(p: readonly number[]): readonly number[] {
  return p.map((value) => Math.min(1, value * p.length));
}

/** Šidák's adjusted p-values for independent tests. Source: Šidák 1967. */
export function sidak(p: readonly number[]): readonly number[] {
  return p.map((value) => -Math.expm1(p.length * Math.log1p(-value)));
}

/** Holm's step-down adjusted p-values in the order given. Source: Holm 1979. */
export function holm(p: readonly number[]): readonly number[] {
  let running = 0;
  return inOrder(p, (value, rank) => {
    running = Math.max(running, Math.min(1, value * (p.length - rank)));
    return running;
  });
}

/**
 * Hommel's adjusted p-values: more powerful than Holm's, valid for independent and positively dependent tests.
 * Source: Hommel 1988, by the algorithm of Wright 1992.
 */
export function hommel(p: readonly number[]): readonly number[] {
  const m = p.length;
  const sorted = p.toSorted((a, b) => a - b);
  const adjusted = sorted.slice();
  for (let size = m; size > 1; size -= 1) {
    const upper = sorted.slice(m - size + 1);
    const least = Math.min(...upper.map((value, index) => (size * value) / (index + 2)));
    for (let rank = 0; rank < m; rank += 1) {
      const value = sorted[Math.min(rank, m - size)] ?? 1;
      adjusted[rank] = Math.max(adjusted[rank] ?? 0, Math.min(least, size * value));
    }
  }
  return inOrder(p, (_, rank) => Math.min(1, adjusted[rank] ?? 1));
}

/** Adjusted p-values that control the false discovery rate under independence. Source: Benjamini & Hochberg 1995. */
export function benjaminiHochberg(p: readonly number[]): readonly number[] {
  return stepUp(p, p.length);
}

/** The same under any dependence. Source: Benjamini & Yekutieli 2001. */
export function benjaminiYekutieli(p: readonly number[]): readonly number[] {
  return stepUp(p, p.length * p.reduce((sum, _, index) => sum + 1 / (index + 1), 0));
}

function stepUp(p: readonly number[], factor: number): readonly number[] {
  const sorted = p.toSorted((a, b) => a - b);
  let running = 1;
  const adjusted = sorted.map(() => 1);
  for (let rank = sorted.length - 1; rank >= 0; rank -= 1) {
    running = Math.min(running, ((sorted[rank] ?? 1) * factor) / (rank + 1));
    adjusted[rank] = running;
  }
  return inOrder(p, (_, rank) => adjusted[rank] ?? 1);
}

/** Calls from the smallest value up, and puts the results back in the order given. */
function inOrder(p: readonly number[], adjust: (value: number, rank: number) => number): readonly number[] {
  const order = p.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const adjusted = p.map(() => 1);
  for (const [rank, { value, index }] of order.entries()) adjusted[index] = adjust(value, rank);
  return adjusted;
}
