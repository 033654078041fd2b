import { reuseMax, type CheckAttempt, type ChecksView, type RecordedCheck, type RepeatOutcome } from "@licet/contract";
import { figure } from "./checks-words.ts";

/** Which attempt a result is, and what it could spend. */
export function attemptText({ figures: { attempt }, carriedFrom }: Pick<RecordedCheck, "figures" | "carriedFrom">): string {
  const parts = [`attempt ${attempt.index} on this subject, judged at alpha ${figure(attempt.alphaSpent, 3)}`];
  if (attempt.repeats !== undefined) parts.push("made again for another producer, nothing spent");
  if (carriedFrom !== null) parts.push("stands from an earlier result on the same data");
  return parts.join("; ");
}

/** What the checks of one ticket were: those of the same number and alpha together. */
export function reservedText({ reserved }: Pick<CheckAttempt, "reserved">): readonly string[] {
  const groups = new Map<string, string[]>();
  for (const { check, index, alpha, repeats } of reserved) {
    const what = `attempt ${index} at alpha ${figure(alpha, 3)}${repeats === null ? "" : ", made again"}`;
    groups.set(what, [...(groups.get(what) ?? []), check]);
  }
  return [...groups].map(([what, checks]) => `${what}: ${checks.join(", ")}`);
}

/** The drawn repetition of a ticket as a message, with what there is to do; empty where there is none. */
export function repeatText({ repeat, ticket }: Pick<CheckAttempt, "repeat" | "ticket">): string {
  if (repeat === null) return "";
  if (repeat.state === "agrees") return `Drawn by lot, ${repeat.check} was made again by this server: it agrees.`;
  if (repeat.state === "disagrees") return `Drawn by lot, ${repeat.check} was made again by this server and came out otherwise (${repeat.differences.join("; ")}). No result of this run counts: find out why, then run \`licet check --on-server\`.`;
  if (repeat.state === "void") return `Drawn by lot, ${repeat.check} was ${repeat.differences.join("; ")}. No result of this run counts: run \`licet check --on-server\`.`;
  const lacking = repeat.lacking.map(({ name }) => name).join(", ");
  const failed = repeat.failed === null ? "" : ` The last try failed (${repeat.failed.code}).`;
  const how = lacking === "" ? `: \`licet check repeat ${ticket}\` does it now.` : `, which lacks ${lacking}: \`licet check repeat ${ticket}\` sends what is lacking.`;
  return `Drawn by lot, ${repeat.check} is to be made again by this server${how}${failed} Until then no result of this run counts; not made by ${new Date(repeat.until).toLocaleString("en")}, the run is disputed.`;
}

/** What came out when a result was made again. */
export function outcomeText({ drawn, agrees, differences }: RepeatOutcome): string {
  const by = drawn ? "drawn by lot and made again by this server" : "made again by another producer";
  return agrees ? `${by}: it agrees` : `${by}: it does not agree (${differences.join("; ")})`;
}

/** The bounds of the server's own runner, and what it is at. */
export function runnerText({ timeMs, memoryMb, rows, concurrency, repeatMs, budget, running, waiting }: ChecksView["runner"]): readonly string[] {
  const money = budget.money === null ? "money not bounded" : `${(budget.money.micros / 1_000_000).toLocaleString("en", { maximumFractionDigits: 6 })} ${budget.money.currency}`;
  return [
    `${running} of ${concurrency} runs under way, ${waiting} waiting`,
    `each ends after ${spanText(timeMs)}, in ${memoryMb.toLocaleString("en")} MiB, with ${rows.toLocaleString("en")} rows of a table`,
    `each may spend on questions to models ${budget.queries.toLocaleString("en")} questions, ${budget.tokens.toLocaleString("en")} tokens, ${money}`,
    `a drawn check is made again within ${spanText(repeatMs)}`,
  ];
}

function spanText(ms: number): string {
  const minutes = ms / 60_000;
  if (minutes < 1) return `${ms / 1000} seconds`;
  return minutes < 120 ? `${figure(minutes)} minutes` : `${figure(minutes / 60)} hours`;
}

export function reuseText({ uses }: ChecksView["reuse"][number]): string {
  const times = uses === 0 ? "not used yet" : uses === 1 ? "used once" : `used ${uses} times`;
  return uses > reuseMax ? `${times}: above ${reuseMax}, what passes on it may only fit it. Test on new data.` : times;
}

export function isWorn({ uses }: ChecksView["reuse"][number]): boolean {
  return uses > reuseMax;
}
