import { setTimeout as sleep } from "node:timers/promises";
import { canonicalize } from "../canonical.ts";
import { parseTrust, type Trust } from "../trust.ts";
import { logInFolder } from "./folder.ts";
import { logAtUrl } from "./http.ts";
import type { LogSource } from "./log-source.ts";
import { printable } from "./report.ts";
import { isUrl } from "./target.ts";
import { watchRound, type Known, type WatchEvent } from "./watch.ts";
import { keepEvidence, readWatchState, writeWatchState } from "./watch-file.ts";

/** How a log is watched, as the command line says. */
export interface Watching {
  /** URL or folder of the log. */
  readonly target: string;
  readonly state: string;
  readonly intervalMs: number;
  readonly once: boolean;
  /** Rounds in a row of which nothing was learned, before it gives up. */
  readonly patience: number;
  readonly witnessAgeMs: number;
}

type Values = Readonly<Record<string, string | boolean | undefined>>;

const watchOnly = ["state", "interval", "once", "patience", "witness-age"];
const verifyOnly = ["old", "entry", "leaf-hash", "minimum-index"];
const secondsMax = 1_000_000_000;

/** Undefined if nothing is to be watched; a text says what is wrong. */
export function readWatching(values: Values): Watching | string | undefined {
  const { watch, state } = values;
  const stray = (watch === undefined ? watchOnly : verifyOnly).find((name) => values[name] !== undefined);
  if (stray !== undefined) return watch === undefined ? `--${stray} is for --watch` : `--${stray} is not for --watch`;
  if (typeof watch !== "string") return undefined;
  if (typeof state !== "string") return "name the file that keeps the last checkpoint with --state";
  const [interval, patience, age] = [number(values["interval"], 60), number(values["patience"], 5), number(values["witness-age"], 86_400)];
  if (interval === undefined || patience === undefined || age === undefined) return `--interval, --patience and --witness-age take whole numbers from 1 to ${secondsMax}`;
  return { target: watch, state, intervalMs: Math.min(interval * 1000, 2 ** 31 - 1), once: values["once"] === true, patience, witnessAgeMs: age * 1000 };
}

function number(value: string | boolean | undefined, otherwise: number): number | undefined {
  if (value === undefined) return otherwise;
  const parsed = typeof value === "string" && /^[1-9]\d{0,9}$/.test(value) ? Number(value) : 0;
  return parsed >= 1 && parsed <= secondsMax ? parsed : undefined;
}

export interface WatchRun extends Watching {
  /** Text of the trust file. */
  readonly trust: string;
  readonly json: boolean;
  readonly say: (line: string) => void;
  /** Milliseconds since the Unix epoch. */
  readonly now?: () => number;
}

/** Watches until an alarm (1) or until nothing more can be learned (3); one round ends with 0 if all was well. */
export async function runWatch(run: WatchRun): Promise<0 | 1 | 3> {
  const trust = parseTrust(run.trust);
  const state = await readWatchState(run.state);
  const unusable = trust.ok ? (state.ok ? undefined : state) : trust;
  if (unusable !== undefined) tell(run, { level: "failure", code: unusable.code, sentence: unusable.message });
  if (!trust.ok) return 1;
  if (!state.ok) return 3;
  return rounds(run, { trust: trust.value, known: state.value, source: isUrl(run.target) ? logAtUrl(run.target) : logInFolder(run.target) });
}

interface Start {
  readonly trust: Trust;
  readonly known: Known;
  readonly source: LogSource;
}

async function rounds(run: WatchRun, { trust, known: first, source }: Start): Promise<0 | 1 | 3> {
  const { now = Date.now, state, once, patience } = run;
  let known = first;
  let failed = 0;
  for (;;) {
    const time = now();
    const round = await watchRound({ source, trust, known, now: time, witnessAgeMax: run.witnessAgeMs });
    if (!sameNotes(round.known, known)) await writeWatchState(state, round.known);
    known = round.known;
    for (const event of round.events) tell(run, event.level === "alarm" ? await kept(run, event, time) : event);
    if (round.events.some(({ level }) => level === "alarm")) return 1;
    failed = round.events.some(({ level }) => level === "failure") ? failed + 1 : 0;
    if (once) return failed > 0 ? 3 : 0;
    if (failed >= patience) return 3;
    await sleep(run.intervalMs);
  }
}

function sameNotes(left: Known, right: Known): boolean {
  return left.size === right.size && [...left].every(([origin, note]) => right.get(origin) === note);
}

async function kept(run: WatchRun, event: Extract<WatchEvent, { readonly level: "alarm" }>, now: number): Promise<WatchEvent> {
  const paths = await keepEvidence(run.state, { ...event, now });
  return { ...event, sentence: `${event.sentence}; the signed notes are kept in ${paths.map((path) => `\`${path}\``).join(", ")}` };
}

const labels = { news: "NEWS", warning: "WARN", failure: "WARN", alarm: "ALARM" } as const;

function tell({ say, json }: WatchRun, { level, code, sentence }: WatchEvent): void {
  say(json ? `${canonicalize({ level, code, sentence: printable(sentence) })}\n` : `${labels[level].padEnd(5)}  ${printable(`${code}: ${sentence}`)}\n`);
}
