/** Calls cost fractions of a cent: as many digits as say something. */
export function moneyText(micros: number, currency: string): string {
  const units = micros / 1_000_000;
  const decimals = units >= 1 ? 2 : (String(Number(units.toPrecision(3))).split(".")[1]?.length ?? 0);
  return `${units.toFixed(Math.max(2, decimals))} ${currency}`;
}

const whole = new Intl.NumberFormat(undefined, { maximumFractionDigits: 0 });

export function countText(count: number): string {
  return whole.format(count);
}

export function milliseconds(value: number): string {
  return value >= 10_000 ? `${(value / 1000).toFixed(1)} s` : `${whole.format(value)} ms`;
}

const local = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** The reader's own time of day; the zone is named beside the list. */
export function timeOfDay(time: number): string {
  return local.format(time);
}

/** The zone that every time of the page is told in. */
export const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
