const scaleUp = 1e140;

/**
 * P(D_n < d), exact. Source: Marsaglia, Tsang & Wang 2003 (J Stat Softw 8:18), after Durbin 1973: the n-th power of a
 * matrix of order 2k - 1 with k = ceil(n d). Meant for small n d.
 */
export function kolmogorovMatrixCdf(d: number, n: number): number {
  const k = Math.ceil(n * d);
  const m = 2 * k - 1;
  const h = k - n * d;
  const power = raise(durbinMatrix(m, h), m, n);
  let result = power.values[(k - 1) * m + k - 1] ?? 0;
  let exponent = power.exponent;
  for (let i = 1; i <= n; i += 1) {
    result *= i / n;
    if (result < 1 / scaleUp) {
      result *= scaleUp;
      exponent -= 1;
    }
  }
  return exponent === 0 ? result : result * scaleUp ** exponent;
}

function durbinMatrix(m: number, h: number): Float64Array {
  const values = new Float64Array(m * m);
  for (let i = 0; i < m; i += 1) {
    for (let j = 0; j < m; j += 1) values[i * m + j] = i - j + 1 >= 0 ? 1 : 0;
  }
  for (let i = 0; i < m; i += 1) {
    values[i * m] = (values[i * m] ?? 0) - h ** (i + 1);
    values[(m - 1) * m + i] = (values[(m - 1) * m + i] ?? 0) - h ** (m - i);
  }
  values[(m - 1) * m] = (values[(m - 1) * m] ?? 0) + (2 * h - 1 > 0 ? (2 * h - 1) ** m : 0);
  for (let i = 0; i < m; i += 1) {
    let factorial = 1;
    for (let j = i; j >= 0; j -= 1) {
      factorial *= i - j + 1;
      values[i * m + j] = (values[i * m + j] ?? 0) / factorial;
    }
  }
  return values;
}

interface Power {
  readonly values: Float64Array;
  /** The values are times 1e140 to this power. */
  readonly exponent: number;
}

function raise(base: Float64Array, m: number, n: number): Power {
  if (n === 1) return { values: base, exponent: 0 };
  const half = raise(base, m, Math.floor(n / 2));
  const square = multiply(half.values, half.values, m);
  const full = n % 2 === 0 ? square : multiply(base, square, m);
  const exponent = 2 * half.exponent;
  const middle = full[Math.floor(m / 2) * m + Math.floor(m / 2)] ?? 0;
  return middle > scaleUp ? { values: full.map((value) => value / scaleUp), exponent: exponent + 1 } : { values: full, exponent };
}

function multiply(a: Float64Array, b: Float64Array, m: number): Float64Array {
  const result = new Float64Array(m * m);
  for (let i = 0; i < m; i += 1) {
    for (let k = 0; k < m; k += 1) {
      const value = a[i * m + k] ?? 0;
      if (value === 0) continue;
      for (let j = 0; j < m; j += 1) result[i * m + j] = (result[i * m + j] ?? 0) + value * (b[k * m + j] ?? 0);
    }
  }
  return result;
}
