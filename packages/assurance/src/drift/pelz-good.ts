const square = Math.PI ** 2;
const rootTwoPi = Math.sqrt(2 * Math.PI);

/** Four terms of the expansion in powers of 1 / sqrt(n). */
type Terms = [number, number, number, number];

/**
 * P(D_n <= d) by the expansion of Pelz & Good 1976 (JRSS B 38:152) in the form for small sqrt(n) d; at least five
 * digits from n = 140, more with larger n. Used where the exact matrix would be too large.
 */
export function pelzGoodCdf(d: number, n: number): number {
  const z = Math.sqrt(n) * d;
  const logQ = -square / (8 * z * z);
  if (logQ < -708) return 0;
  const terms = oddTerms(z, Math.exp(logQ));
  addEvenTerms(terms, z);
  return terms.reduce((sum, term, index) => sum + term / n ** (index / 2), 0);
}

/** Horner's scheme for the sums over q to the squares of odd numbers. */
function oddTerms(z: number, q: number): Terms {
  const z2 = z * z;
  const z4 = z2 * z2;
  const z6 = z4 * z2;
  const fourth = square * square;
  const sixth = fourth * square;
  const k2 = [6 * z6 + 2 * z4, ((2 * z4 - 5 * z2) * square) / 4, (fourth * (1 - 2 * z2)) / 16] as const;
  const k3 = [-30 * z6 - 90 * z ** 8, (square * (135 * z4 - 96 * z6)) / 4, (fourth * (-60 * z2 + 212 * z4)) / 16, (sixth * (5 - 30 * z2)) / 64] as const;
  const sums: Terms = [0, 0, 0, 0];
  for (let k = Math.ceil((16 * z) / Math.PI); k > 0; k -= 1) {
    const m2 = (2 * k - 1) ** 2;
    const power = q ** (8 * k);
    sums[0] = sums[0] * power + 1;
    sums[1] = sums[1] * power - z2 + (square / 4) * m2;
    sums[2] = sums[2] * power + k2[0] + k2[1] * m2 + k2[2] * m2 * m2;
    sums[3] = sums[3] * power + k3[0] + k3[1] * m2 + k3[2] * m2 * m2 + k3[3] * m2 * m2 * m2;
  }
  const scale = q * rootTwoPi;
  return [(sums[0] * scale) / z, (sums[1] * scale) / (6 * z4), (sums[2] * scale) / (72 * z ** 7), (sums[3] * scale) / (6480 * z ** 10)];
}

function addEvenTerms(terms: Terms, z: number): void {
  const q = Math.exp(-square / (2 * z * z));
  let second = 0;
  let third = 0;
  for (let k = Math.ceil((16 * z) / Math.PI); k > 0; k -= 1) {
    const power = q ** (k * k) * k * k;
    second += power;
    third += (3 * z * z - square * k * k) * power;
  }
  terms[2] += (second * square * rootTwoPi) / (-36 * z ** 3);
  terms[3] += (third * square * rootTwoPi) / (216 * z ** 6);
}
