import { setTimeout as pause } from "node:timers/promises";
import { ApiError } from "@licet/client";
import { callSecondsMax, LicetError, pendingMax, waitSecondsMax, type RouteAnswer, type TrafficRow } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import { painted, type Terminal } from "./terminal.ts";

export interface TailOptions extends ServerOptions {
  readonly system?: string;
  readonly refused?: boolean;
  readonly json?: boolean;
  /** Decisions from before that are shown first. */
  readonly last: number;
  /** Ends after what is there, instead of waiting for more. */
  readonly once?: boolean;
}

/** Ends it as Ctrl-C does; for tests. */
export interface TailControl {
  readonly over?: () => boolean;
}

type Page = RouteAnswer<"listTraffic">;

const retryMsMax = 5000;
const perRequest = 200;

/** State of one tail; owned by `runTail`. */
interface Tail {
  after: number;
  /** Calls that still ran when they were shown, oldest first. */
  readonly running: Set<string>;
  failures: number;
}

/** Shows decisions as they are made, and how allowed calls ended. Goes on by itself when the server comes back. */
export async function runTail(options: TailOptions, terminal: Terminal, { over = () => false }: TailControl = {}): Promise<ExitCode> {
  const connection = connect(options);
  const filter = { ...(options.system !== undefined && { system: options.system }), ...(options.refused === true && { decision: "deny" as const }) };
  const shown = lineWriter(options, terminal);
  const begin = await connection.client("listTraffic", { params: { space: connection.space }, query: { ...filter, limit: Math.max(1, options.last) } });
  const tail: Tail = { after: begin.newest, running: new Set(), failures: 0 };
  show(tail, { ...begin, items: options.last === 0 ? [] : begin.items.toReversed() }, shown);
  if (options.json !== true) for (const text of introduction(options, begin, connection.url)) terminal.err(painted(terminal, "dim", text));
  if (options.once === true) return exitCodes.fine;
  while (!over()) await step(tail, connection, { filter, shown, terminal });
  return exitCodes.fine;
}

function introduction({ system, last, once }: TailOptions, { items }: Page, url: string): readonly string[] {
  return [
    ...(items.length === 0 && last > 0 ? ["no such decision so far"] : []),
    ...(once === true ? [] : [`following ${system ?? "every system"} of ${url}, times in ${zone()}; Ctrl-C ends it`]),
  ];
}

interface Step {
  readonly filter: { readonly system?: string; readonly decision?: "deny" };
  readonly shown: (row: TrafficRow) => void;
  readonly terminal: Terminal;
}

async function step(tail: Tail, { client, space }: Connection, { filter, shown, terminal }: Step): Promise<void> {
  const pending = [...tail.running].slice(-pendingMax);
  try {
    const query = { ...filter, after: tail.after, wait: waitSecondsMax, limit: perRequest, ...(pending.length > 0 && { pending: pending.join(",") }) };
    const page = await client("listTraffic", { params: { space }, query });
    if (tail.failures > 0) terminal.err("the server answers again");
    tail.failures = 0;
    show(tail, page, shown);
  } catch (error) {
    if (!comesBack(error)) throw error;
    if (tail.failures === 0) terminal.err("the server does not answer: trying again, and nothing will be missed");
    tail.failures++;
    await pause(Math.min(retryMsMax, 250 * 2 ** Math.min(tail.failures, 10)));
  }
}

/** Stopping servers and proxies answer 502 and 503; a session that ended does not come back by waiting. */
function comesBack(error: unknown): boolean {
  if (error instanceof ApiError) return error.status >= 500 || error.status === 429;
  return error instanceof LicetError && error.code === "unreachable";
}

function show(tail: Tail, page: Page, shown: (row: TrafficRow) => void): void {
  for (const row of [...page.ended, ...page.items]) {
    shown(row);
    tail.running.delete(row.id);
    if (row.decision === "allow" && row.ended === null && row.kind === "gateway.decision") tail.running.add(row.id);
  }
  // An outcome that has not come while fifty newer calls began is looked up on the page.
  for (const oldest of [...tail.running].slice(0, Math.max(0, tail.running.size - pendingMax))) tail.running.delete(oldest);
  tail.after = Math.max(tail.after, page.newest);
}

function lineWriter({ json }: TailOptions, terminal: Terminal): (row: TrafficRow) => void {
  return (row) => terminal.out(json === true ? JSON.stringify(row) : trafficLine(row, terminal));
}

function zone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}

const clock = new Intl.DateTimeFormat("sv-SE", { year: "numeric", month: "2-digit", day: "2-digit", hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });
const offset = new Intl.DateTimeFormat("en-GB", { timeZoneName: "longOffset" });

/** `2026-11-21 10:39:05.120+01:00`: the reader's own zone, and which. */
export function localTime(time: number): string {
  const name = offset.formatToParts(time).find(({ type }) => type === "timeZoneName")?.value ?? "GMT";
  return `${clock.format(time).replace(",", ".")}${name === "GMT" ? "Z" : name.replace("GMT", "")}`;
}

/** Names come from manifests, callers and providers: nothing of them may steer a terminal. */
export function plain(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, "�");
}

/** One decision in one line. */
export function trafficLine(row: TrafficRow, terminal: Terminal): string {
  const who = `${row.system ?? "unknown caller"}${row.model === null ? "" : ` → ${row.model}`}`;
  const found = row.findings.map(({ type, count }) => `${type}×${count}`).join(" ");
  return [painted(terminal, "dim", localTime(row.at)), verdict(row, terminal), plain(who), ...ending(row), ...(found === "" ? [] : [painted(terminal, "yellow", `found ${plain(found)}`)]), painted(terminal, "dim", row.id)].join("  ");
}

function verdict(row: TrafficRow, terminal: Terminal): string {
  if (row.decision === "deny") return painted(terminal, "red", `refused ${row.code ?? ""}`.trim());
  if (row.ended === null) return row.kind === "gateway.decision" && isOver(row) ? painted(terminal, "yellow", "allowed, its end was never recorded") : painted(terminal, "green", row.kind === "gateway.decision" ? "allowed, runs" : "allowed");
  const { finish, code } = row.ended;
  return finish === "complete" ? painted(terminal, "green", "allowed, answered") : painted(terminal, "yellow", `allowed, ${finish}${code === null ? "" : ` ${code}`}`);
}

function isOver({ at }: TrafficRow): boolean {
  return Date.now() - at > callSecondsMax * 1000;
}

function ending({ ended, reasons, decision, code, observed }: TrafficRow): string[] {
  // The first reason is not always the one that was told: a waiver may have let it pass.
  if (decision === "deny") return [...reasons.filter(({ policy }) => policy === `gateway.${code ?? ""}`), ...reasons].slice(0, 1).map(({ policy }) => `by ${plain(policy)}`);
  const passed = observed.length === 0 ? [] : [`would have been refused: ${observed.map(plain).join(", ")}`];
  if (ended === null) return passed;
  return [
    ...passed,
    ...(ended.tools.length === 0 ? [] : [`called ${ended.tools.map(plain).join(", ")}`]),
    ...(ended.totalMs === null ? [] : [`${ended.totalMs} ms`]),
    ...(ended.tokens === null ? [] : [`${ended.tokens} tokens`]),
    ...(ended.costMicros === null || ended.currency === null ? [] : [`${money(ended.costMicros)} ${plain(ended.currency)}`]),
  ];
}

/** Calls cost fractions of a cent: as many digits as say something. */
export function money(micros: number): string {
  const units = micros / 1_000_000;
  return units >= 1 ? units.toFixed(2) : String(Number(units.toPrecision(3)));
}
