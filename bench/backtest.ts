/**
 * Recorded decisions, replayed against the installation's own bundle: seconds for a million, as the server's backtest
 * does it (rows are read in one thread and decided again in two others, a few are compared with their entries in the
 * log). Of the requests, two in five have been asked before, as calls of one deployment within a second are.
 *
 *   node --conditions=source bench/backtest.ts [--decisions N] [--quick]
 *
 * Needs about 6 KB of disk for a decision, in the folder for temporary files. The last line of the output is one JSON
 * object: `backtestMillionSeconds`, the processor time for a million in all threads, and how long the event loop of the reading thread was kept from other work.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { newId } from "../packages/licet/src/base/ids.ts";
import { openDatabase } from "../packages/licet/src/db/open.ts";
import { gatewayEntryDefinitions } from "../packages/licet/src/gateway/entries.ts";
import { openRecorder, type Draft, type JsonObject, type Recorder } from "../packages/licet/src/ledger/recorder.ts";
import { openKeyring } from "../packages/licet/src/ledger/keyring.ts";
import { openKeys } from "../packages/licet/src/ledger/keys.ts";
import { seeded } from "../packages/licet/src/ledger/log-fixture.ts";
import { openLog } from "../packages/licet/src/ledger/log.ts";
import { runBacktest } from "../packages/licet/src/policy/backtest-run.ts";
import { backtestThreads } from "../packages/licet/src/policy/backtest-threads.ts";
import { builtinBundle } from "../packages/licet/src/policy/bundle.ts";

const { values } = parseArgs({ options: { decisions: { type: "string" }, quick: { type: "boolean", default: false } } });
const decisions = Number(values.decisions ?? (values.quick ? 50_000 : 1_000_000));
const deployments = 50;
const perSecond = 80;
const begun = Date.UTC(2026, 10, 1);
const random = seeded(7);
const among = (count: number) => Math.floor(random() * count);
const datetime = (time: number) => ({ __extn: { fn: "datetime", arg: new Date(time).toISOString() } });
const release = `sha256:${"ab".repeat(32)}`;

/** As gateway/decide.ts words a call. */
function cedar(deployment: number, time: number): JsonObject {
  const principal = { type: "Licet::Workload", id: `dep_${deployment}` };
  const resource = { type: "Licet::Model", id: "simulator/sim-1" };
  const vendor = { type: "Licet::Vendor", id: "simulator" };
  const ato = { id: `ato_${deployment}`, state: "granted", stage: "pilot", environment: "local", release, notBefore: datetime(begun - 86_400_000), notAfter: datetime(begun + 60 * 86_400_000) };
  const attrs = { system: `system-${deployment}`, environment: "local", stage: "pilot", release, tier: "limited", ato, boundary: ["internal", "personal", "public"], regions: ["eu"], held: false, unlimited: true };
  return {
    principal,
    action: { type: "Licet::Action", id: "callModel" },
    resource,
    context: { now: datetime(time - (time % 1000)), release, dataClasses: ["internal"] },
    entities: [
      { uid: principal, attrs, parents: [] },
      { uid: resource, attrs: { provider: "simulator", name: "sim-1", region: "eu", declared: true, vendor: { __entity: vendor } }, parents: [] },
      { uid: vendor, attrs: { suspended: false }, parents: [] },
    ],
  };
}

function decision(seq: number): Draft {
  const time = begun + Math.floor((seq / perSecond) * 1000);
  const deployment = among(deployments);
  const digest = `sha256:${"cd".repeat(32)}`;
  const body: JsonObject = {
    id: newId("dec", time),
    decision: "allow",
    code: null,
    reasons: [{ policy: "runtime.call" }],
    policyErrors: [],
    policyBundle: digest,
    snapshot: { version: 7, builtAt: time, leaseUntil: time + 1000 },
    cedar: cedar(deployment, time),
    deployment: `dep_${deployment}`,
    credential: `cre_${deployment}`,
    release,
    model: "chat",
    findings: [{ type: "internal", dataClass: "internal", count: 1 }],
    action: "callModel",
    endpoint: "/v1/chat/completions",
    provider: "simulator",
    region: "eu",
    upstreamModel: "sim-1",
    stream: false,
    requestBytes: 1200,
    messages: { count: 3, digest, newest: [digest, digest] },
    scanned: "full",
  };
  return { kind: "gateway.decision", space: "main", actor: `dep_${deployment}`, system: `system-${deployment}`, subject: `system:system-${deployment}`, class: "runtime", gateway: "gw-1", seq, body };
}

const parallel = 256;

async function grow(recorder: Recorder): Promise<void> {
  let next = 0;
  const writer = async (): Promise<void> => {
    while (next < decisions) {
      clock.time = begun + Math.floor((next / perSecond) * 1000);
      await recorder.append(decision(next++));
    }
  };
  await Promise.all(Array.from({ length: parallel }, writer));
  await recorder.settle();
}

/** Decisions of many days are recorded within minutes. */
const clock = { time: begun, now: () => clock.time };
const folder = mkdtempSync(join(tmpdir(), "licet-bench-backtest-"));
try {
  const keys = await openKeys({ directory: join(folder, "keys"), fresh: true, now: begun });
  const keyring = await openKeyring({ directory: keys.directory, root: keys.root, clock });
  const log = await openLog({ folder: join(folder, "log"), signer: keys.log, memories: [keys.memory] });
  const database = await openDatabase({ directory: folder, clock });
  const fatal = (error: unknown): void => {
    throw error;
  };
  const recorder = await openRecorder({ database, log, keyring, definitions: gatewayEntryDefinitions, clock, fatal });
  const grew = performance.now();
  await grow(recorder);
  console.log(`${decisions} decisions in the log, and their rows in the database, after ${Math.round((performance.now() - grew) / 1000)} s`);
  const bundle = builtinBundle();
  const threads = backtestThreads(bundle);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const cpu = process.cpuUsage();
  const start = performance.now();
  const elapsed = () => performance.now() - start;
  const tally = await runBacktest({
    read: database.read,
    log,
    keyring,
    threads,
    range: { space: "main", from: begun, to: begun + 40 * 86_400_000 },
    elapsed,
    onProgress: async ({ progress }) => {
      console.log(JSON.stringify(progress));
      return true;
    },
    signal: new AbortController().signal,
  });
  const seconds = elapsed() / 1000;
  const { user, system } = process.cpuUsage(cpu);
  delay.disable();
  await threads.close();
  await recorder.close();
  await database.close();
  await log.close();
  await keyring.close();
  if (tally?.counts.decisions !== decisions || tally.undecided.misfit + tally.undecided.unreadable + tally.undecided.erased > 0) throw new Error(`not every decision was decided again: ${JSON.stringify(tally)}`);
  const figures = { backtestMillionSeconds: Number(((seconds * 1_000_000) / decisions).toFixed(1)), cpuMillionSeconds: Number((((user + system) / 1e6) * (1_000_000 / decisions)).toFixed(1)), decisions, seconds: Number(seconds.toFixed(2)), policies: bundle.policies.length, eventLoopP99Milliseconds: Number((delay.percentile(99) / 1e6).toFixed(1)), eventLoopMaxMilliseconds: Number((delay.max / 1e6).toFixed(1)), counts: tally.counts };
  console.log(JSON.stringify({ bench: "backtest", figures: { ...figures, node: process.version } }));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
