import type { Bounds } from "./proportion.ts";
import { studentQuantile } from "./student.ts";

/** What the mean of independent numbers and its uncertainty need. */
export interface Moments {
  readonly n: number;
  readonly mean: number;
  /** With n - 1. */
  readonly sd: number;
  /** Third central moment over the 1.5th power of the second, both over n; 0 where nothing varies. */
  readonly skewness: number;
}

/** Two passes, so that a large mean does not eat the spread. */
export function momentsOf(values: Float64Array): Moments {
  const n = values.length;
  let sum = 0;
  for (const value of values) sum += value;
  const mean = sum / n;
  let [squares, cubes] = [0, 0];
  for (const value of values) {
    const distance = value - mean;
    squares += distance * distance;
    cubes += distance * distance * distance;
  }
  return { n, mean, sd: n < 2 ? Number.NaN : Math.sqrt(squares / (n - 1)), skewness: squares === 0 ? 0 : cubes / n / (squares / n) ** 1.5 };
}

/** Student's bounds of a mean, each with confidence 1 - alpha: exact for normal values only. */
export function studentMean({ n, mean, sd }: Moments, alpha: number): Bounds {
  const half = (studentQuantile(1 - alpha, n - 1) * sd) / Math.sqrt(n);
  return { lower: mean - half, upper: mean + half };
}

/**
 * Bounds of a mean, each with confidence about 1 - alpha, corrected for skewness; the normal quantile is replaced by
 * Student's, which gives Student's bounds without skewness. Needs n >= 2.
 * Source: Hall 1992 (JRSS B 54:221), the cubic transformation that can be inverted.
 */
export function skewedMean(moments: Moments, alpha: number): Bounds {
  const { n, mean, sd, skewness } = moments;
  const quantile = studentQuantile(1 - alpha, n - 1) / Math.sqrt(n);
  const inverse = (x: number) => (Math.abs(skewness) < 1e-9 ? x : (3 / skewness) * (Math.cbrt(1 + skewness * (x - skewness / (6 * n))) - 1));
  return { lower: mean - sd * inverse(quantile), upper: mean - sd * inverse(-quantile) };
}

/** Difference of two independent means by Welch 1947, each bound with confidence 1 - alpha; needs two values on each side. */
export function welch(first: Moments, second: Moments, alpha: number): Bounds {
  const [a, b] = [first.sd ** 2 / first.n, second.sd ** 2 / second.n];
  const estimate = first.mean - second.mean;
  if (a + b === 0) return { lower: estimate, upper: estimate };
  const dof = (a + b) ** 2 / (a ** 2 / (first.n - 1) + b ** 2 / (second.n - 1));
  const half = studentQuantile(1 - alpha, dof) * Math.sqrt(a + b);
  return { lower: estimate - half, upper: estimate + half };
}
