import { randomBytes } from "node:crypto";

/** Uniform numbers on [0, 1). Noise that protects people must come from `secretNoise`; a seeded source is for tests. */
export interface NoiseSource {
  uniform(): number;
}

const drawn = 4096;

/** Uniform numbers with 53 bits from the operating system's secure generator. */
export function secretNoise(): NoiseSource {
  let bytes = Buffer.alloc(0);
  let at = 0;
  return {
    uniform: () => {
      if (at >= bytes.length) [bytes, at] = [randomBytes(8 * drawn), 0];
      const high = bytes.readUInt32LE(at) >>> 5;
      const low = bytes.readUInt32LE(at + 4) >>> 6;
      at += 8;
      return (high * 67_108_864 + low) / 9_007_199_254_740_992;
    },
  };
}

/**
 * A whole number with probability in proportion to exp(-|x| / scale). Whole numbers leak nothing through their last
 * bits, as rounded real noise does (Mironov 2012). Source: Ghosh, Roughgarden & Sundararajan 2009.
 */
export function discreteLaplace(scale: number, source: NoiseSource): number {
  const geometric = () => Math.floor(-Math.log(1 - source.uniform()) * scale);
  return geometric() - geometric();
}

/** A whole number with probability in proportion to exp(-x^2 / (2 sigma^2)). Source: Canonne, Kamath & Steinke 2020, algorithm 3. */
export function discreteGaussian(sigma: number, source: NoiseSource): number {
  const scale = Math.floor(sigma) + 1;
  for (;;) {
    const candidate = discreteLaplace(scale, source);
    const off = Math.abs(candidate) - (sigma * sigma) / scale;
    if (source.uniform() < Math.exp((-off * off) / (2 * sigma * sigma))) return candidate;
  }
}
