import { componentsOf } from "@licet/assurance";
import type { AssuranceCheck, CheckResult, ReleaseBundle } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { findRelease } from "../inventory/store.ts";
import { runsOnServer, type RepeatDeps } from "./attempts/repeat.ts";
import { reservedBy, usesOf } from "./attempts/store.ts";
import { declaredDatasets, declaredFiles } from "./declared-check.ts";
import type { HeldFiles } from "./held-files.ts";
import { carryResults, returnResults, type ResultDeps } from "./results.ts";
import type { OpenUnderTest, UnderTest } from "./runner-asks.ts";
import { asksOnServer, languageOf } from "./runner-models.ts";
import type { Runner, RunnerOrder } from "./runner.ts";
import type { Ticket } from "./store.ts";
import { issueTicket, openTicket } from "./ticket.ts";

export interface ServerRunDeps extends ResultDeps {
  readonly files: HeldFiles;
  readonly tierOf: RepeatDeps["tierOf"];
  /** The folder of `files`: nothing outside it is read. */
  readonly root: string;
  readonly runner: Runner;
  /** Lets a run ask the registered providers; without, the server's runner asks no model. */
  readonly underTest?: OpenUnderTest | undefined;
}

/** Left at the end for what was begun, and for the report: a fifth of the time, at most two minutes. */
const reportMsMax = 2 * 60 * 1000;
const reportShare = 0.2;

async function heldPaths(files: HeldFiles, declared: ReadonlyMap<string, string>): Promise<RunnerOrder["files"]> {
  const found: Record<string, { path: string; digest: string }> = {};
  for (const [name, digest] of declared) {
    const path = await files.path(digest);
    if (path === undefined) throw new LicetError("file_not_held", { message: `the server does not hold \`${name}\` (${digest})`, at: { name, digest } });
    found[name] = { path, digest };
  }
  return found;
}

export interface ServerRun {
  readonly space: string;
  readonly system: string;
  readonly release: string;
  readonly askedBy: string;
}

export interface ServerRan {
  readonly ticket: Ticket;
  /** Checks that files alone do not decide: the server's runner leaves them to others. */
  readonly left: readonly string[];
}

/** Ticket, run, results: producer `licet`. The seed is drawn and logged before the first file is read. */
export async function runOnServer(deps: ServerRunDeps, run: ServerRun): Promise<ServerRan> {
  const release = await findRelease(deps.read, run.space, run.system, run.release);
  if (release === undefined) throw new LicetError("release_unknown", { message: `release \`${run.release}\` of \`${run.system}\` has not been pushed` });
  const checks = release.bundle.manifest.assurance?.checks ?? [];
  return deps.runner.inTurn(async () => {
    const underTest = await opened(deps, run, release.bundle);
    try {
      return await ranOnServer(deps, run, { bundle: release.bundle, checks, underTest });
    } finally {
      await underTest?.close();
    }
  });
}

interface Running {
  readonly bundle: ReleaseBundle;
  readonly checks: readonly AssuranceCheck[];
  readonly underTest: UnderTest | undefined;
}

/** Where no model can be asked, checks that would ask one are left to others, as where nothing is wired. */
async function opened({ underTest }: ServerRunDeps, { space, system }: ServerRun, bundle: ReleaseBundle): Promise<UnderTest | undefined> {
  const asks = (bundle.manifest.assurance?.checks ?? []).some(({ check }) => check.startsWith("llm."));
  if (!asks || underTest === undefined) return undefined;
  return underTest({ space, system, bundle }).catch(() => undefined);
}

async function ranOnServer(deps: ServerRunDeps, run: ServerRun, { bundle, checks, underTest }: Running): Promise<ServerRan> {
  const own = checks.filter((check) => runsOnServer(check, bundle) || asksOnServer(check, bundle, underTest));
  const left = checks.filter((check) => !own.includes(check)).map(({ id }) => id);
  if (own.length === 0) throw new LicetError("check_undeclared", { message: left.length === 0 ? "the release declares no check" : `no declared check follows from files alone or asks a model of a registered provider, which is all that the server's runner has: run \`${left.join("`, `")}\` with \`licet check\` or in CI` });
  const declared = declaredFiles(bundle);
  const read = new Set(own.flatMap((check) => componentsOf(check)).filter((name) => underTest?.models.has(name) !== true));
  const files = await heldPaths(deps.files, new Map([...declared].filter(([name]) => read.has(name))));
  const { budget, timeMs } = deps.runner.settings;
  const issued = await issueTicket(deps, {
    space: run.space,
    system: run.system,
    release: run.release,
    producer: "licet",
    checks: own.map((check) => check.id),
    datasets: Object.fromEntries(declared),
    issuedTo: "server",
    requestedBy: run.askedBy,
    budget,
  });
  await carryResults(deps, issued);
  if (issued.checks.length > 0) {
    const suite = { checks: own.filter(({ id }) => issued.checks.includes(id)) };
    const attempts = await reservedBy(deps.read, run.space, issued.id);
    const reuse = await usesOf(deps.read, run.space, { system: run.system, datasets: declaredDatasets(bundle) });
    const until = Date.now() + timeMs - Math.min(reportMsMax, timeMs * reportShare);
    const language = underTest && languageOf(bundle, underTest, { until, budget });
    const asks = underTest && { replay: underTest.replay, ask: underTest.questions({ ticket: issued.id, budget }) };
    const report = await deps.runner.run({ suite, root: deps.root, files, seed: issued.seed, attempts, reuse, release: run.release, language }, asks);
    await returnResults(deps, { space: run.space, ticket: issued.id, results: report.results, producedBy: "server" });
  }
  return { ticket: await openTicket(deps.read, run.space, issued.id), left };
}

/** Makes one check of somebody else's ticket again: its seed, its alpha, the bytes that the release declares. */
export async function runAgain(deps: ServerRunDeps, { ticket, check, release }: Parameters<RepeatDeps["again"]>[0]): Promise<CheckResult> {
  const read = new Set(componentsOf(check));
  const files = await heldPaths(deps.files, new Map([...declaredFiles(release)].filter(([name]) => read.has(name))));
  const attempts = (await reservedBy(deps.read, ticket.space, ticket.id)).filter((each) => each.check === check.id);
  const order = { suite: { checks: [check] }, root: deps.root, files, seed: ticket.seed, attempts, reuse: [], release: ticket.release };
  const { results } = await deps.runner.inTurn(() => deps.runner.run(order));
  const [result] = results;
  if (result === undefined) throw new LicetError("runner_failed");
  return result;
}
