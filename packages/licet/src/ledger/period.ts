import type { KeyClass } from "./keyring-lines.ts";

/** Classes whose keys are made anew each month, so that retention can destroy whole months. */
export function isPeriodic(retention: KeyClass): boolean {
  return retention === "runtime" || retention === "content";
}

interface Month {
  readonly name: string;
  readonly from: number;
  readonly to: number;
}

function monthAt(time: number): Month {
  const at = new Date(time);
  const [year, month] = [at.getUTCFullYear(), at.getUTCMonth()];
  return { name: at.toISOString().slice(0, 7), from: Date.UTC(year, month), to: Date.UTC(year, month + 1) };
}

let latest = monthAt(0);

/** The calendar month in UTC, as `2026-11`. Asked for every entry, so the last answer is kept. */
export function periodAt(time: number): string {
  if (time < latest.from || time >= latest.to) latest = monthAt(time);
  return latest.name;
}

/** The first millisecond after the month. */
export function periodEnd(period: string): number {
  return Date.UTC(Number(period.slice(0, 4)), Number(period.slice(5, 7)));
}
