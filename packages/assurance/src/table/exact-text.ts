/** How moments and decimals of columnar files are written in a cell: every digit that the file holds, and no other. */

const secondsADay = 86_400n;

/** Seconds of the years 0000 to 9999, which are what ISO 8601 writes with four digits. */
const secondsMin = -62_167_219_200n;
const secondsMax = 253_402_300_799n;

export type MomentUnit = 1n | 1_000n | 1_000_000n | 1_000_000_000n;

/** `2024-02-29T10:00:00.5Z` of a count of units since the epoch; without `Z` for a time of nowhere in particular. Undefined beyond the calendar's four digits. */
export function momentText(value: bigint, unit: MomentUnit, isUtc: boolean): string | undefined {
  const seconds = floorDivided(value, unit);
  if (seconds < secondsMin || seconds > secondsMax) return undefined;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  return `${whole}${fraction(value - seconds * unit, unit)}${isUtc ? "Z" : ""}`;
}

/** `2024-02-29` of days since the epoch. */
export function dayText(days: number): string | undefined {
  return momentText(BigInt(days) * secondsADay, 1n, false)?.slice(0, 10);
}

/** `10:00:00.5` of a count of units since midnight. Undefined where no day is so long. */
export function timeOfDayText(value: bigint, unit: MomentUnit): string | undefined {
  return value < 0n || value >= secondsADay * unit ? undefined : momentText(value, unit, false)?.slice(11);
}

/** `-12.50` of `-1250` and scale 2. */
export function decimalText(unscaled: bigint, scale: number): string {
  if (scale <= 0) return (unscaled * 10n ** BigInt(-scale)).toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, "0");
  return `${unscaled < 0n ? "-" : ""}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function fraction(rest: bigint, unit: MomentUnit): string {
  const digits = unit === 1n ? "" : rest.toString().padStart(unit.toString().length - 1, "0").replace(/0+$/u, "");
  return digits === "" ? "" : `.${digits}`;
}

function floorDivided(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value < 0n && quotient * by !== value ? quotient - 1n : quotient;
}
