import { Worker } from "node:worker_threads";
import { workerConditions } from "./compile.ts";
import type { PolicyDecision } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import type { SampledBundle, SampleRequest, SampleResponse } from "./sample-worker.ts";

interface Waiting {
  readonly resolve: (decision: PolicyDecision) => void;
  readonly reject: (error: Error) => void;
  readonly timer: NodeJS.Timeout;
}

interface Thread {
  readonly worker: Worker;
  /** Digests of the bundles that it holds. */
  readonly bundles: Set<string>;
  readonly waiting: Map<number, Waiting>;
}

const decisionMsMax = 10_000;
const bundlesMax = 16;

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts") ? new URL("./sample-worker.ts", import.meta.url) : new URL("./sample-worker.js", import.meta.url);
}

/** cedar-wasm in a thread of its own. A thread that was lost, or holds too many bundles, is followed by a new one. */
export class JudgeThread {
  #thread: Thread | undefined;
  #count = 0;

  /** How many requests wait for their answer. */
  get waiting(): number {
    return this.#thread?.waiting.size ?? 0;
  }

  /** Rejects when the thread is lost or takes too long. */
  async decide(bundle: SampledBundle, request: PolicyRequest): Promise<PolicyDecision> {
    const thread = this.#ready(bundle.digest);
    const id = ++this.#count;
    const known = thread.bundles.has(bundle.digest);
    thread.bundles.add(bundle.digest);
    const message: SampleRequest = { id, digest: bundle.digest, request: plain(request), ...(known ? {} : { bundle: { digest: bundle.digest, schema: bundle.schema, schemaJson: bundle.schemaJson, policies: bundle.policies } }) };
    const answer = new Promise<PolicyDecision>((resolve, reject) => {
      const timer = setTimeout(() => this.#lose(thread, new Error("cedar-wasm did not answer in time")), decisionMsMax);
      thread.waiting.set(id, { resolve, reject, timer });
    });
    thread.worker.ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    thread.worker.postMessage(message);
    const decision = await answer;
    // The engine itself failed: after a stack overflow the instance is lost.
    if (decision.errors.some(({ policy }) => policy === "engine")) this.#lose(thread, new Error("cedar-wasm failed"));
    return decision;
  }

  async close(): Promise<void> {
    const thread = this.#thread;
    if (thread === undefined) return;
    this.#lose(thread, new Error("the thread was closed"));
    await thread.worker.terminate();
  }

  #ready(digest: string): Thread {
    const now = this.#thread;
    if (now !== undefined && (now.bundles.has(digest) || now.bundles.size < bundlesMax)) return now;
    if (now !== undefined) this.#lose(now, new Error("the thread was replaced"));
    const worker = new Worker(workerFile(), { execArgv: workerConditions(), name: "policy-judge", resourceLimits: { maxOldGenerationSizeMb: 256 } });
    const thread: Thread = { worker, bundles: new Set(), waiting: new Map() };
    worker.on("message", (response: SampleResponse) => answered(thread, response));
    worker.on("error", (error: unknown) => this.#lose(thread, error instanceof Error ? error : new Error("the thread failed")));
    worker.on("exit", () => this.#lose(thread, new Error("the thread ended")));
    worker.unref();
    this.#thread = thread;
    return thread;
  }

  #lose(thread: Thread, error: Error): void {
    if (this.#thread === thread) this.#thread = undefined;
    for (const { reject, timer } of thread.waiting.values()) {
      clearTimeout(timer);
      reject(error);
    }
    thread.waiting.clear();
    void thread.worker.terminate();
  }
}

function answered({ worker, waiting }: Thread, { id, decision }: SampleResponse): void {
  const found = waiting.get(id);
  if (found === undefined) return;
  clearTimeout(found.timer);
  waiting.delete(id);
  if (waiting.size === 0) worker.unref();
  found.resolve(decision);
}

/** Only what a decision is made of: a caller's object may hold more, and functions cannot be sent. */
function plain({ principal, action, resource, context, entities }: PolicyRequest): PolicyRequest {
  return { principal, action, resource, context, entities };
}

