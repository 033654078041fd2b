/**
 * POST /access/v1/evaluation over loopback, beside an empty handler of the same server: each a process of its own, in turns.
 * Our side decides by the installation's policies and records every decision before it answers.
 */
import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { systemClock } from "../packages/licet/src/base/clock.ts";
import { createGateway } from "../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type DeploymentView } from "../packages/licet/src/gateway/snapshot.ts";
import { decisionApi } from "../packages/licet/src/pdp/mount.ts";
import { builtinBundle } from "../packages/licet/src/policy/bundle.ts";
import { createDecider } from "../packages/licet/src/policy/decide.ts";
import { openRecordKeeping } from "../packages/licet/src/server/record-keeping.ts";

const credential = "lic_bench_0123456789";
const release = `sha256:${"a".repeat(64)}`;
const path = "/access/v1/evaluation";
/** Agents and tools that ask at once: one sync of the log stands for all decisions that wait for it. */
const connections = 256;
const body = JSON.stringify({ subject: { type: "workload", id: "dep_bench" }, action: { name: "callModel" }, resource: { type: "model", id: "chat" } });

function deployment(): DeploymentView {
  const standing = { release, stage: "pilot", environment: "local" };
  return {
    id: "dep_bench",
    space: "main",
    system: "bench",
    active: true,
    tier: "minimal",
    ...standing,
    models: [{ name: "chat", provider: "upstream", model: "bench", bounds: {} }],
    prompts: [],
    tools: [],
    boundary: { classes: ["public", "internal"], regions: ["eu"] },
    ato: { id: "ato_bench", state: "granted", notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 3_600_000, entry: "ent_bench", ...standing },
  };
}

/** `--alone` runs this part of the bench by itself, with `--quick` a shorter one; with `--profile DIR` it writes V8 profiles of our side, and figures of no use. */
const profile = process.argv.includes("--profile") ? process.argv[process.argv.indexOf("--profile") + 1] : undefined;

type Role = "ours" | "empty";

/** Both sides are the same server with the same record keeping; the empty one reads the body and answers the same number of bytes. */
async function serve(role: Role): Promise<void> {
  const directory = await mkdtemp(join(tmpdir(), "licet-bench-"));
  const record = await openRecordKeeping({ directory: join(directory, "data"), keysDirectory: join(directory, "keys"), clock: systemClock });
  const decider = createDecider(builtinBundle());
  const snapshots = snapshotHolder(systemClock);
  snapshots.publish({
    version: 1,
    credentials: [{ id: "cred_bench", space: "main", digest: createHash("sha256").update(credential).digest("hex"), expiresAt: Date.now() + 3_600_000, revokedAt: null, deployment: deployment() }],
    spaces: [{ space: "main", holds: [], providers: [{ id: "upstream", baseUrl: "http://127.0.0.1:9/v1", region: "eu", vendor: "bench", keyRef: "main/upstream", allow: ["loopback"] }], policyBundle: { digest: decider.bundle.digest, decide: async (request) => decider.decide({ ...request }) } }],
  });
  const beat = setInterval(() => snapshots.renew(1), 100);
  const answer = JSON.stringify({ decision: true, context: { id: "ent_00000000000000000000000000" } });
  const empty: typeof api = () => (inbound, caller) => (inbound.path === path ? inbound.body().then(() => caller.json(200, {}, answer)) : undefined);
  const api = decisionApi();
  const gateway = createGateway({ clock: systemClock, ledger: record.recorder, snapshots, providerKey: async () => "key", gateway: `gw_${process.pid}`, mount: role === "ours" ? api : empty });
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    if (message === "cpu") {
      const { user, system } = process.cpuUsage();
      process.send?.({ cpu: user + system });
    }
    if (message === "stop") {
      clearInterval(beat);
      void gateway
        .close(0)
        .then(() => record.close())
        .then(() => rm(directory, { recursive: true, force: true }))
        .finally(() => process.exit(0));
    }
  });
  process.send?.({ origin: await gateway.listen({ host: "127.0.0.1", port: 0 }) });
}

interface Side {
  readonly process: ChildProcess;
  readonly pool: Pool;
  readonly rates: number[];
  readonly cpus: number[];
}

function message<T>(process: ChildProcess): Promise<T> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a process of the bench ended with ${code}`));
    process.once("exit", ended);
    process.once("message", (value) => {
      process.off("exit", ended);
      resolve(value as T);
    });
  });
}

async function start(role: Role): Promise<Side> {
  const profiled = role === "ours" && profile !== undefined ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [];
  const process = fork(import.meta.filename, ["--role", role], { execArgv: ["--conditions=source", ...profiled] });
  const { origin } = await message<{ origin: string }>(process);
  return { process, pool: new Pool(origin, { connections, pipelining: 1 }), rates: [], cpus: [] };
}

async function ask({ pool }: Side): Promise<void> {
  const { statusCode, body: answer } = await pool.request({ path, method: "POST", headers: { "content-type": "application/json", authorization: `Bearer ${credential}` }, body });
  const text = await answer.text();
  // Anything else, and any other decision, would measure something else.
  if (statusCode !== 200 || !text.startsWith('{"decision":true')) throw new Error(`${statusCode} ${text}`);
}

async function slice(side: Side, ms: number): Promise<{ readonly rate: number; readonly cpu: number }> {
  const cpu = async () => {
    side.process.send("cpu");
    return (await message<{ cpu: number }>(side.process)).cpu;
  };
  const before = await cpu();
  const begin = performance.now();
  let count = 0;
  const worker = async () => {
    while (performance.now() - begin < ms) {
      await ask(side);
      count++;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const seconds = (performance.now() - begin) / 1000;
  return { rate: count / seconds, cpu: ((await cpu()) - before) / count };
}

function keep(side: Side, { rate, cpu }: { readonly rate: number; readonly cpu: number }, counts: boolean): void {
  if (!counts) return;
  side.rates.push(rate);
  side.cpus.push(cpu);
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Number(value.toPrecision(4));

export interface AuthzenFigures {
  /** Decisions per second of ours against the empty handler's answers. */
  readonly ratio: number;
  readonly oursPerSecond: number;
  readonly emptyPerSecond: number;
  readonly oursCpuMicros: number;
  readonly emptyCpuMicros: number;
  /** How many ask at once; every decision is an allow, recorded durably before it is told. */
  readonly connections: number;
}

export async function authzenRatio({ quick }: { readonly quick: boolean }): Promise<AuthzenFigures> {
  const sides = { ours: await start("ours"), empty: await start("empty") };
  try {
    // The first round only warms up.
    for (let round = 0; round <= (quick ? 5 : 15); round++) {
      for (const side of [sides.ours, sides.empty]) keep(side, await slice(side, quick ? 500 : 1500), round > 0);
    }
  } finally {
    for (const { process, pool } of Object.values(sides)) {
      await pool.destroy();
      process.send("stop");
    }
  }
  const { ours, empty } = sides;
  const figures = { oursPerSecond: rounded(median(ours.rates)), emptyPerSecond: rounded(median(empty.rates)), oursCpuMicros: rounded(median(ours.cpus)), emptyCpuMicros: rounded(median(empty.cpus)), connections };
  console.log(`AuthZEN                   ${figures.oursPerSecond.toFixed(0).padStart(7)} /s  ${figures.oursCpuMicros.toFixed(0)} us CPU; empty handler ${figures.emptyPerSecond.toFixed(0)} /s  ${figures.emptyCpuMicros.toFixed(0)} us CPU`);
  return { ratio: rounded(median(ours.rates.map((rate, round) => rate / (empty.rates[round] ?? Number.NaN)))), ...figures };
}

const role = process.argv.indexOf("--role");
if (process.argv.includes("--alone")) console.log(await authzenRatio({ quick: process.argv.includes("--quick") }));
if (role >= 0 && process.argv[1] === import.meta.filename) await serve(process.argv[role + 1] === "ours" ? "ours" : "empty");
