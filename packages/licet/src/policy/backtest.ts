import { BacktestProgress, BacktestReport, BacktestState, Digest, LicetError, type BacktestAsked, type BacktestRow, type RouteAnswer } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Keyring } from "../ledger/keyring.ts";
import type { EvidenceLog } from "../ledger/log.ts";
import type { JsonObject } from "../ledger/recorder.ts";
import { taskRunner, type TaskHandler } from "../tasks/runner.ts";
import { enqueue } from "../tasks/store.ts";
import { runBacktest, type RunState } from "./backtest-run.ts";
import { reportOf, Tallied } from "./backtest-tally.ts";
import { backtestThreads } from "./backtest-threads.ts";
import { readBundle } from "./bundle.ts";
import type { Bundle } from "./bundle-form.ts";
import { candidateOf, type PublicationDeps } from "./publication.ts";
import { bundleByDigest } from "./publish.ts";
import { activeDigest, cancelStored, countRunning, emailsOf, findBacktest, insertBacktest, listBacktests, saveBacktest, type BacktestHead, type Database, type Page } from "./store.ts";

export interface BacktestDeps extends PublicationDeps {
  readonly database: Database;
  readonly log: Pick<EvidenceLog, "read" | "scan" | "size">;
  readonly keyring: Keyring;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
  readonly pollMilliseconds?: number;
}

export interface Backtests {
  start(space: string, given: { readonly asked: BacktestAsked; readonly by: string }): Promise<RouteAnswer<"startBacktest">>;
  list(space: string, page: Page): Promise<RouteAnswer<"listBacktests">>;
  show(space: string, id: string): Promise<RouteAnswer<"showBacktest">>;
  cancel(space: string, id: string): Promise<RouteAnswer<"cancelBacktest">>;
  /** Runs what is due, now and as it comes. */
  begin(): void;
  /** Stops at once; what was under way goes on from where it was saved when the server is back. */
  stop(): Promise<void>;
}

export const backtestTask = "policy.backtest";
const periodDaysDefault = 30;
const waitingMax = 10;
const dayMilliseconds = 86_400_000;
/** Every start of the server is one; only failures of the machinery itself use them up besides. */
const attemptsMax = 100;

export function backtests(deps: BacktestDeps): Backtests {
  const { database, read, clock, onFailure, pollMilliseconds = 2000 } = deps;
  const stopping = new AbortController();
  const handler: TaskHandler = ({ space, id }, signal) => carryOut(deps, { space, id, signal: AbortSignal.any([signal, stopping.signal]) });
  const runner = taskRunner({ database, clock, handlers: { [backtestTask]: handler }, owner: newId("run", clock.now()), concurrencyMax: 1, pollMilliseconds, onFailure: (error) => (stopping.signal.aborted ? undefined : onFailure(error)) });
  const show = async (space: string, id: string): Promise<RouteAnswer<"showBacktest">> => {
    const row = await findBacktest(read, space, id);
    if (row === undefined) throw new LicetError("not_found", { message: `there is no backtest \`${id}\` in this space` });
    const [backtest] = await rowViews(deps, space, [row]);
    if (backtest === undefined) throw new LicetError("internal");
    return { backtest, report: row.report === null ? null : BacktestReport.parse(parseJson(row.report)) };
  };
  return {
    start: async (space, given) => {
      const id = await insertAsked(deps, space, given);
      runner.wake();
      return show(space, id);
    },
    list: async (space, page) => {
      const rows = await listBacktests(read, space, { ...page, limit: page.limit + 1 });
      const items = await rowViews(deps, space, rows.slice(0, page.limit));
      return { items, next: rows.length > page.limit ? (items.at(-1)?.id ?? null) : null };
    },
    show,
    cancel: async (space, id) => {
      const { backtest } = await show(space, id);
      if (!(await cancelStored(database.operational, space, id))) throw new LicetError("backtest_ended", { message: `the backtest \`${id}\` is ${backtest.state}` });
      return show(space, id);
    },
    begin: () => runner.start(),
    stop: async () => {
      stopping.abort();
      await runner.stop();
    },
  };
}

/** The candidate is composed when it is asked for, so that what is wrong with it is told at once. */
async function insertAsked(deps: BacktestDeps, space: string, { asked, by }: { readonly asked: BacktestAsked; readonly by: string }): Promise<string> {
  const { database, read, recorder } = deps;
  const active = await activeDigest(read, space);
  if (active === undefined) throw new LicetError("policy_not_published");
  if ((await countRunning(read, space)) >= waitingMax) throw new LicetError("backtest_busy", { message: `${waitingMax} backtests wait already` });
  const { digest, ...content } = await candidate(deps, space, asked);
  const now = recorder.now();
  // The newest decisions may still be on their way into the log: everything up to now is there before it is counted.
  const to = Math.min(asked.to ?? now + 1, now + 1);
  const row = {
    space,
    id: newId("bkt", now),
    asked_by: by,
    asked_at: now,
    candidate_digest: digest,
    candidate: JSON.stringify(content),
    active_digest: active,
    from_time: asked.from ?? to - periodDaysDefault * dayMilliseconds,
    to_time: to,
    system: asked.system ?? null,
    state: "waiting",
    cursor: 0,
    progress: JSON.stringify({ done: 0, total: 0, decisions: 0, perSecond: 0, remainingSeconds: null }),
    tally: null,
    report: null,
    error: null,
    entry: null,
  };
  await insertBacktest(database.operational, row);
  await enqueue(database.operational, { space, now, kind: backtestTask, id: row.id, payload: null, attemptsMax });
  return row.id;
}

async function candidate(deps: BacktestDeps, space: string, { packs, remove, digest }: BacktestAsked): Promise<Bundle> {
  const given = packs !== undefined || remove !== undefined;
  if (given === (digest !== undefined)) throw new LicetError("backtest_candidate");
  if (given) return (await candidateOf(deps, space, { packs: packs ?? [], remove: remove ?? [] })).bundle;
  const found = await bundleByDigest(deps.read, space, digest ?? "");
  if (found === undefined) throw new LicetError("not_found", { message: `the bundle \`${digest ?? ""}\` was never published in this space` });
  return found;
}

async function rowViews({ read }: BacktestDeps, space: string, rows: readonly BacktestHead[]): Promise<BacktestRow[]> {
  const names = await emailsOf(read, space, rows.map((row) => row.asked_by));
  return rows.map((row) => ({
    id: row.id,
    state: BacktestState.parse(row.state),
    candidate: Digest.parse(row.candidate_digest),
    active: Digest.parse(row.active_digest),
    from: row.from_time,
    to: row.to_time,
    system: row.system,
    askedBy: names.get(row.asked_by) ?? row.asked_by,
    askedAt: row.asked_at,
    progress: BacktestProgress.parse(parseJson(row.progress)),
    error: row.error,
    entry: row.entry,
  }));
}

interface Carrying {
  readonly space: string;
  readonly id: string;
  readonly signal: AbortSignal;
}

type StoredBacktest = NonNullable<Awaited<ReturnType<typeof findBacktest>>>;

/** Goes on from where it was saved. A candidate that cannot decide fails the backtest; an interruption leaves it to be taken up. */
async function carryOut(deps: BacktestDeps, { space, id, signal }: Carrying): Promise<void> {
  const row = await findBacktest(deps.read, space, id);
  if (row === undefined || !["waiting", "running"].includes(row.state)) return;
  try {
    await replayRow(deps, row, signal);
  } catch (error) {
    signal.throwIfAborted();
    const said = error instanceof LicetError ? `${error.code}: ${error.message}` : "internal: the cause is in the server's log";
    await saveBacktest(deps.database.operational, space, { id, state: "failed", error: said });
    deps.onFailure(error);
  }
}

async function replayRow(deps: BacktestDeps, row: StoredBacktest, signal: AbortSignal): Promise<void> {
  const { database, log, keyring, clock, read, recorder } = deps;
  const { space, id } = row;
  const system = row.system ?? undefined;
  await recorder.settle();
  const threads = backtestThreads(readBundle(row.candidate, row.candidate_digest));
  const begun = clock.now();
  const save = ({ cursor, progress, tally }: RunState): Promise<boolean> =>
    saveBacktest(database.operational, space, { id, state: "running", cursor, progress: JSON.stringify(progress), tally: JSON.stringify(tally) });
  try {
    const resume = row.tally === null ? undefined : { cursor: row.cursor, tally: Tallied.parse(parseJson(row.tally)) };
    const tally = await runBacktest({ read, log, keyring, threads, range: { space, from: row.from_time, to: row.to_time, system }, resume, elapsed: () => clock.now() - begun, onProgress: save, signal });
    if (tally !== undefined) await record(deps, row, reportOf(tally, { candidate: Digest.parse(row.candidate_digest), from: row.from_time, to: row.to_time, system: row.system }));
  } finally {
    await threads.close();
  }
}

/** Entry and row are one step: a backtest that was cancelled meanwhile leaves neither. */
async function record({ recorder }: BacktestDeps, row: StoredBacktest, report: BacktestReport): Promise<void> {
  const { space, id, asked_by: askedBy } = row;
  const body: JsonObject = parseJson(JSON.stringify({ backtest: id, candidate: row.candidate_digest, active: row.active_digest, askedBy, report }));
  await recorder.commit(async (tx) => {
    const now = await findBacktest(tx, space, id);
    if (now?.state !== "running") return { nothing: undefined };
    return { entry: { kind: "policy.backtested", space, actor: askedBy, subject: "space", class: "governance", body }, value: undefined };
  });
}
