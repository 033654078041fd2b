import { setTimeout as sleep } from "node:timers/promises";
import { Digest, type BacktestReport, type BacktestRow, type BacktestView } from "@licet/contract";
import { readPackFolder } from "../policy/pack.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { readBundleFile } from "./policy-folder.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface BacktestOptions extends ServerOptions {
  readonly folder?: string | undefined;
  readonly digest?: string;
  readonly bundle?: string;
  readonly from?: number;
  readonly to?: number;
  readonly system?: string;
  readonly wait?: boolean;
  readonly json?: boolean;
}

const pollMilliseconds = 500;

/** Exit code 1 where a call would change: in CI a policy change that changes calls is looked at. */
export async function runPolicyBacktest(options: BacktestOptions, terminal: Terminal): Promise<ExitCode> {
  const { folder, digest, bundle, from, to, system, wait = true } = options;
  if ([folder, digest, bundle].filter((each) => each !== undefined).length !== 1) throw new UsageError("give a folder, --digest or --bundle");
  const candidate = folder === undefined ? { digest: digestOf(digest, bundle) } : { packs: [...readPackFolder(folder)] };
  const connection = connect(options);
  const { client, space } = connection;
  const started = await client("startBacktest", { params: { space }, body: { ...candidate, ...(from !== undefined && { from }), ...(to !== undefined && { to }), ...(system !== undefined && { system }) } });
  if (!wait) {
    terminal.out(options.json === true ? JSON.stringify(started, null, 2) : `${started.backtest.id} waits; look with \`licet policy backtests ${started.backtest.id}\``);
    return exitCodes.fine;
  }
  const ended = await awaited(connection, started, terminal);
  terminal.out(options.json === true ? JSON.stringify(ended, null, 2) : viewText(ended));
  return exitOf(ended);
}

function digestOf(digest: string | undefined, file: string | undefined): string {
  const parsed = Digest.safeParse(digest ?? (file === undefined ? undefined : readBundleFile(file).digest));
  if (!parsed.success) throw new UsageError("--digest takes `sha256:` and 64 hexadecimal digits");
  return parsed.data;
}

/** Progress goes to standard error: standard output is the report's. */
async function awaited({ client, space }: Connection, started: BacktestView, terminal: Terminal): Promise<BacktestView> {
  let view = started;
  let told = "";
  while (["waiting", "running"].includes(view.backtest.state)) {
    await sleep(pollMilliseconds);
    view = await client("showBacktest", { params: { space, backtest: started.backtest.id } });
    const now = progressText(view.backtest);
    if (now !== told) terminal.err(now);
    told = now;
  }
  return view;
}

function progressText({ state, progress }: BacktestRow): string {
  const { done, total, decisions, perSecond, remainingSeconds } = progress;
  const percent = total === 0 ? 0 : Math.floor((done / total) * 100);
  return `${state}: ${percent} % of the log, ${decisions} decisions, ${perSecond} a second${remainingSeconds === null || state !== "running" ? "" : `, ${remainingSeconds} s left`}`;
}

function exitOf({ backtest, report }: BacktestView): ExitCode {
  if (backtest.state === "failed" || report === null) return exitCodes.couldNotRun;
  return report.counts.allowToDeny + report.counts.denyToAllow > 0 ? exitCodes.findings : exitCodes.fine;
}

function viewText({ backtest, report }: BacktestView): string {
  if (report === null) return `${backtest.id} ${progressText(backtest)}${backtest.error === null ? "" : `; ${backtest.error}`}`;
  return reportText(report);
}

function reportText({ counts, undecided, bySystem, byPolicy, from, to, candidate }: BacktestReport): string {
  const changed = counts.allowToDeny + counts.denyToAllow + counts.reasons;
  const systems = bySystem.map(({ system, counts: of }) => [system ?? "(others)", String(of.decisions), String(of.allowToDeny), String(of.denyToAllow), String(of.reasons)]);
  const policies = byPolicy.map((of) => [of.policy, String(of.allowToDeny), String(of.denyToAllow), String(of.reasons), String(of.warnings + of.shadowed), of.examples.join(" ")]);
  return [
    `${counts.decisions} decisions from ${timeText(from)} to ${timeText(to)} against ${candidate}`,
    `${changed} would change: ${counts.allowToDeny} allow to deny, ${counts.denyToAllow} deny to allow, ${counts.reasons} by other policies; ${counts.unchanged} would not`,
    `not decided again: ${undecided.refusedBefore} refused before the policies, ${undecided.erased} erased, ${undecided.misfit} do not fit the candidate's schema, ${undecided.unreadable} unreadable`,
    ...(systems.length === 0 ? [] : ["", columns([["SYSTEM", "DECISIONS", "ALLOW TO DENY", "DENY TO ALLOW", "REASONS"], ...systems])]),
    ...(policies.length === 0 ? [] : ["", columns([["POLICY", "ALLOW TO DENY", "DENY TO ALLOW", "REASONS", "WARN, SHADOW", "EXAMPLES"], ...policies])]),
  ].join("\n");
}

interface BacktestsOptions extends ServerOptions {
  readonly id?: string | undefined;
  readonly cancel?: boolean;
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

export async function runPolicyBacktests(options: BacktestsOptions, terminal: Terminal): Promise<ExitCode> {
  const { id, cancel = false, json = false } = options;
  const { client, space } = connect(options);
  if (id === undefined) {
    if (cancel) throw new UsageError("--cancel needs the id of a backtest");
    const page = await client("listBacktests", { params: { space }, query: { limit: options.limit ?? 50, cursor: options.cursor } });
    const rows = page.items.map((each) => [each.id, each.state, timeText(each.askedAt), each.askedBy, each.system ?? "all", `${each.progress.decisions} decisions`]);
    if (json) terminal.out(JSON.stringify(page, null, 2));
    else terminal.out(rows.length === 0 ? "no backtest was asked for" : columns([["BACKTEST", "STATE", "ASKED", "BY", "SYSTEM", "DONE"], ...rows]));
    if (!json && page.next !== null) terminal.out(`more: --cursor ${page.next}`);
    return exitCodes.fine;
  }
  const params = { space, backtest: id };
  const view = cancel ? await client("cancelBacktest", { params, body: {} }) : await client("showBacktest", { params });
  terminal.out(json ? JSON.stringify(view, null, 2) : viewText(view));
  return exitCodes.fine;
}
