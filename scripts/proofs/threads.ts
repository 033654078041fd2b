import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";

export interface Threads<Task, Told> {
  /** The file that runs: it answers every message with one. */
  readonly script: URL;
  /** What is to be done next; undefined when there is nothing more. */
  readonly next: () => Task | undefined;
  readonly told: (told: Told) => void;
}

/** Works in as many threads as there are processors, each given the next task whenever it has finished one. Rejects when a thread dies. */
export async function inThreads<Task, Told>(given: Threads<Task, Told>): Promise<void> {
  await Promise.all(Array.from({ length: availableParallelism() }, async () => inOne(given)));
}

function inOne<Task, Told>({ script, next, told }: Threads<Task, Told>): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(script, { execArgv: ["--conditions=source"] });
    const goOn = () => {
      const task = next();
      if (task === undefined) void worker.terminate().then(() => resolve());
      // A port of a thread: unlike a window's it has no origin to name.
      // oxlint-disable-next-line unicorn/require-post-message-target-origin
      else worker.postMessage(task);
    };
    worker.on("message", (message: Told) => {
      told(message);
      goOn();
    });
    worker.on("error", reject);
    goOn();
  });
}
