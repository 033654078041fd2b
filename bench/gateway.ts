/**
 * What governance costs: (direct) the provider itself, (bare) node:http with undici's dispatch and nothing else, (ours)
 * the gateway with policies, detectors, budgets and durable records, (portkey) Portkey's gateway from npm. Each is a
 * process of its own; rounds take turns, so that a busy machine slows all alike.
 *
 *   npm run bench:gateway -- [--quick] [--memory] [--only json,paced,…]
 *
 * Portkey is measured where LICET_BENCH_PORTKEY names a folder in which its lock file was installed (`npm ci`); otherwise its
 * ratio is null. --memory adds a million calls and 2,000 streams at once. The last line of the output is one JSON object.
 */
import { fork, spawn, type ChildProcess } from "node:child_process";
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Pool } from "undici";
import { callPath, child, credential, pacedEvents, systemPrompt, type Meter } from "./gateway-sides.ts";
import type { StageCosts } from "./gateway-stages.ts";

const quick = process.argv.includes("--quick");
const only = argument("--only")?.split(",");
const rounds = quick ? 3 : 15;
const sliceMs = quick ? 400 : 2000;
const lowRate = 200;
const conversationBytes = 400_000;

type Target = "direct" | "bare" | "digest" | "encrypted" | "telemetry" | "portkey";

function argument(name: string): string | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : process.argv[at + 1];
}

// ---- one call ------------------------------------------------------------------------------------------------------

interface Side {
  readonly target: Target;
  readonly process: ChildProcess;
  readonly pool: Pool;
  readonly origin: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Load {
  readonly name: string;
  readonly connections: number;
  readonly body: (n: number) => string;
  /** Instead of as fast as it goes. */
  readonly perSecond?: number;
  /** Calls of one slice instead of a time. */
  readonly calls?: number;
}

const question = "lorem ipsum dolor sit amet ".repeat(7);
const asked = (model: string, more: object = {}, content = question) => JSON.stringify({ model, messages: [{ role: "system", content: systemPrompt }, { role: "user", content }], max_tokens: 200, ...more });
const jsonBody = asked("bench");
const slowBody = asked("slow");
const streamBody = asked("bench", { stream: true });
const pacedBody = asked("paced", { stream: true });

/** Turn n of a conversation: everything before is sent again. */
function turn(n: number): string {
  const messages = [{ role: "system", content: systemPrompt }];
  const size = conversationBytes / 40;
  for (let at = 0; at < 39; at += 1) messages.push({ role: at % 2 === 0 ? "user" : "assistant", content: `${at} ${question.repeat(Math.ceil(size / question.length))}`.slice(0, size) });
  messages.push({ role: "user", content: `turn ${n}: ${question}` });
  return JSON.stringify({ model: "bench", messages, max_tokens: 200 });
}

/** Milliseconds to the end of one answer; a wrong status ends the bench, because it would measure something else. */
function one(side: Side, body: string): Promise<number> {
  const begin = performance.now();
  return new Promise((resolve, reject) => {
    side.pool.dispatch({ path: side.path, method: "POST", headers: { "content-type": "application/json", ...side.headers }, body }, {
      onRequestStart: () => undefined,
      onResponseStart: (_controller, status) => {
        if (status !== 200) reject(new Error(`status ${status} from ${side.target}`));
      },
      onResponseData: () => undefined,
      onResponseEnd: () => resolve(performance.now() - begin),
      onResponseError: (_controller, error) => reject(error),
    });
  });
}

// ---- a slice of a load on one side ---------------------------------------------------------------------------------

interface Slice {
  readonly rps: number;
  readonly cpuUs: number;
  readonly p50: number;
  readonly p99: number;
}

async function saturate(side: Side, load: Load, times: number[]): Promise<void> {
  const until = performance.now() + sliceMs;
  let begun = 0;
  const more = () => (load.calls === undefined ? performance.now() < until : begun < load.calls);
  const worker = async () => {
    while (more()) {
      begun += 1;
      times.push(await one(side, load.body(begun)));
    }
  };
  await Promise.all(Array.from({ length: load.connections }, worker));
}

/** Open loop: a slow answer does not delay the next question. */
async function trickle(side: Side, load: Load, times: number[]): Promise<void> {
  const rate = load.perSecond ?? lowRate;
  const begin = performance.now();
  const pending: Promise<unknown>[] = [];
  for (let sent = 0; sent < (sliceMs / 1000) * rate; ) {
    for (; sent < ((performance.now() - begin) / 1000) * rate; sent++) pending.push(one(side, load.body(sent)).then((time) => times.push(time)));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(pending);
}

async function slice(side: Side, load: Load): Promise<Slice> {
  const times: number[] = [];
  const before = await meter(side);
  const begin = performance.now();
  await (load.perSecond === undefined ? saturate(side, load, times) : trickle(side, load, times));
  const seconds = (performance.now() - begin) / 1000;
  const cpu = (await meter(side)).cpu - before.cpu;
  times.sort((a, b) => a - b);
  const at = (part: number) => times[Math.floor(times.length * part)] ?? Number.NaN;
  return { rps: times.length / seconds, cpuUs: cpu / times.length, p50: at(0.5), p99: at(0.99) };
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rounded = (value: number) => Math.round(value * 1000) / 1000;

/** What one raw write with its fdatasync takes here and now: part of what durable evidence has to cost. */
function rawSyncs(folder: string, count: number): readonly number[] {
  const fd = openSync(join(folder, "raw"), "w");
  const data = Buffer.alloc(1024, 1);
  const times = Array.from({ length: count }, () => {
    const begin = performance.now();
    writeSync(fd, data);
    fdatasyncSync(fd);
    return performance.now() - begin;
  });
  closeSync(fd);
  return times;
}

interface Compared {
  readonly slices: Readonly<Record<string, Slice>>;
  /** Ratio of each round's CPU per call to the first side's, its median. */
  readonly cpuRatios: Readonly<Record<string, number>>;
  readonly throughputRatios: Readonly<Record<string, number>>;
}

/** Code that has not run often is interpreted, and whoever does more has more of it. */
const warmCalls = quick ? 1500 : 5000;

async function compare(sides: readonly Side[], load: Load, between: () => void = () => {}): Promise<Compared> {
  const slices = new Map<Target, Slice[]>(sides.map(({ target }) => [target, []]));
  for (const side of sides) await slice(side, { name: "warm", connections: 32, body: load.perSecond === undefined && load.connections < 100 ? load.body : () => jsonBody, calls: load.name === "conversation" ? 100 : warmCalls });
  for (let round = 0; round <= rounds; round++) {
    for (const side of sides) {
      const result = await slice(side, load);
      // The first round only warms up.
      if (round > 0) slices.get(side.target)?.push(result);
    }
    between();
  }
  const [first] = sides;
  const of = (target: Target | undefined) => slices.get(target ?? "bare") ?? [];
  const ratios = (key: "cpuUs" | "rps") =>
    Object.fromEntries(sides.map(({ target }) => [target, rounded(median(of(target).map((it, at) => it[key] / (of(first?.target)[at]?.[key] ?? Number.NaN))))]));
  const middle = Object.fromEntries(sides.map(({ target }) => [target, Object.fromEntries((["rps", "cpuUs", "p50", "p99"] as const).map((key) => [key, rounded(median(of(target).map((it) => it[key])))])) as unknown as Slice]));
  for (const [target, { rps, cpuUs, p50, p99 }] of Object.entries(middle)) {
    console.log(`${load.name.padEnd(13)}${target.padEnd(10)}${rps.toFixed(0).padStart(7)} /s  ${cpuUs.toFixed(0).padStart(6)} us CPU  p50 ${p50.toFixed(2)} ms  p99 ${p99.toFixed(2)} ms`);
  }
  return { slices: middle, cpuRatios: ratios("cpuUs"), throughputRatios: ratios("rps") };
}

// ---- processes -----------------------------------------------------------------------------------------------------

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

function ask<T>(side: Side, question: "meter" | "profile" | "stages"): Promise<T> {
  side.process.send(question);
  return message<T>(side.process);
}

async function meter(side: Side): Promise<Meter> {
  // Portkey does not answer questions: the system does.
  return side.target === "portkey" ? systemMeter(side.process.pid ?? 0) : ask<Meter>(side, "meter");
}

async function systemMeter(pid: number): Promise<Meter> {
  const { readFile } = await import("node:fs/promises");
  const fields = (await readFile(`/proc/${pid}/stat`, "utf8")).split(") ")[1]?.split(" ") ?? [];
  const ticksPerSecond = 100;
  return { cpu: ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1e6, residentMegabytes: Number(fields[21]) / 256 };
}

async function start(target: Target, upstreamOrigin: string): Promise<Side> {
  const process = fork(import.meta.filename, ["--role", target, upstreamOrigin], { execArgv: ["--conditions=source"] });
  const { origin } = await message<{ origin: string }>(process);
  return { target, process, origin, path: callPath, headers: { authorization: `Bearer ${credential}` }, pool: new Pool(origin, { connections: null, pipelining: 1 }) };
}

/** Portkey's own server, told by headers where to go, as its documentation says. */
async function startPortkey(folder: string, upstreamOrigin: string): Promise<Side> {
  const port = 20_000 + Math.floor(Math.random() * 20_000);
  const child = spawn(process.execPath, [join(folder, "node_modules/@portkey-ai/gateway/build/start-server.js"), "--headless", `--port=${port}`], { stdio: "ignore", env: { ...process.env, TRUSTED_CUSTOM_HOSTS: "127.0.0.1,localhost" } });
  const origin = `http://127.0.0.1:${port}`;
  const headers = { authorization: "Bearer key", "x-portkey-provider": "openai", "x-portkey-custom-host": `${upstreamOrigin}/v1` };
  const side: Side = { target: "portkey", process: child, origin, path: "/v1/chat/completions", headers, pool: new Pool(origin, { connections: null, pipelining: 1 }) };
  for (let tries = 0; ; tries += 1) {
    try {
      await one(side, slowBody);
      return side;
    } catch (error) {
      if (tries > 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

async function stop({ process, pool, target }: Side): Promise<void> {
  await pool.destroy();
  if (target === "portkey") process.kill();
  else process.send("stop");
}

// ---- what is measured ----------------------------------------------------------------------------------------------

/** Callers that leave while their calls wait: afterwards the gateway must carry as many calls as before. */
async function leavers(side: Side): Promise<{ readonly before: number; readonly after: number }> {
  const load: Load = { name: "leavers", connections: 32, body: () => jsonBody };
  const before = (await slice(side, load)).rps;
  const { hostname, port } = new URL(side.origin);
  await Promise.all(
    Array.from({ length: 500 }, async () => {
      const request = httpRequest({ hostname, port, path: side.path, method: "POST", headers: { "content-type": "application/json", ...side.headers } });
      request.on("error", () => {});
      request.end(slowBody);
      await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
      request.destroy();
    }),
  );
  return { before: rounded(before), after: rounded((await slice(side, load)).rps) };
}

async function memory(side: Side): Promise<Record<string, number | readonly number[]>> {
  const calls = quick ? 20_000 : 1_000_000;
  const resident: number[] = [];
  for (let part = 0; part < 10; part += 1) {
    await slice(side, { name: "memory", connections: 64, body: () => jsonBody, calls: calls / 10 });
    resident.push((await meter(side)).residentMegabytes);
  }
  const streams = quick ? 200 : 2000;
  let highest = 0;
  const watching = setInterval(() => void meter(side).then(({ residentMegabytes }) => (highest = Math.max(highest, residentMegabytes))), 500);
  await slice(side, { name: "streams", connections: streams, body: () => pacedBody, calls: streams * 3 });
  clearInterval(watching);
  console.log(`memory       ${calls} calls: ${resident.join(" ")} MB; ${streams} streams at once: ${highest} MB`);
  return { calls, residentMegabytesByTenth: resident, streams, residentMegabytesInStreams: highest };
}

async function stagesOf(side: Side): Promise<StageCosts> {
  await ask(side, "profile");
  await slice(side, { name: "stages", connections: 32, body: () => jsonBody });
  const stages = await ask<StageCosts>(side, "stages");
  console.log(`stages       ${Object.entries(stages).map(([stage, share]) => `${stage} ${(share * 100).toFixed(1)} %`).join(", ")}`);
  return stages;
}

interface Sides {
  readonly direct: Side;
  readonly bare: Side;
  readonly digest: Side;
  readonly encrypted: Side;
  readonly telemetry: Side;
  readonly portkey: Side | undefined;
}

interface Measured {
  readonly ratios?: Readonly<Record<string, number | null>>;
  readonly figures: Readonly<Record<string, unknown>>;
}

const measurements: Readonly<Record<string, (sides: Sides) => Promise<Measured>>> = {
  json: async ({ bare, digest, encrypted, telemetry, direct }) => {
    const { cpuRatios, throughputRatios, slices } = await compare([bare, digest, encrypted, telemetry, direct], { name: "json", connections: 32, body: () => jsonBody });
    const ratios = {
      jsonCpuVsBare: cpuRatios["digest"] ?? null,
      jsonCpuEncryptedVsBare: cpuRatios["encrypted"] ?? null,
      jsonCpuTelemetryVsBare: cpuRatios["telemetry"] ?? null,
      jsonThroughputVsBare: throughputRatios["digest"] ?? null,
    };
    return { ratios, figures: { json: slices, stages: await stagesOf(digest) } };
  },
  low: async ({ bare, digest }) => {
    const scratch = mkdtempSync(join(tmpdir(), "licet-raw-"));
    const raw: number[] = [];
    const { slices } = await compare([bare, digest], { name: "low", connections: 0, perSecond: lowRate, body: () => jsonBody }, () => raw.push(...rawSyncs(scratch, 50)));
    rmSync(scratch, { recursive: true, force: true });
    const rawP50 = median(raw);
    const added = (slices["digest"]?.p50 ?? Number.NaN) - (slices["bare"]?.p50 ?? Number.NaN);
    return { ratios: { addedP50MsVsBare: rounded(added), addedP50MsBeyondRawSync: rounded(added - rawP50) }, figures: { low: { ...slices, rawSyncP50Ms: rounded(rawP50) } } };
  },
  stream: async ({ bare, digest }) => {
    const { cpuRatios, slices } = await compare([bare, digest], { name: "stream", connections: 32, body: () => streamBody });
    return { ratios: { streamCpuVsBare: cpuRatios["digest"] ?? null }, figures: { stream: slices } };
  },
  paced: async ({ bare, digest }) => {
    const streams = 200;
    const { cpuRatios, slices } = await compare([bare, digest], { name: "paced", connections: streams, body: () => pacedBody, calls: streams * (quick ? 1 : 2) });
    return { ratios: { pacedStreamCpuVsBare: cpuRatios["digest"] ?? null }, figures: { paced: { ...slices, eventsPerStream: pacedEvents + 3 } } };
  },
  conversation: async ({ bare, digest }) => {
    const turns = Array.from({ length: 64 }, (_, n) => turn(n));
    const { slices } = await compare([bare, digest], { name: "conversation", connections: 4, body: (n) => turns[n % turns.length] ?? "" });
    return { ratios: { conversationTurnCpuMs: rounded((slices["digest"]?.cpuUs ?? Number.NaN) / 1000) }, figures: { conversation: { ...slices, bytes: turns[0]?.length } } };
  },
  portkey: async ({ portkey, digest }) => {
    if (portkey === undefined) return { ratios: { jsonThroughputVsPortkey: null }, figures: { slowUpstream: "portkey is not installed: LICET_BENCH_PORTKEY names no folder" } };
    const { throughputRatios, slices } = await compare([portkey, digest], { name: "slow", connections: 256, body: () => slowBody });
    return { ratios: { jsonThroughputVsPortkey: throughputRatios["digest"] ?? null }, figures: { slowUpstream: slices } };
  },
  leavers: async ({ digest }) => {
    const left = await leavers(digest);
    return { ratios: { throughputAfterLeavers: rounded(left.after / left.before) }, figures: { leavers: left } };
  },
  memory: async ({ digest }) => ({ figures: { memory: await memory(digest) } }),
};

async function main(): Promise<void> {
  const direct = await start("direct", "");
  const own = (target: Target) => start(target, direct.origin);
  const folder = process.env["LICET_BENCH_PORTKEY"];
  const [bare, digest, encrypted, telemetry, portkey] = await Promise.all([own("bare"), own("digest"), own("encrypted"), own("telemetry"), folder === undefined ? undefined : startPortkey(folder, direct.origin)]);
  const sides: Sides = { direct, bare, digest, encrypted, telemetry, portkey };
  const wanted = (name: string) => only?.includes(name) ?? (name !== "memory" || process.argv.includes("--memory"));
  let ratios = {};
  let figures: object = { rounds, sliceMs, node: process.version };
  try {
    for (const [name, measure] of Object.entries(measurements)) {
      const measured: Measured = wanted(name) ? await measure(sides) : { figures: {} };
      ratios = { ...ratios, ...measured.ratios };
      figures = { ...figures, ...measured.figures };
    }
    console.log(JSON.stringify({ bench: "gateway", ratios, figures }));
  } finally {
    await Promise.all(Object.values(sides).filter((side) => side !== undefined).map(stop));
  }
}

const role = process.argv.indexOf("--role");
await (role < 0 ? main() : child(process.argv[role + 1] ?? "", process.argv[role + 2] ?? ""));
