const dayMs = 86_400_000;

/** Days since the epoch, by UTC. */
export function dayOf(time: number): number {
  return Math.floor(time / dayMs);
}

/** Owned by `dayText`: calls of one day ask for the same text. */
let lastText = { day: 0, text: "1970-01-01" };

/** `2026-11-21` of a day. */
export function dayText(day: number): string {
  if (lastText.day !== day) lastText = { day, text: new Date(day * dayMs).toISOString().slice(0, 10) };
  return lastText.text;
}

/** The day of `2026-11-21`. */
export function dayFrom(text: string): number {
  return dayOf(Date.parse(`${text}T00:00:00Z`));
}

export function dayEnd(day: number): number {
  return (day + 1) * dayMs;
}

/** Months since the year 0, by UTC. */
export function monthOf(day: number): number {
  const date = new Date(day * dayMs);
  return date.getUTCFullYear() * 12 + date.getUTCMonth();
}

export function monthEnd(month: number): number {
  return Date.UTC(Math.floor(month / 12), (month % 12) + 1, 1);
}

/** The first day of a month. */
export function monthStart(month: number): number {
  return dayOf(Date.UTC(Math.floor(month / 12), month % 12, 1));
}
