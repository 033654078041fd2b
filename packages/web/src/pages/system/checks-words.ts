import { lineFor, placeOn, reasonWords, type CheckFigures, type CheckStanding, type ChecksView, type RecordedCheck, type Tier } from "@licet/contract";
import { labelOf } from "../../theme.ts";

/** Four significant digits: nobody reads more, and the record has them all. */
export function figure(value: number, digits = 4): string {
  return String(Number(value.toPrecision(digits)));
}

const digitsMax = 12;

/** A value beside another, on whose other side it must not seem to lie. */
export function figureBeside(value: number, other: number): string {
  for (let digits = 4; digits < digitsMax; digits += 1) {
    if (value === other || figure(value, digits) !== figure(other, digits)) return figure(value, digits);
  }
  return figure(value, digitsMax);
}

type Limit = Pick<CheckFigures["limit"], "op" | "value">;

/** Which side of the limit passes, and the limit: as it was declared, and not rounded. */
export function limitText({ op, value }: Limit): string {
  return `${op === "<=" ? "at most" : "at least"} ${figure(value, digitsMax)}`;
}

/** What the gate asks of a limit beside the one that was declared; empty where it says no number. */
export function askedText({ asked, declared: { limit } }: Pick<CheckStanding, "asked" | "declared">): string {
  if (asked === null) return "";
  const laxer = asked.op === "<=" ? limit.value > asked.value : limit.value < asked.value;
  return laxer ? `Laxer than the gate asks for: ${limitText(asked)}.` : `The gate asks for ${limitText(asked)}.`;
}

function confidenceText({ level, sides }: NonNullable<CheckFigures["interval"]>): string {
  return `with ${figure(level * 100)} % confidence${sides === 2 ? " on both sides together" : ""}`;
}

/** Estimate, the bound that decides, and the limit, as a sentence: the opposite bound decides a fail. */
export function boundText({ estimate, interval, limit, verdict }: Pick<CheckFigures, "estimate" | "interval" | "limit" | "verdict">): string {
  const asked = `${limitText(limit)} is asked`;
  if (estimate === null) return `No figure; ${asked}.`;
  const shown = `${interval?.method === "census" ? "Counted" : "Estimate"} ${figureBeside(estimate, limit.value)}`;
  if (interval === null) return `${shown}; ${asked}.`;
  if (interval.method === "census") return `${shown}, nothing is estimated; ${asked}.`;
  const upwards = (limit.op === "<=") !== (verdict === "fail");
  const bound = upwards ? interval.upper : interval.lower;
  if (bound === null) return `${shown}, with no ${upwards ? "upper" : "lower"} bound; ${asked}.`;
  return `${shown}; ${confidenceText(interval)} ${upwards ? "at most" : "at least"} ${figureBeside(bound, limit.value)}, and ${asked}.`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function counted(value: number): string {
  return value.toLocaleString("en");
}

/** How many cases would decide it, beside how many there are; empty where nobody can say. */
export function neededText({ figures, cases }: Pick<RecordedCheck, "figures" | "cases">): string {
  if (figures.requiredN === undefined) return "";
  const there = cases.length === 0 ? "" : `; there are ${cases.map(({ of, n }) => (of === "" ? counted(n) : `${counted(n)} for the ${of}`)).join(" and ")}`;
  return `About ${counted(figures.requiredN)} such cases would decide it${there}.`;
}

/** Why there is no verdict, or what went wrong; empty where there is nothing to say. */
export function whyText(recorded: Pick<RecordedCheck, "figures" | "cases">): string {
  const { error, reason } = recorded.figures;
  if (error !== undefined) return sentence(`${error.message} (${error.code})`);
  if (reason === undefined) return "";
  return [sentence(reasonWords[reason] ?? labelOf(reason)), neededText(recorded)].filter((text) => text !== "").join(" ");
}

export function producerText({ producer, producedBy }: Pick<RecordedCheck, "producer" | "producedBy">): string {
  return producer === "licet" ? "this server's runner" : `${producer}: ${producedBy}`;
}

export function countsText(counts: boolean, tier: Tier): string {
  return counts ? `counts at ${tier} tier` : `does not count at ${tier} tier`;
}

/** The command whose result counts; on other machines than the server's only at minimal tier. */
export function commandFor(tier: Tier): string {
  return tier === "minimal" ? "licet check" : "licet check --on-server";
}

const order = ["pass", "fail", "insufficient_evidence", "errored", "aborted", "disputed", "awaiting_repeat", "not_applicable", "missing"] as const satisfies readonly CheckStanding["standing"][];

export function summaryText(checks: readonly Pick<CheckStanding, "standing">[]): string {
  const parts = order.flatMap((standing) => {
    const count = checks.filter((check) => check.standing === standing).length;
    return count === 0 ? [] : [`${count} ${labelOf(standing)}`];
  });
  return parts.join(", ");
}

/** Demanded checks that this release still owes: without a result, without a verdict, or from a producer that does not count. */
export function owed(checks: ChecksView["checks"]): ChecksView["checks"] {
  return checks.filter(({ declared, standing, result }) => !declared.advisory && (standing !== "pass" || result?.counts !== true));
}

/** What there is to do for the checks that are owed, as messages with commands in backticks. */
export function advice(rest: ChecksView["checks"], command: string): readonly string[] {
  const named = (part: ChecksView["checks"]): string => part.map(({ declared }) => declared.id).join(", ");
  const counting = rest.filter(({ result }) => result?.counts === true);
  const failing = counting.filter(({ standing }) => standing === "fail");
  const open = counting.filter(({ standing }) => standing === "insufficient_evidence");
  const again = rest.filter((check) => !failing.includes(check) && !open.includes(check));
  return [
    ...(again.length === 0 ? [] : [`To run, in the folder of licet.yaml, with \`${command}\`: ${named(again)}.`]),
    ...open.map(({ declared, result }) => `Not decided by these data: ${declared.id}. ${result === null ? "" : whyText(result)}`.trim()),
    ...(failing.length === 0 ? [] : [`Beyond the limit: ${named(failing)}. Change the model or its data, and push a new release.`]),
  ];
}

function signed(value: number): string {
  return value > 0 ? `+${figure(value)}` : figure(value).replace("-", "−");
}

function limitChange(before: Limit, after: Limit): string[] {
  if (before.op === after.op && before.value === after.value) return [];
  const grew = after.value > before.value;
  const how = before.op === after.op ? ` (${grew === (after.op === ">=") ? "stricter" : "weaker"})` : "";
  return [`limit was ${limitText(before)}, is ${limitText(after)}${how}`];
}

type Read = CheckFigures["inputs"][number];

function dataChange(before: readonly Read[], after: readonly Read[]): string[] {
  const named = (inputs: readonly Read[]): ReadonlyMap<string, string> => new Map(inputs.map((input) => [`${input.role} data ${input.id}`, input.digest]));
  const [old, now] = [named(before), named(after)];
  return [...new Set([...old.keys(), ...now.keys()])].filter((name) => old.get(name) !== now.get(name)).map((name) => (old.has(name) && now.has(name) ? `other ${name}` : `${name} ${now.has(name) ? "added" : "gone"}`));
}

/** A table that is tested is read as data too. */
export function isInput({ subject, inputs }: Pick<CheckFigures, "subject" | "inputs">): boolean {
  return inputs.some(({ id, digest }) => id === subject.id && digest === subject.digest);
}

/** What differs between two results of one check. */
export function changes(before: CheckFigures, after: CheckFigures): readonly string[] {
  return [
    ...(before.check === after.check ? [] : [`kind was ${before.check}, is ${after.check}`]),
    ...(before.verdict === after.verdict ? [] : [`verdict was ${labelOf(before.verdict)}, is ${labelOf(after.verdict)}`]),
    ...(before.estimate === null || after.estimate === null || before.estimate === after.estimate ? [] : [`estimate ${signed(after.estimate - before.estimate)}`]),
    ...limitChange(before.limit, after.limit),
    ...(before.subject.digest === after.subject.digest || isInput(after) ? [] : [`other ${after.subject.kind} ${after.subject.id}`]),
    ...dataChange(before.inputs, after.inputs),
  ];
}

/** One result in a chart of many: places from 0 (left, bottom) to 1. */
export interface HistoryPoint {
  readonly id: string;
  readonly verdict: CheckFigures["verdict"];
  readonly at: number;
  readonly lower: number;
  readonly upper: number;
  readonly estimate: number;
  readonly limit: number;
  /** Whether what lies below the limit passes. */
  readonly below: boolean;
  readonly releaseNumber: number;
}

export interface HistoryScale {
  readonly from: number;
  readonly to: number;
  /** Oldest first; results without a figure have no place. */
  readonly points: readonly HistoryPoint[];
}

/** Results of one check on one scale. Undefined where none has a figure. */
export function historyScale(newestFirst: readonly RecordedCheck[]): HistoryScale | undefined {
  const drawn = newestFirst.flatMap(({ figures, ...of }) => (figures.estimate === null ? [] : [{ ...of, figures, estimate: figures.estimate }])).toReversed();
  if (drawn.length === 0) return undefined;
  const line = lineFor(drawn.flatMap(({ estimate, figures: { interval, limit } }) => [estimate, interval?.lower ?? estimate, interval?.upper ?? estimate, limit.value]));
  const points = drawn.map(({ id, releaseNumber, estimate, figures: { verdict, interval, limit } }, index) => ({
    id,
    verdict,
    releaseNumber,
    at: (index + 0.5) / drawn.length,
    lower: placeOn(line, interval?.lower ?? estimate),
    upper: placeOn(line, interval?.upper ?? estimate),
    estimate: placeOn(line, estimate),
    limit: placeOn(line, limit.value),
    below: limit.op === "<=",
  }));
  return { ...line, points };
}
