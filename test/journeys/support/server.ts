import { spawn, type ChildProcess } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bare, examples, launcher, type Environment } from "./run.ts";

const startMsMax = 20_000;

/** A temporary folder that is gone when the file's tests are over. */
export function temporaryFolder(): { readonly path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "licet-journey-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A program that stays up, with everything it has said so far. */
export interface Started {
  readonly pid: number;
  said(): string;
  readonly ended: Promise<Ended>;
  signal(name: NodeJS.Signals): Promise<Ended>;
}

function follow(child: ChildProcess): Started {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on("data", (chunk: Buffer) => {
      text += chunk.toString("utf8");
    });
  }
  const ended = new Promise<Ended>((resolve) => {
    child.once("close", (code, signal) => resolve({ code, signal }));
  });
  return {
    pid: child.pid ?? -1,
    said: () => text,
    ended,
    signal: (name) => {
      child.kill(name);
      return ended;
    },
  };
}

async function untilSays(started: Started, pattern: RegExp): Promise<void> {
  const deadline = performance.now() + startMsMax;
  let over = false;
  void started.ended.then(() => {
    over = true;
  });
  while (!pattern.test(started.said())) {
    if (over || performance.now() > deadline) {
      await started.signal("SIGKILL");
      throw new Error(`did not start: ${started.said()}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export interface Simulator extends Started {
  readonly baseUrl: string;
  /** Requests for an answer that have reached it. */
  requests(): Promise<number>;
}

/** The example's labelled simulator, as its own process. */
export async function startSimulator(): Promise<Simulator> {
  const child = spawn(process.execPath, [join(examples, "helpdesk-assistant/simulator.ts")], { env: bare({ PORT: "0" }), stdio: ["ignore", "pipe", "pipe"] });
  const started = follow(child);
  await untilSays(started, /http:\S+\/v1/u);
  const baseUrl = /http:\S+\/v1/u.exec(started.said())?.[0] ?? "";
  return {
    ...started,
    baseUrl,
    async requests() {
      const response = await fetch(new URL("/stats", baseUrl));
      const body = (await response.json()) as { requests: number };
      return body.requests;
    },
  };
}

export interface Place {
  readonly dir: string;
  readonly keys: string;
  readonly port: number;
  readonly dataPort: number;
}

export async function newPlace(folder: string): Promise<Place> {
  return { dir: join(folder, "data"), keys: join(folder, "keys"), port: await freePort(), dataPort: await freePort() };
}

export function serveArguments(place: Place): readonly string[] {
  return [launcher, "serve", "--dir", place.dir, "--keys", place.keys, "--port", String(place.port), "--data-port", String(place.dataPort)];
}

export interface Server extends Started {
  readonly place: Place;
  readonly url: string;
  readonly dataUrl: string;
  readonly fingerprint: string;
  readonly logKey: string;
  readonly setupUrl: string | undefined;
}

function printed(text: string, label: string): string {
  return new RegExp(`^ +${label} +(\\S+)$`, "mu").exec(text)?.[1] ?? "";
}

/** Starts the built server and reads from its printed lines what a person would. */
export async function startServer(place: Place, env: Environment = {}): Promise<Server> {
  const child = spawn(process.execPath, serveArguments(place), { env: bare(env), stdio: ["ignore", "pipe", "pipe"] });
  const started = follow(child);
  await untilSays(started, /Ctrl-C stops it/u);
  const text = started.said();
  return {
    ...started,
    place,
    url: printed(text, "page"),
    dataUrl: printed(text, "data plane"),
    fingerprint: printed(text, "trust fingerprint"),
    logKey: printed(text, "log key"),
    setupUrl: /^ +(http:\S+\/setup#token=\S+)$/mu.exec(text)?.[1],
  };
}
