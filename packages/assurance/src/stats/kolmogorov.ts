const smallUntil = 1;

/**
 * P(K > x) of Kolmogorov's limiting distribution; K is the limit of sqrt(n) times the largest distance of an empirical
 * from its true distribution function. Source: Kolmogorov 1933 (series), Jacobi's theta form below 1.
 */
export function kolmogorovSurvival(x: number): number {
  if (Number.isNaN(x)) return Number.NaN;
  if (x <= 0) return 1;
  return x < smallUntil ? 1 - small(x) : large(x);
}

function small(x: number): number {
  let sum = 0;
  for (let odd = 1; odd < 40; odd += 2) sum += Math.exp(-(odd * odd * Math.PI * Math.PI) / (8 * x * x));
  return (Math.sqrt(2 * Math.PI) / x) * sum;
}

function large(x: number): number {
  let sum = 0;
  for (let k = 20; k >= 1; k -= 1) sum += (k % 2 === 1 ? 2 : -2) * Math.exp(-2 * k * k * x * x);
  return sum;
}
