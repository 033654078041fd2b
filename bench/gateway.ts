/**
 * What governance costs: (direct) the provider itself, (bare) node:http with undici's dispatch and nothing else, (ours)
 * the gateway with policies, detectors and durable records. Each is a process of its own; rounds take turns, so that a
 * busy machine slows all alike. Only ratios and CPU per request are compared across machines.
 * The last line of the output is one JSON object.
 */
import { fork, type ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { systemClock } from "../packages/licet/src/base/clock.ts";
import { createGateway } from "../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type DeploymentView } from "../packages/licet/src/gateway/snapshot.ts";
import { builtinBundle } from "../packages/licet/src/policy/bundle.ts";
import { createDecider } from "../packages/licet/src/policy/decide.ts";
import { openRecordKeeping } from "../packages/licet/src/server/record-keeping.ts";

const quick = process.argv.includes("--quick");
/** `--profile DIR` writes V8 profiles of our side there; its figures are then of no use. */
const profile = argument("--profile");
const rounds = quick ? 4 : 15;
const sliceMs = quick ? 500 : 2000;
const connections = 32;
const lowRate = 200;

type Target = "direct" | "bare" | "ours";
type Load = "json" | "stream" | "low";
const targets: readonly Target[] = ["direct", "bare", "ours"];

const credential = "lic_bench_0123456789";
const prompt = "You answer questions of our staff.";
const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const path = "/openai/v1/chat/completions";

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

// ---- the three processes -------------------------------------------------------------------------------------------

const words = "turn it off and on again then wait ten seconds before you try once more and call the help desk if it stays ".split(" ");
const base = { id: "chatcmpl-bench", created: 1_795_000_000, model: "bench" };
const usage = { prompt_tokens: 42, completion_tokens: 50, total_tokens: 92 };
const content = Array.from({ length: 150 }, (_, i) => words[i % words.length]).join(" ");
const answer = JSON.stringify({ ...base, object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }], usage });
const chunk = (choices: unknown[], more: object = {}) => `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices, ...more })}\n\n`;
const events = [
  ...Array.from({ length: 50 }, (_, i) => chunk([{ index: 0, delta: { content: `${words[i % words.length]} ` }, finish_reason: null }])),
  chunk([{ index: 0, delta: {}, finish_reason: "stop" }]),
  chunk([], { usage }),
  "data: [DONE]\n\n",
];

function upstream(): RequestListener {
  const burst = (response: ServerResponse) => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    let i = 0;
    const step = () => {
      response.write(events[i] ?? "");
      i++;
      if (i === events.length) {
        response.end();
      } else {
        setImmediate(step);
      }
    };
    step();
  };
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (data: Buffer) => chunks.push(data));
    request.on("end", () => {
      if (Buffer.concat(chunks).includes('"stream":true')) {
        burst(response);
      } else {
        response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
        response.end(answer);
      }
    });
  };
}

function bare(upstreamOrigin: string): RequestListener {
  const pool = new Pool(upstreamOrigin, { connections: null, pipelining: 1 });
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (data: Buffer) => chunks.push(data));
    request.on("end", () => {
      const headers = { "content-type": "application/json", authorization: "Bearer key" };
      pool.dispatch({ path: "/v1/chat/completions", method: "POST", headers, body: Buffer.concat(chunks) }, {
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status, head) => void response.writeHead(status, { "content-type": String(head["content-type"]), ...(typeof head["content-length"] === "string" && { "content-length": head["content-length"] }) }),
        onResponseData: (controller, data) => {
          if (!response.write(data)) {
            controller.pause();
            response.once("drain", () => controller.resume());
          }
        },
        onResponseEnd: () => void response.end(),
        onResponseError: () => void response.destroy(),
      });
    });
  };
}

function deployment(): DeploymentView {
  const release = `sha256:${"a".repeat(64)}`;
  const standing = { release, stage: "pilot", environment: "local" };
  return {
    id: "dep_bench",
    space: "main",
    system: "bench",
    active: true,
    tier: "minimal",
    ...standing,
    models: [{ name: "chat", provider: "upstream", model: "bench", bounds: { temperature: { max: 1 } } }],
    prompts: [{ name: "system", role: "system", digest: `sha256:${sha256(prompt)}` }],
    tools: [],
    boundary: { classes: ["public", "internal"], regions: ["eu"] },
    ato: { id: "ato_bench", state: "granted", notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 3_600_000, entry: "ent_bench", ...standing },
  };
}

/** The real record, policies and gateway over a directory of its own; only the standing is made up. */
async function ours(upstreamOrigin: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "licet-bench-"));
  const record = await openRecordKeeping({ directory: join(directory, "data"), keysDirectory: join(directory, "keys"), clock: systemClock });
  const decider = createDecider(builtinBundle());
  const snapshots = snapshotHolder(systemClock);
  const expiresAt = Date.now() + 3_600_000;
  snapshots.publish({
    version: 1,
    credentials: [{ id: "cred_bench", space: "main", digest: sha256(credential), expiresAt, revokedAt: null, deployment: deployment() }],
    spaces: [
      {
        space: "main",
        holds: [],
        providers: [{ id: "upstream", baseUrl: `${upstreamOrigin}/v1`, region: "eu", vendor: "bench", keyRef: "main/upstream", allow: ["loopback"] }],
        policyBundle: { digest: decider.bundle.digest, decide: async (request) => decider.decide({ ...request }) },
      },
    ],
  });
  const beat = setInterval(() => snapshots.renew(1), 100);
  const gateway = createGateway({ clock: systemClock, ledger: record.recorder, snapshots, providerKey: async () => "key", gateway: `gw_${process.pid}` });
  onStop(async () => {
    clearInterval(beat);
    await gateway.close(0);
    await record.close();
    await rm(directory, { recursive: true, force: true });
  });
  return gateway.listen({ host: "127.0.0.1", port: 0 });
}

function serve(listener: RequestListener): Promise<string> {
  const server = createServer({ keepAliveTimeout: 65_000 }, listener);
  onStop(async () => server.closeAllConnections());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)));
}

function onStop(stop: () => Promise<void>): void {
  process.on("message", (message) => {
    if (message === "stop") {
      void stop().finally(() => process.exit(0));
    }
  });
}

async function child(role: string, upstreamOrigin: string): Promise<void> {
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    if (message === "cpu") {
      const { user, system } = process.cpuUsage();
      process.send?.({ cpu: user + system });
    }
  });
  const origin = role === "direct" ? serve(upstream()) : role === "bare" ? serve(bare(upstreamOrigin)) : ours(upstreamOrigin);
  process.send?.({ origin: await origin });
}

// ---- the driver ----------------------------------------------------------------------------------------------------

interface Side {
  readonly process: ChildProcess;
  readonly pool: Pool;
  readonly origin: string;
}

interface Slice {
  readonly rps: number;
  readonly cpuUs: number;
  readonly p50: number;
  readonly p99: number;
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

async function start(role: Target, upstreamOrigin: string): Promise<Side> {
  const profiled = role === "ours" && profile !== undefined ? ["--cpu-prof", `--cpu-prof-dir=${profile}`] : [];
  const process = fork(import.meta.filename, ["--role", role, upstreamOrigin], { execArgv: ["--conditions=source", ...profiled] });
  const { origin } = await message<{ origin: string }>(process);
  return { process, origin, pool: new Pool(origin, { connections: null, pipelining: 1 }) };
}

async function cpuOf(side: Side): Promise<number> {
  side.process.send("cpu");
  return (await message<{ cpu: number }>(side.process)).cpu;
}

const bodies = [false, true].map((stream) => JSON.stringify({ model: "chat", messages: [{ role: "system", content: prompt }, { role: "user", content: "lorem ipsum dolor sit amet ".repeat(7) }], ...(stream && { stream }) }));

/** Milliseconds to the end of one answer; a wrong status ends the bench, because it would measure something else. */
function one(side: Side, stream: boolean): Promise<number> {
  const begin = performance.now();
  const headers = { "content-type": "application/json", authorization: `Bearer ${credential}` };
  return new Promise((resolve, reject) => {
    side.pool.dispatch({ path, method: "POST", headers, body: bodies[stream ? 1 : 0] ?? "" }, {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        if (status !== 200) {
          reject(new Error(`status ${status} from ${side.origin}`));
        }
      },
      onResponseData: () => undefined,
      onResponseEnd: () => resolve(performance.now() - begin),
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

async function saturate(side: Side, stream: boolean, times: number[]): Promise<void> {
  const until = performance.now() + sliceMs;
  const worker = async () => {
    while (performance.now() < until) {
      times.push(await one(side, stream));
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
}

/** Open loop: a slow answer does not delay the next question. */
async function trickle(side: Side, times: number[]): Promise<void> {
  const begin = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < (sliceMs / 1000) * lowRate; ) {
    for (; sent < ((performance.now() - begin) / 1000) * lowRate; sent++) {
      pending.push(one(side, false).then((time) => times.push(time)));
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
}

async function slice(side: Side, load: Load): Promise<Slice> {
  const times: number[] = [];
  const before = await cpuOf(side);
  const begin = performance.now();
  await (load === "low" ? trickle(side, times) : saturate(side, load === "stream", times));
  const seconds = (performance.now() - begin) / 1000;
  const cpu = (await cpuOf(side)) - before;
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(times.length * part)] ?? Number.NaN;
  return { rps: times.length / seconds, cpuUs: cpu / times.length, p50: at(0.5), p99: at(0.99) };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Math.round(value * 1000) / 1000;

async function compare(sides: ReadonlyMap<Target, Side>, load: Load): Promise<Record<Target, Slice>> {
  const slices: Record<Target, Slice[]> = { direct: [], bare: [], ours: [] };
  for (let round = 0; round <= rounds; round++) {
    for (const [target, side] of sides) {
      const result = await slice(side, load);
      // The first round only warms up.
      slices[target].push(...(round === 0 ? [] : [result]));
    }
  }
  const middle = (target: Target): Slice => {
    const of = (key: keyof Slice) => rounded(median(slices[target].map((it) => it[key])));
    return { rps: of("rps"), cpuUs: of("cpuUs"), p50: of("p50"), p99: of("p99") };
  };
  const result = { direct: middle("direct"), bare: middle("bare"), ours: middle("ours") };
  for (const target of targets) {
    const { rps, cpuUs, p50, p99 } = result[target];
    console.log(`${load.padEnd(7)}${target.padEnd(8)}${rps.toFixed(0).padStart(7)} /s  ${cpuUs.toFixed(0).padStart(6)} us CPU  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`);
  }
  return result;
}

async function main(): Promise<void> {
  const sides = new Map<Target, Side>();
  for (const target of targets) {
    sides.set(target, await start(target, sides.get("direct")?.origin ?? ""));
  }
  try {
    const json = await compare(sides, "json");
    const stream = await compare(sides, "stream");
    const low = await compare(sides, "low");
    const ratios = {
      jsonCpuVsBare: rounded(json.ours.cpuUs / json.bare.cpuUs),
      jsonThroughputVsBare: rounded(json.ours.rps / json.bare.rps),
      streamCpuVsBare: rounded(stream.ours.cpuUs / stream.bare.cpuUs),
      addedP50MsVsBare: rounded(low.ours.p50 - low.bare.p50),
    };
    console.log(JSON.stringify({ bench: "gateway", ratios, figures: { json, stream, low } }));
  } finally {
    for (const { process, pool } of sides.values()) {
      await pool.destroy();
      process.send("stop");
    }
  }
}

const role = process.argv.indexOf("--role");
await (role < 0 ? main() : child(process.argv[role + 1] ?? "", process.argv[role + 2] ?? ""));
