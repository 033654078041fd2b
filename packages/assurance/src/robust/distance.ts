/** How far a row may be moved before its decision can change, in units of `scale` per feature. */
export interface Distance {
  /** Proven: no point nearer than this changes the decision. Infinity when none at all does. */
  readonly lower: number;
  /** A point at this distance, or arbitrarily little beyond it, changes it. Infinity when none was found. */
  readonly upper: number;
  readonly method: "closed-form" | "branch-and-bound" | "relaxation" | "none";
}

export type Norm = "linf" | "l2" | "l1";

/** Both bounds are one number up to the arithmetic. */
export function isExact(distance: Distance): boolean {
  return distance.upper - distance.lower <= 1e-6 * Math.max(1, distance.upper) || distance.lower === Infinity;
}

/** The nearest of several rivals decides. */
export function nearest(distances: readonly Distance[]): Distance {
  const none: Distance = { lower: Infinity, upper: Infinity, method: "closed-form" };
  return distances.reduce((a, b) => ({
    lower: Math.min(a.lower, b.lower),
    upper: Math.min(a.upper, b.upper),
    method: a.method === "relaxation" || b.method === "relaxation" ? "relaxation" : b.method,
  }), none);
}

/** The middle of sorted values, Infinity kept; null without values. */
export function middle(values: readonly number[]): number | null {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? null;
}
