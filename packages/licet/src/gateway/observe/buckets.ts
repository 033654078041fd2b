/** A histogram that costs one loop to feed. Owned by its series. */
export class Buckets {
  readonly bounds: readonly number[];
  /** Values at most as large as the bound of the same place and larger than the one before; the last place has no bound. */
  readonly counts: Float64Array;
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = new Float64Array(bounds.length + 1);
  }

  observe(value: number): void {
    let at = 0;
    while (at < this.bounds.length && value > (this.bounds[at] ?? 0)) at++;
    this.counts[at] = (this.counts[at] ?? 0) + 1;
    this.sum += value;
  }

  get count(): number {
    let total = 0;
    for (const each of this.counts) total += each;
    return total;
  }
}

/** From a tenth of a millisecond, which is what the gateway adds, to the longest exchange. */
export const secondsBounds = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600] as const;
