import { crossing } from "./crossing.ts";
import type { Rate } from "./difference.ts";
import { normalQuantile } from "./normal.ts";
import type { Bounds } from "./proportion.ts";

/** Coefficients of the cubic whose middle root is the most likely p2 under p1 - p2 = delta, highest power first. */
export type RestrictedCubic = (first: Rate, second: Rate, delta: number) => readonly [number, number, number, number];

/**
 * Score bounds of p1 - p2 from independent samples, each with confidence 1 - alpha.
 * Source: Miettinen & Nurminen 1985, with their factor N / (N - 1).
 */
export function miettinenNurminen(first: Rate, second: Rate, alpha: number): Bounds {
  return scoreDifference({ first, second, alpha, cubic: restrictedCubic });
}

/** The same bounds with another cubic, so that a reference's own can be compared. */
export function scoreDifference(options: { readonly first: Rate; readonly second: Rate; readonly alpha: number; readonly cubic: RestrictedCubic }): Bounds {
  const { first, second, cubic } = options;
  const z = normalQuantile(1 - options.alpha);
  const estimate = first.events / first.n - second.events / second.n;
  const error = (delta: number) => differenceError({ first, second, delta, p2: middleRoot(cubic(first, second, delta), delta) });
  const beyond = (delta: number) => Math.abs(estimate - delta) > z * error(delta);
  return {
    lower: estimate <= -1 ? -1 : crossing(beyond, -1, estimate),
    upper: estimate >= 1 ? 1 : crossing(beyond, 1, estimate),
  };
}

/** Appendix I of the same paper. */
export function restrictedCubic(first: Rate, second: Rate, delta: number): readonly [number, number, number, number] {
  const total = first.n + second.n;
  const events = first.events + second.events;
  return [
    total,
    (first.n + 2 * second.n) * delta - total - events,
    (second.n * delta - total - 2 * second.events) * delta + events,
    second.events * delta * (1 - delta),
  ];
}

/** Standard error of the difference if it were `delta`. */
function differenceError(options: { readonly first: Rate; readonly second: Rate; readonly delta: number; readonly p2: number }): number {
  const { first, second, p2 } = options;
  const total = first.n + second.n;
  const p1 = Math.min(1, Math.max(0, p2 + options.delta));
  const variance = (p1 * (1 - p1)) / first.n + (p2 * (1 - p2)) / second.n;
  return Math.sqrt((variance * total) / (total - 1));
}

function middleRoot([l3, l2, l1, l0]: readonly [number, number, number, number], delta: number): number {
  const third = l2 / (3 * l3);
  const q = third ** 3 - (l1 * l2) / (6 * l3 * l3) + l0 / (2 * l3);
  const p = Math.sign(q) * Math.sqrt(Math.max(0, third * third - l1 / (3 * l3)));
  const ratio = p === 0 ? 0 : Math.max(-1, Math.min(1, q / p ** 3));
  const root = 2 * p * Math.cos((Math.PI + Math.acos(ratio)) / 3) - third;
  return Math.min(Math.min(1, 1 - delta), Math.max(Math.max(0, -delta), root));
}

/**
 * Bounds of p1 - p2 where both rates are over the same n rows, each with confidence 1 - alpha; only the rows on which
 * one of the two has an event count. Source: Tango 1998 (Stat Med 17:891). Keeps a width without discordant rows.
 */
export function tango(paired: { readonly onlyFirst: number; readonly onlySecond: number; readonly n: number }, alpha: number): Bounds {
  const { onlyFirst, onlySecond, n } = paired;
  const z = normalQuantile(1 - alpha);
  const estimate = (onlyFirst - onlySecond) / n;
  const beyond = (delta: number) => {
    const b = -onlyFirst - onlySecond + (2 * n - onlyFirst + onlySecond) * delta;
    const c = -onlySecond * delta * (1 - delta);
    const q = (Math.sqrt(Math.max(0, b * b - 8 * n * c)) - b) / (4 * n);
    return Math.abs(onlyFirst - onlySecond - n * delta) > z * Math.sqrt(Math.max(0, n * (2 * q + delta * (1 - delta))));
  };
  return {
    lower: estimate <= -1 ? -1 : crossing(beyond, -1, estimate),
    upper: estimate >= 1 ? 1 : crossing(beyond, 1, estimate),
  };
}
