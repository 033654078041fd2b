/**
 * The processes of bench:gateway: the provider (direct), a proxy that only forwards (bare), and the gateway with all
 * governance on and its record on a real disk (ours, in several content modes).
 */
import { createHash } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type ServerResponse } from "node:http";
import { Session } from "node:inspector/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { AddressInfo } from "node:net";
import type { ContentModes } from "@licet/contract";
import { Pool } from "undici";
import { systemClock } from "../packages/licet/src/base/clock.ts";
import { createBudgets } from "../packages/licet/src/gateway/budgets/budgets.ts";
import { packagedTables, priceBook } from "../packages/licet/src/gateway/budgets/price-tables.ts";
import { openTelemetry } from "../packages/licet/src/gateway/observe/telemetry.ts";
import { createGateway } from "../packages/licet/src/gateway/serve.ts";
import { snapshotHolder, type DeploymentView } from "../packages/licet/src/gateway/snapshot.ts";
import { builtinBundle } from "../packages/licet/src/policy/bundle.ts";
import { createDecider } from "../packages/licet/src/policy/decide.ts";
import { openRecordKeeping } from "../packages/licet/src/server/record-keeping.ts";
import { stageCosts, type StageCosts } from "./gateway-stages.ts";

export const credential = "lic_bench_0123456789";
export const systemPrompt = "You answer questions of our staff.";
export const callPath = "/openai/v1/chat/completions";
/** The provider waits so long before it answers a call to the model `slow`. */
export const slowMs = 20;
/** Between two events of a call to the model `paced`. */
export const pacedMs = 20;
export const pacedEvents = 50;

/** `telemetry`: as digest, with metrics counted and spans sent to a collector. */
export type OursMode = "digest" | "encrypted" | "telemetry";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
const words = "turn it off and on again then wait ten seconds before you try once more and call the help desk if it stays ".split(" ");
const base = { id: "chatcmpl-bench", created: 1_795_000_000, model: "bench" };
const usage = { prompt_tokens: 42, completion_tokens: 50, total_tokens: 92 };
const content = Array.from({ length: 150 }, (_, i) => words[i % words.length]).join(" ");
const answer = JSON.stringify({ ...base, object: "chat.completion", choices: [{ index: 0, message: { role: "assistant", content }, finish_reason: "stop" }], usage });
const chunk = (choices: readonly unknown[], more: object = {}) => `data: ${JSON.stringify({ ...base, object: "chat.completion.chunk", choices, ...more })}\n\n`;
const events = [
  ...Array.from({ length: pacedEvents }, (_, i) => chunk([{ index: 0, delta: { content: `${words[i % words.length]} ` }, finish_reason: null }])),
  chunk([{ index: 0, delta: {}, finish_reason: "stop" }]),
  chunk([], { usage }),
  "data: [DONE]\n\n",
];

function burst(response: ServerResponse): void {
  let i = 0;
  const step = () => {
    response.write(events[i] ?? "");
    i += 1;
    if (i === events.length) response.end();
    else setImmediate(step);
  };
  step();
}

/** One clock for all streams: a timer of each one's own would be the simulator's own cost. */
const paced = new Map<ServerResponse, number>();
function beat(): void {
  for (const [response, at] of paced) {
    response.write(events[at] ?? "");
    if (at + 1 === events.length || response.destroyed) {
      paced.delete(response);
      response.end();
    } else paced.set(response, at + 1);
  }
}

export function upstream(): RequestListener {
  setInterval(beat, pacedMs);
  return (request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (data: Buffer) => chunks.push(data));
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      if (body.includes('"stream":true')) {
        response.writeHead(200, { "content-type": "text/event-stream" });
        if (body.includes('"model":"paced"')) paced.set(response, 0);
        else burst(response);
        return;
      }
      const say = () => {
        response.writeHead(200, { "content-type": "application/json", "content-length": answer.length });
        response.end(answer);
      };
      if (body.includes('"model":"slow"')) setTimeout(say, slowMs);
      else say();
    });
  };
}

/** What any proxy has to do, and nothing else. */
export function bare(upstreamOrigin: string): RequestListener {
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
  const model = (name: string) => ({ name, provider: "upstream", model: name, bounds: { temperature: { max: 1 } } });
  return {
    id: "dep_bench",
    space: "main",
    system: "bench",
    active: true,
    tier: "minimal",
    ...standing,
    models: ["bench", "slow", "paced"].map(model),
    prompts: [{ name: "system", role: "system", digest: `sha256:${sha256(systemPrompt)}` }],
    tools: [],
    boundary: { classes: ["public", "internal"], regions: ["eu"] },
    // Wide enough for any run, and counted all the same.
    budgets: { release: { tokensPerDay: 900_000_000_000, requestsPerMinute: 10_000_000, concurrency: 100_000 } },
    ato: { id: "ato_bench", state: "granted", notBefore: Date.now() - 3_600_000, notAfter: Date.now() + 36_000_000, entry: "ent_bench", ...standing },
  };
}

function modesOf(mode: OursMode): ContentModes {
  const each = mode === "encrypted" ? "encrypted" : "digest";
  return { public: each, internal: each, confidential: each, personal: each, special: each };
}

/** The real record, policies and gateway over a directory of its own; only the standing is made up. */
export async function ours(upstreamOrigin: string, mode: OursMode): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "licet-bench-"));
  const record = await openRecordKeeping({ directory: join(directory, "data"), keysDirectory: join(directory, "keys"), clock: systemClock });
  const decider = createDecider(builtinBundle());
  const snapshots = snapshotHolder(systemClock);
  const expiresAt = Date.now() + 36_000_000;
  snapshots.publish({
    version: 1,
    credentials: [{ id: "cred_bench", space: "main", digest: sha256(credential), expiresAt, revokedAt: null, deployment: deployment() }],
    spaces: [
      {
        space: "main",
        holds: [],
        providers: [{ id: "upstream", baseUrl: `${upstreamOrigin}/v1`, region: "eu", vendor: "bench", keyRef: "main/upstream", allow: ["loopback"] }],
        policyBundle: { digest: decider.bundle.digest, decide: async (request) => decider.decide({ ...request }) },
        contentModes: modesOf(mode),
      },
    ],
  });
  const renewing = setInterval(() => snapshots.renew(1), 100);
  const telemetry = openTelemetry({ clock: systemClock, instance: "bench", scraped: mode === "telemetry", onFailure: failed, ...(mode === "telemetry" && { otlpEndpoint: upstreamOrigin }) });
  const budgets = createBudgets({ prices: priceBook(packagedTables()), now: Date.now() });
  const gateway = createGateway({ clock: systemClock, ledger: record.recorder, snapshots, budgets, observer: telemetry.observer, providerKey: async () => "key", gateway: `gw_${process.pid}`, onFailure: failed });
  onStop(async () => {
    clearInterval(renewing);
    await gateway.close(0);
    await telemetry.close();
    await record.close();
    await rm(directory, { recursive: true, force: true });
  });
  return gateway.listen({ host: "127.0.0.1", port: 0 });
}

function failed(error: unknown): void {
  console.error(error instanceof Error ? error.message : error);
}

function serve(listener: RequestListener): Promise<string> {
  const server = createServer({ keepAliveTimeout: 65_000 }, listener);
  onStop(async () => server.closeAllConnections());
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)));
}

function onStop(stop: () => Promise<void>): void {
  process.on("message", (message) => {
    if (message === "stop") void stop().finally(() => process.exit(0));
  });
}

/** What a process of the bench answers to the driver. */
export interface Meter {
  /** Microseconds of CPU since it began. */
  readonly cpu: number;
  readonly residentMegabytes: number;
}

async function profiled(session: Session, step: "start" | "stop"): Promise<StageCosts | undefined> {
  if (step === "start") {
    session.connect();
    await session.post("Profiler.enable");
    await session.post("Profiler.setSamplingInterval", { interval: 200 });
    await session.post("Profiler.start");
    return undefined;
  }
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  return stageCosts(profile);
}

/** Runs as one side and answers the driver's questions. */
export async function child(role: string, upstreamOrigin: string): Promise<void> {
  const session = new Session();
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    if (message === "meter") {
      const { user, system } = process.cpuUsage();
      const meter: Meter = { cpu: user + system, residentMegabytes: Math.round(process.memoryUsage.rss() / 1024 / 1024) };
      process.send?.(meter);
    } else if (message === "profile") void profiled(session, "start").then(() => process.send?.({}));
    else if (message === "stages") void profiled(session, "stop").then((stages) => process.send?.(stages ?? {}));
  });
  const origin = await originOf(role, upstreamOrigin);
  process.send?.({ origin });
}

function originOf(role: string, upstreamOrigin: string): Promise<string> {
  if (role === "direct") return serve(upstream());
  return role === "bare" ? serve(bare(upstreamOrigin)) : ours(upstreamOrigin, role === "encrypted" || role === "telemetry" ? role : "digest");
}
