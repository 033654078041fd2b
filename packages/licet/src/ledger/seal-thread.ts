import type { KeyObject } from "node:crypto";
import { Worker } from "node:worker_threads";
import { type PayloadJob, type SealedPayload, sealPayload } from "./seal-payload.ts";
import type { SealRequest, SealResponse } from "./seal-worker.ts";

interface Waiting {
  readonly job: PayloadJob;
  readonly resolve: (sealed: SealedPayload) => void;
  readonly reject: (error: Error) => void;
}

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts") ? new URL("./seal-worker.ts", import.meta.url) : new URL("./seal-worker.js", import.meta.url);
}

/** So many at once are worth the way to another thread; fewer are sealed sooner here. */
const burstMin = 24;
/** A full group leaves at once, so that both threads work while a burst goes on. */
const groupMax = 32;
const textCharsMax = 64 * 1024;

function packed(id: number, jobs: readonly PayloadJob[]): SealRequest {
  const keys: KeyObject[] = [];
  const keyOf: number[] = [];
  const ends: number[] = [];
  // Three bytes are the most that a character takes in the names.
  const bytes = Buffer.allocUnsafeSlow(jobs.reduce((sum, job) => sum + 3 * (job.id.length + job.place.length + 1) + job.textBytes, 0));
  let end = 0;
  for (const job of jobs) {
    const known = keys.indexOf(job.key);
    keyOf.push(known < 0 ? keys.push(job.key) - 1 : known);
    const name = end + bytes.write(job.id, end);
    const bound = name + bytes.write(`\n${job.place}`, name);
    end = bound + bytes.write(job.text, bound);
    ends.push(name, bound, end);
  }
  return { id, keys, keyOf, bytes, ends };
}

/** Seals while the event loop does other work. It keeps the process alive only while it has something to do. */
class SealThread {
  readonly #worker: Worker;
  readonly #sent = new Map<number, readonly Waiting[]>();
  #gathered: Waiting[] = [];
  #count = 0;
  #failure: Error | undefined;

  constructor() {
    this.#worker = new Worker(workerFile(), { execArgv: [], name: "seal", resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 8 } });
    this.#worker.on("message", (response: SealResponse) => this.#receive(response));
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("the thread that seals payloads has ended")));
  }

  get ended(): boolean {
    return this.#failure !== undefined;
  }

  seal(job: PayloadJob): Promise<SealedPayload> {
    return new Promise((resolve, reject) => {
      if (this.#gathered.push({ job, resolve, reject }) >= groupMax) this.flush();
    });
  }

  flush(): void {
    const waiting = this.#gathered;
    if (waiting.length === 0) return;
    this.#gathered = [];
    if (this.#failure) {
      for (const { reject } of waiting) reject(this.#failure);
      return;
    }
    const id = ++this.#count;
    const request = packed(id, waiting.map(({ job }) => job));
    this.#sent.set(id, waiting);
    this.#worker.ref();
    this.#worker.postMessage(request, [request.bytes.buffer]);
  }

  #receive({ id, payloads, ends, hashes }: SealResponse): void {
    const waiting = this.#sent.get(id) ?? [];
    this.#sent.delete(id);
    if (this.#sent.size === 0) this.#worker.unref();
    let from = 0;
    for (const [at, end] of ends.entries()) {
      waiting[at]?.resolve({ payload: payloads.subarray(from, end), digest: hashes[2 * at] ?? "", commit: hashes[2 * at + 1] ?? "" });
      from = end;
    }
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of [...this.#sent.values()].flat()) reject(error);
    this.#sent.clear();
    this.flush();
  }
}

let thread: SealThread | undefined;
let calls = 0;
let burst = 0;

/** Once in each turn of the event loop that seals anything. */
function turn(): void {
  burst = calls;
  calls = 0;
  thread?.flush();
}

/** Here, or, when many come at once, in a thread of its own. */
export function sealSoon(job: PayloadJob): SealedPayload | Promise<SealedPayload> {
  if (calls === 0) setImmediate(turn);
  calls += 1;
  if (Math.max(burst, calls) < burstMin || job.text.length > textCharsMax) return sealPayload(job);
  if (thread === undefined || thread.ended) thread = new SealThread();
  return thread.seal(job);
}
