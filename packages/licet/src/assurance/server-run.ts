import { extname } from "node:path";
import { Worker } from "node:worker_threads";
import { SuiteReport } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import { findRelease } from "../inventory/store.ts";
import { declaredFiles } from "./declared-check.ts";
import type { HeldFiles } from "./held-files.ts";
import { returnResults, type ResultDeps } from "./results.ts";
import type { Ticket } from "./store.ts";
import { issueTicket, openTicket } from "./ticket.ts";

export interface ServerRunDeps extends ResultDeps {
  readonly files: HeldFiles;
  /** The folder of `files`: nothing outside it is read. */
  readonly root: string;
}

const runMsMax = 10 * 60 * 1000;
const memoryMbMax = 2048;

function workerAddress(): URL {
  const suffix = extname(new URL(import.meta.url).pathname);
  return new URL(`./runner-worker${suffix}`, import.meta.url);
}

interface Order {
  readonly suite: unknown;
  readonly root: string;
  readonly files: Readonly<Record<string, { readonly path: string; readonly digest: string }>>;
  readonly seed: string;
  readonly release: string;
}

/** Whatever ends the worker without a report is a failure: no evidence, never a pass. */
async function runInWorker(order: Order): Promise<SuiteReport> {
  const worker = new Worker(workerAddress(), { workerData: order, resourceLimits: { maxOldGenerationSizeMb: memoryMbMax }, stdout: true, stderr: true });
  const timer = setTimeout(() => void worker.terminate(), runMsMax);
  try {
    return await new Promise<SuiteReport>((resolve, reject) => {
      worker.once("message", (report: unknown) => {
        const parsed = SuiteReport.safeParse(report);
        if (parsed.success) resolve(parsed.data);
        else reject(new LicetError("runner_failed", { cause: parsed.error }));
      });
      worker.once("error", (cause) => reject(new LicetError("runner_failed", { cause })));
      worker.once("exit", (code) => reject(new LicetError("runner_failed", { message: `the runner ended with code ${code} and without a report` })));
    });
  } finally {
    clearTimeout(timer);
    await worker.terminate();
  }
}

async function heldPaths(files: HeldFiles, declared: ReadonlyMap<string, string>): Promise<Order["files"]> {
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

/** Ticket, run, results: producer `licet`. The seed is drawn and logged before the first file is read. */
export async function runOnServer(deps: ServerRunDeps, run: ServerRun): Promise<Ticket> {
  const release = await findRelease(deps.read, run.space, run.system, run.release);
  if (release === undefined) throw new LicetError("release_unknown", { message: `release \`${run.release}\` of \`${run.system}\` has not been pushed` });
  const suite = release.bundle.manifest.assurance;
  if (suite === undefined || suite.checks.length === 0) throw new LicetError("check_undeclared", { message: "the release declares no check" });
  const declared = declaredFiles(release.bundle);
  const files = await heldPaths(deps.files, declared);
  const ticket = await issueTicket(deps, {
    space: run.space,
    system: run.system,
    release: run.release,
    producer: "licet",
    checks: suite.checks.map((check) => check.id),
    datasets: Object.fromEntries(declared),
    issuedTo: "server",
    requestedBy: run.askedBy,
  });
  const report = await runInWorker({ suite, root: deps.root, files, seed: ticket.seed, release: run.release });
  await returnResults(deps, { space: run.space, ticket: ticket.id, results: report.results, producedBy: "server" });
  return openTicket(deps.read, run.space, ticket.id);
}
