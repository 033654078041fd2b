/** Bonferroni-adjusted p-values, at most 1, in the order given. */
export function bonferroni(p: readonly number[]): readonly number[] {
  return p.map((value) => Math.min(1, value * p.length));
}

/** Holm's step-down adjusted p-values in the order given. Source: Holm 1979. */
export function holm(p: readonly number[]): readonly number[] {
  const order = p.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const adjusted = Array.from({ length: p.length }, () => 1);
  let running = 0;
  for (const [rank, { value, index }] of order.entries()) {
    running = Math.max(running, Math.min(1, value * (p.length - rank)));
    adjusted[index] = running;
  }
  return adjusted;
}
