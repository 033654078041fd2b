import type { GateFacts } from "@licet/contract";

type Row = GateFacts["checks"][number];

/** What is said of a result that waits for the server. */
export function awaitedFinding({ repeat }: Row): string {
  if (repeat === undefined) return "waiting for a repeat by the server";
  const [since, until] = [iso(repeat.since), iso(repeat.until)];
  if (repeat.check === null) return `waiting for the rest of the CI run ${repeat.ticket}, begun ${since}: no result of a run counts before all are back, until ${until} at the latest`;
  return `waiting for the repeat of ${repeat.check} by the server since ${since}, without which no result of the CI run ${repeat.ticket} counts; not made by ${until}, the run is disputed`;
}

/** Whose turn it is, and what to do, where a requirement waits for the server alone. */
export interface Awaited {
  readonly turn: string;
  readonly remedy: string;
  readonly since: number;
}

/** `rows`: what stands in the requirement's way. Undefined where something else does too. */
export function awaitedIn(rows: readonly Row[]): Awaited | undefined {
  const repeats = rows.flatMap(({ verdict, repeat }) => (verdict === "awaiting_repeat" && repeat !== undefined ? [repeat] : []));
  if (rows.length === 0 || repeats.length < rows.length) return undefined;
  const drawn = [...new Set(repeats.filter(({ check }) => check !== null).map(({ ticket }) => ticket))];
  const unreturned = repeats.some(({ check }) => check === null);
  const told = drawn.map((ticket) => `\`licet check repeat ${ticket}\``);
  const server = `the server does it by itself where it holds the files; where it lacks them, ${told.join(" and ")} sends them. Where it cannot, \`licet check --on-server\` runs all that files decide`;
  return {
    turn: drawn.length === 0 ? "technical-owner" : "server, technical-owner",
    remedy: [...(drawn.length === 0 ? [] : [server]), ...(unreturned ? ["have the CI run return the rest, or run it again"] : [])].join("; "),
    since: Math.min(...repeats.map(({ since }) => since)),
  };
}

function iso(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? String(time) : date.toISOString();
}
