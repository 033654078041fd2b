/** Stirling's series is exact to double precision from here on; below, the recurrence lifts the argument. */
export const stirlingFrom = 12;
const halfLogTwoPi = 0.918_938_533_204_672_7;
const series = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360_360, 1 / 156] as const;

/**
 * Natural logarithm of the gamma function for x > 0; NaN otherwise.
 * Source: Stirling's series with recurrence, Abramowitz & Stegun 6.1.40 and 6.1.15.
 */
export function logGamma(x: number): number {
  if (!(x > 0)) return Number.NaN;
  let lifted = x;
  let product = 1;
  while (lifted < stirlingFrom) {
    product *= lifted;
    lifted += 1;
  }
  return (lifted - 0.5) * Math.log(lifted) - lifted + halfLogTwoPi + stirlingCorrection(lifted) - Math.log(product);
}

/** What Stirling's leading terms lack, for x from `stirlingFrom` on. */
export function stirlingCorrection(x: number): number {
  const square = x * x;
  let power = x;
  let sum = 0;
  for (const coefficient of series) {
    sum += coefficient / power;
    power *= square;
  }
  return sum;
}
