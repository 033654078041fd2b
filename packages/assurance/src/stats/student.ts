import { incompleteBeta, inverseIncompleteBeta } from "./beta.ts";

/**
 * P(T > t) for T Student with `dof` > 0 degrees of freedom (not necessarily whole). Relative accuracy holds in the tail.
 * Source: DLMF 8.17, I_{dof / (dof + t²)}(dof / 2, 1 / 2) / 2.
 */
export function studentSurvival(t: number, dof: number): number {
  if (!(dof > 0) || Number.isNaN(t)) return Number.NaN;
  const square = t * t;
  if (square === Infinity) return t < 0 ? 1 : 0;
  // The smaller of both arguments is taken: 1 minus it would lose its digits.
  const tail = square < dof ? (1 - incompleteBeta(square / (dof + square), 0.5, dof / 2)) / 2 : incompleteBeta(dof / (dof + square), dof / 2, 0.5) / 2;
  return t < 0 ? 1 - tail : tail;
}

/** The t with P(T <= t) = p for T Student with `dof` degrees of freedom; -Infinity and Infinity at 0 and 1. */
export function studentQuantile(p: number, dof: number): number {
  if (!(dof > 0 && p >= 0 && p <= 1)) return Number.NaN;
  if (p < 0.5) return -studentQuantile(1 - p, dof);
  if (p === 0.5) return 0;
  const x = inverseIncompleteBeta(2 * (1 - p), dof / 2, 0.5);
  return x === 0 ? Infinity : Math.sqrt((dof * (1 - x)) / x);
}

/** P(F > f) for F with d1 and d2 degrees of freedom. Source: I_{d2 / (d2 + d1 f)}(d2 / 2, d1 / 2). */
export function fSurvival(f: number, d1: number, d2: number): number {
  if (!(d1 > 0 && d2 > 0) || Number.isNaN(f)) return Number.NaN;
  if (f <= 0 || d1 * f === Infinity) return f <= 0 ? 1 : 0;
  return d1 * f < d2 ? 1 - incompleteBeta((d1 * f) / (d2 + d1 * f), d1 / 2, d2 / 2) : incompleteBeta(d2 / (d2 + d1 * f), d2 / 2, d1 / 2);
}

/** The f with P(F <= f) = p. */
export function fQuantile(p: number, d1: number, d2: number): number {
  if (!(d1 > 0 && d2 > 0 && p >= 0 && p <= 1)) return Number.NaN;
  const x = inverseIncompleteBeta(p, d1 / 2, d2 / 2);
  return x === 1 ? Infinity : (d2 * x) / (d1 * (1 - x));
}
