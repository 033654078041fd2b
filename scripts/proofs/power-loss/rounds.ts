import { spawn, type ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { callPath, credential, gatewaySubject, prompt } from "./gateway-subject.ts";
import { type LoopDisk, newLoopDisk } from "./loop-disk.ts";
import { type Finding, pause, type Seen, type Subject } from "./subject.ts";

/** On one file system, so that damage would add up; then the next one is made. */
export const roundsPerDisk = 5;
const callers = 12;
const program = join(import.meta.dirname, "subject-process.ts");
const checkMillisecondsMax = 120_000;

interface Known {
  readonly acknowledged: [string, string][];
  readonly checkpoints: string[];
}

export interface RoundResult {
  readonly acknowledged: number;
  readonly lost: readonly string[];
  readonly wrong: readonly string[];
  readonly unopenable: string | undefined;
}

/** One disk with one subject on it; it goes through several rounds. */
export class Bench {
  readonly #subject: Subject;
  readonly #disk: LoopDisk;
  readonly #seen: Known = { acknowledged: [], checkpoints: [] };
  #rounds = 0;

  constructor(subject: Subject, disk: LoopDisk) {
    this.#subject = subject;
    this.#disk = disk;
  }

  /** Works for so many milliseconds, loses power, and looks at what is left. */
  async round(milliseconds: number): Promise<RoundResult> {
    const directory = join(this.#disk.folder, "subject");
    mkdirSync(directory, { recursive: true });
    const before = this.#seen.acknowledged.length;
    this.#rounds += 1;
    await this.#work(directory, milliseconds);
    await this.#disk.mount();
    mkdirSync(directory, { recursive: true });
    const finding = await this.#check(directory);
    return { acknowledged: this.#seen.acknowledged.length - before, ...finding };
  }

  dispose(): Promise<void> {
    return this.#disk.dispose();
  }

  async #work(directory: string, milliseconds: number): Promise<void> {
    const upstream = await startUpstream(() => this.#seen.acknowledged.push(["upstream", "call"]));
    const worker = spawn(process.execPath, ["--conditions=source", program, "work", this.#subject.name, directory, `r${this.#rounds}`, originOf(upstream)], { stdio: ["ignore", "pipe", "pipe"] });
    const ended = new Promise((resolve) => worker.on("close", resolve));
    const calling = { over: false };
    try {
      const origin = await this.#listen(worker);
      const calls = this.#subject === gatewaySubject ? this.#call(origin, calling) : Promise.resolve();
      const cut = await this.#disk.arm();
      await pause(milliseconds);
      // As a machine does: the program stands still, what the kernel has begun is torn, and nothing is acknowledged after
      // it. Without this, a sync that began before the cut can answer after it, and says "synced" to a live program.
      worker.kill("SIGSTOP");
      await cut();
      calling.over = true;
      worker.kill("SIGKILL");
      await Promise.all([calls, ended]);
    } finally {
      worker.kill("SIGKILL");
      await ended;
      upstream.closeAllConnections();
      upstream.close();
    }
  }

  /** Keeps what the worker tells; resolves with the rest of its first line. */
  #listen(worker: ChildProcess): Promise<string> {
    return new Promise((resolve, reject) => {
      let [rest, complaint] = ["", ""];
      worker.stderr?.on("data", (data: Buffer) => (complaint += data.toString()));
      worker.stdout?.on("data", (data: Buffer) => {
        const lines = `${rest}${data.toString()}`.split("\n");
        rest = lines.pop() ?? "";
        for (const line of lines) {
          const [what, first = "", second = ""] = line.split(" ");
          if (what === "ready") resolve(first);
          else if (what === "a") this.#seen.acknowledged.push([first, second]);
          else this.#seen.checkpoints.push(Buffer.from(first, "base64").toString());
        }
      });
      worker.on("close", () => reject(new Error(`the subject ended before it was ready: ${complaint.slice(0, 2000)}`)));
    });
  }

  async #call(origin: string, calling: { readonly over: boolean }): Promise<void> {
    const messages = [{ role: "system", content: prompt }, { role: "user", content: "My printer is on fire." }];
    const body = JSON.stringify({ model: "chat", messages });
    const headers = { authorization: `Bearer ${credential}`, "content-type": "application/json" };
    const caller = async () => {
      while (!calling.over) {
        const response = await fetch(origin + callPath, { method: "POST", headers, body }).catch(() => undefined);
        const decision = response?.headers.get("x-licet-decision");
        await response?.arrayBuffer().catch(() => 0);
        if (decision) this.#seen.acknowledged.push(["decision", decision]);
        if (!response?.ok) await pause(20);
      }
    };
    await Promise.all(Array.from({ length: callers }, caller));
  }

  async #check(directory: string): Promise<Omit<RoundResult, "acknowledged">> {
    // Not on the disk that is looked at.
    const file = `${this.#disk.folder}.seen`;
    const { acknowledged, checkpoints } = this.#seen;
    writeFileSync(file, JSON.stringify({ acknowledged, checkpoints: someOf(checkpoints) } satisfies Seen));
    const checker = spawn(process.execPath, ["--conditions=source", program, "check", this.#subject.name, directory, file], { stdio: ["ignore", "pipe", "inherit"], timeout: checkMillisecondsMax, killSignal: "SIGKILL" });
    let output = "";
    checker.stdout.on("data", (data: Buffer) => (output += data.toString()));
    await new Promise((resolve) => checker.on("close", resolve));
    const answer: Finding | { readonly unopenable: string } = JSON.parse(output || '{"unopenable":"the checking process ended without an answer"}');
    if ("unopenable" in answer) return { lost: acknowledged.map(([key]) => key), wrong: [], unopenable: answer.unopenable };
    return { ...answer, unopenable: undefined };
  }
}

/** The newest and some of the older ones: each costs a consistency proof. */
function someOf(notes: readonly string[]): readonly string[] {
  const step = Math.max(1, Math.floor(notes.length / 100));
  return notes.filter((_, at) => at % step === 0 || at >= notes.length - 20);
}

export async function newBench(subject: Subject): Promise<Bench> {
  return new Bench(subject, await newLoopDisk());
}

/** The provider: it counts what it received, on a disk that keeps its power. */
function startUpstream(received: () => void): Promise<Server> {
  const answer = JSON.stringify({ id: "chatcmpl-power", object: "chat.completion", created: 1_795_000_000, model: "power", choices: [{ index: 0, message: { role: "assistant", content: "Leave the room." }, finish_reason: "stop" }], usage: { prompt_tokens: 10, completion_tokens: 4, total_tokens: 14 } });
  const server = createServer((request, response) => {
    received();
    request.resume();
    request.on("end", () => response.writeHead(200, { "content-type": "application/json" }).end(answer));
  });
  return new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(server)));
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
