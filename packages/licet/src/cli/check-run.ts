import { availableParallelism } from "node:os";
import { join } from "node:path";
import { componentsOf, suiteReport, type PlannedRun, type RunSuiteOptions } from "@licet/assurance";
import type { AssuranceCheck, AssuranceSection, SuiteReport } from "@licet/contract";
import type { Project } from "../inventory/project.ts";
import { runBudget, sharesOf, type CheckBudget, type RunBudget } from "./check-budget.ts";
import { languageTargets, type EndpointOptions } from "./check-endpoints.ts";
import { asksModel, estimateChecks, type Estimate } from "./check-estimate.ts";
import { componentFiles } from "./check-files.ts";
import { cacheFolder } from "./check-open-run.ts";
import type { CheckOrder } from "./check-order.ts";
import { peerRuntime } from "./check-peer.ts";
import { modelPrices } from "./check-prices.ts";
import { CheckProgress, estimateLines } from "./check-progress.ts";
import { runInThreads } from "./check-threads.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export interface RunOptions extends EndpointOptions {
  /** `queries=…,tokens=…,money=…,time=…` */
  readonly budget?: string;
  /** How many checks at a time. */
  readonly workers?: string;
  /** False: measure everything anew, and keep no answers. */
  readonly cache?: boolean;
}

export interface CheckRun {
  readonly project: Project;
  readonly suite: AssuranceSection;
  readonly plan: Pick<RunSuiteOptions, "seed" | "planned">;
  readonly release: string | null;
  readonly options: RunOptions;
  readonly terminal: Terminal;
  /** Where answers are kept until the run is over. */
  readonly answers?: string;
  readonly signal: AbortSignal;
}

interface Prepared {
  readonly budget: RunBudget;
  readonly estimates: readonly Estimate[];
  readonly shares: ReadonlyMap<string, CheckBudget>;
  readonly rowsMax?: number;
  readonly prices: CheckOrder["prices"];
}

/** Runs checks side by side and reports them in the order of their declaration. What is broken off is aborted, and never a pass. */
export async function runChecks(run: CheckRun): Promise<SuiteReport> {
  const { project, suite, plan, release, options, terminal, signal } = run;
  const { budget, estimates, shares, rowsMax, prices } = await prepared(run);
  const startedAt = Date.now();
  const { checks } = suite;
  const peer = peerRuntime();
  const order: CheckOrder = {
    project,
    checks,
    seed: plan.seed,
    planned: Object.fromEntries(checks.flatMap((check): [string, PlannedRun][] => {
      const planned = plan.planned?.(check);
      return planned === undefined ? [] : [[check.id, planned]];
    })),
    release,
    endpoints: endpointsIn(options),
    shares: Object.fromEntries(shares),
    prices,
    ...(rowsMax !== undefined && { rowsMax }),
    ...(peer !== undefined && { peer }),
    ...(budget.timeMs !== undefined && { until: startedAt + budget.timeMs }),
    ...(options.cache !== false && { measurements: cacheFolder("measurements") }),
    ...(run.answers !== undefined && { answers: join(run.answers, "answers") }),
  };
  const progress = new CheckProgress({ checks, estimates, budget, now: () => Date.now(), terminal });
  const results = await runInThreads(order, {
    workers: workersOf(options.workers),
    signal,
    onStarted: (index) => progress.started(index),
    onAnswered: (check, answered) => progress.answered(check, answered),
    onFinished: (_index, result, remembered) => progress.finished(result, remembered),
  });
  progress.end();
  const time = (at: number) => new Date(at).toISOString();
  return suiteReport(results, { release, seed: plan.seed, startedAt: time(startedAt), finishedAt: time(Date.now()) });
}

/** What the run would ask and cost. Nothing is sent. */
export async function dryRunLines(run: Omit<CheckRun, "release" | "signal">): Promise<readonly string[]> {
  const { estimates, shares } = await prepared(run);
  return estimateLines(estimates, shares, run.suite.checks.length - estimates.length);
}

async function prepared({ project, suite, plan, options }: Pick<CheckRun, "project" | "suite" | "plan" | "options">): Promise<Prepared> {
  const budget = runBudget(options.budget);
  workersOf(options.workers);
  const targets = languageTargets(project, endpointsIn(options));
  const asking = suite.checks.some(asksModel);
  const prices = asking ? modelPrices(project, Date.now()) : {};
  const files = componentFiles(project);
  const estimates = targets === undefined || !asking ? [] : await estimateChecks(suite, targets, { plan, prices, files: { root: project.folder, resolve: (name) => files[name] } });
  const unpriced = [...new Set(estimates.flatMap((estimate) => estimate.unpriced))];
  if (budget.money !== undefined && unpriced.length > 0) throw new UsageError(`no price is known for \`${unpriced.join("`, `")}\`, so money cannot be bounded: bound queries or tokens instead`);
  const served = suite.checks.filter((check) => asksServed(check, project)).length;
  const rows = budget.queries === undefined || served === 0 ? undefined : Math.floor(budget.queries / (served + estimates.length));
  const left = rows === undefined || budget.queries === undefined ? budget : { ...budget, queries: budget.queries - rows * served };
  return { budget, estimates, shares: sharesOf(left, estimates), ...(rows !== undefined && { rowsMax: rows }), prices };
}

/** A model that predicts and has no file is asked row by row. */
function asksServed(check: AssuranceCheck, { manifest }: Project): boolean {
  return !asksModel(check) && componentsOf(check).some((name) => manifest.components.models.some((model) => model.name === name && model.file === undefined));
}

function endpointsIn({ endpoint, endpointKey, dialect }: EndpointOptions): EndpointOptions {
  return { ...(endpoint && { endpoint }), ...(endpointKey && { endpointKey }), ...(dialect !== undefined && { dialect }) };
}

const workersMax = 64;

function workersOf(text: string | undefined): number {
  if (text === undefined) return availableParallelism();
  const workers = /^\d{1,3}$/u.test(text) ? Number(text) : 0;
  if (workers < 1 || workers > workersMax) throw new UsageError(`\`--workers\` is a whole number from 1 to ${workersMax}`);
  return workers;
}
