import { Worker } from "node:worker_threads";
import type { ReplaceRequest, ReplaceResponse } from "./replace-worker.ts";

export type NewFile = ReplaceRequest["files"][number];

interface Waiting {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts") ? new URL("./replace-worker.ts", import.meta.url) : new URL("./replace-worker.js", import.meta.url);
}

/**
 * A thread for files by the hundred. Five trips to the thread pool for each would make a busy event loop the bottleneck
 * of publishing, and would take the pool from the journal. It keeps the process alive only while it works.
 */
class FileThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #sent = 0;
  #ended = false;

  constructor() {
    this.#worker = new Worker(workerFile(), { execArgv: [], name: "files", resourceLimits: { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 4 } });
    this.#worker.on("message", ({ id, failure }: ReplaceResponse) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (this.#waiting.size === 0) this.#worker.unref();
      if (failure) waiting?.reject(Object.assign(new Error(failure.message), { code: failure.code }));
      else waiting?.resolve();
    });
    this.#worker.on("error", (error: Error) => this.#fail(error));
    this.#worker.on("exit", () => this.#fail(new Error("the thread that writes files has ended")));
  }

  get ended(): boolean {
    return this.#ended;
  }

  replace(files: readonly NewFile[]): Promise<void> {
    const id = ++this.#sent;
    this.#worker.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
      this.#worker.postMessage({ id, files } satisfies ReplaceRequest);
    });
  }

  #fail(error: Error): void {
    this.#ended = true;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

let thread: FileThread | undefined;

/** Each file whole and durable under its name when it resolves; the caller syncs the folders. */
export function replaceInThread(files: readonly NewFile[]): Promise<void> {
  if (thread === undefined || thread.ended) thread = new FileThread();
  return thread.replace(files);
}
