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
  if (repeat.state === "disagrees") return `Drawn by lot, ${repeat.check} was made again by this server and came out otherwise (${repeat.differences.join("; ")}). The result does not count: find out why, then run \`licet check --on-server\`.`;
  const lacking = repeat.lacking.map(({ name }) => name).join(", ");
  return lacking === "" ? `Drawn by lot, ${repeat.check} is to be made again by this server: \`licet check repeat ${ticket}\` does it now.` : `Drawn by lot, ${repeat.check} is to be made again by this server, which lacks ${lacking}: \`licet check repeat ${ticket}\` sends what is lacking.`;
}

/** What came out when a result was made again. */
export function outcomeText({ drawn, agrees, differences }: RepeatOutcome): string {
  const by = drawn ? "drawn by lot and made again by this server" : "made again by another producer";
  return agrees ? `${by}: it agrees` : `${by}: it does not agree (${differences.join("; ")})`;
}

export function reuseText({ uses }: ChecksView["reuse"][number]): string {
  const times = uses === 0 ? "not used yet" : uses === 1 ? "used once" : `used ${uses} times`;
  return uses > reuseMax ? `${times}: above ${reuseMax}, what passes on it may only fit it. Test on new data.` : times;
}

export function isWorn({ uses }: ChecksView["reuse"][number]): boolean {
  return uses > reuseMax;
}
