/** Figures in results have twelve significant digits, so that the last bits of a platform's logarithm never change a digest. */
export function round12(value: number): number {
  return Number.isFinite(value) ? Number(value.toPrecision(12)) : Number.NaN;
}
