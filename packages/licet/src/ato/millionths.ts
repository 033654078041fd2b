/**
 * A number in whole millionths, for policies: Cedar's `decimal` has four digits and limits are as small as 0.00001.
 * Exact in the number's shortest decimal form; what lies between two millionths goes `up` or `down`, whichever is the
 * laxer for what it says. Undefined where it is no number or too large for one that every JSON reader keeps.
 */
export function millionths(value: number, towards: "up" | "down"): number | undefined {
  if (!Number.isFinite(value)) return undefined;
  const [mantissa = "", exponent = ""] = value.toExponential().split("e");
  const [whole = "", fraction = ""] = mantissa.split(".");
  const digits = BigInt(whole + fraction);
  const shift = Number(exponent) - fraction.length + 6;
  const scaled = Number(shift >= 0 ? digits * 10n ** BigInt(shift) : divided(digits, 10n ** BigInt(-shift), towards));
  return Number.isSafeInteger(scaled) ? scaled : undefined;
}

/** BigInt's own division goes towards zero. */
function divided(digits: bigint, by: bigint, towards: "up" | "down"): bigint {
  const towardsZero = digits / by;
  if (towardsZero * by === digits) return towardsZero;
  if (towards === "up") return digits > 0n ? towardsZero + 1n : towardsZero;
  return digits > 0n ? towardsZero : towardsZero - 1n;
}
