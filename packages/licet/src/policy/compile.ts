import { Worker } from "node:worker_threads";
import { LicetError, type ErrorCode } from "@licet/contract";
import type { Bundle } from "./bundle-form.ts";
import { builtinBundle, builtinSource } from "./builtin.ts";
import type { Composed } from "./compose.ts";
import type { ComposeSource } from "./compose-source.ts";
import { capPacks } from "./caps.ts";
import type { PackSource } from "./pack.ts";

/** What comes back from compile-worker.ts. */
export type CompileAnswer = ({ readonly kind: "composed" } & Composed) | { readonly kind: "refused"; readonly code: ErrorCode; readonly message: string; readonly at: Readonly<Record<string, unknown>> };

/** What goes to compile-worker.ts. */
export interface CompileOrder {
  readonly source: ComposeSource;
  readonly known: Bundle | undefined;
}

export interface CompileLimits {
  readonly timeMsMax: number;
  readonly heapMbMax: number;
}

export interface CompileOptions {
  readonly limits?: CompileLimits;
  /** The installation's own bundle; see `ComposeOptions`. */
  readonly known?: Bundle;
}

const limitsDefault: CompileLimits = { timeMsMax: 120_000, heapMbMax: 1024 };

/** The bundle of the installation's packs and these; throws what `composePacks` throws. */
export async function compileBundle({ packs }: { readonly packs: readonly PackSource[] }): Promise<Bundle> {
  return packs.length === 0 ? builtinBundle() : (await composePacks({ packs })).bundle;
}

/**
 * The same with the warnings of its lints. Throws `policy_invalid`, `policy_annotation`, `policy_pack_rule`,
 * `scenario_failed`, `pack_malformed`, with `at.findings` where findings led to it, and `policy_too_deep` for text that
 * the parser could not bear or that took too long.
 */
export async function composePacks({ packs }: { readonly packs: readonly PackSource[] }): Promise<Composed> {
  return composeInWorker({ ...builtinSource(), packs }, { known: builtinBundle() });
}

/** In a thread: a parser that overflowed its stack, ran out of memory or does not come back is lost, and only it. */
export async function composeInWorker(source: ComposeSource, { limits = limitsDefault, known }: CompileOptions = {}): Promise<Composed> {
  capPacks({ schema: source.schema, packs: [...source.builtin, ...source.packs] });
  const answer = await answerOf({ source, known }, limits);
  if (answer.kind === "refused") throw new LicetError(answer.code, { message: answer.message, at: answer.at });
  return { bundle: answer.bundle, warnings: answer.warnings };
}

/** Beside this file both in the sources and in the flat folder of the bundle. */
function workerFile(): URL {
  return import.meta.url.endsWith(".ts") ? new URL("./compile-worker.ts", import.meta.url) : new URL("./compile-worker.js", import.meta.url);
}

/** A process that runs the sources runs them in its threads too; a program that started it may have given more than that. */
export function workerConditions(): string[] {
  const given = process.execArgv.flatMap((each, index, all) => (each.startsWith("--conditions=") ? [each.slice("--conditions=".length)] : each === "--conditions" ? [all[index + 1] ?? ""] : []));
  return given.includes("source") ? ["--conditions=source"] : [];
}

interface Thread {
  readonly worker: Worker;
  readonly heapMbMax: number;
  compilations: number;
  end: NodeJS.Timeout | undefined;
}

/** A thread that has answered is warm, which is half of what a small bundle takes; it ends when nobody asks. */
const idleMilliseconds = 5000;
const compilationsMax = 20;

/** Owned by `answerOf`: at most one thread waits. */
let waiting: Thread | undefined;

function threadFor(heapMbMax: number): Thread {
  const thread = waiting;
  if (thread === undefined || thread.heapMbMax !== heapMbMax) {
    const worker = new Worker(workerFile(), { execArgv: workerConditions(), name: "compile-policies", resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
    return { worker, heapMbMax, compilations: 0, end: undefined };
  }
  waiting = undefined;
  clearTimeout(thread.end);
  thread.worker.removeAllListeners();
  thread.worker.ref();
  return thread;
}

/** Nothing of a thread that waits keeps the process alive. */
function rest(thread: Thread): void {
  const { worker } = thread;
  worker.removeAllListeners();
  const gone = () => {
    clearTimeout(thread.end);
    if (waiting === thread) waiting = undefined;
    void worker.terminate();
  };
  if (waiting !== undefined || thread.compilations >= compilationsMax) return gone();
  worker.once("error", gone).once("exit", gone).unref();
  thread.end = setTimeout(gone, idleMilliseconds).unref();
  waiting = thread;
}

function answerOf(order: CompileOrder, { timeMsMax, heapMbMax }: CompileLimits): Promise<CompileAnswer> {
  return new Promise((resolve, reject) => {
    const thread = threadFor(heapMbMax);
    const { worker } = thread;
    const fail = (message: string, cause?: unknown) => {
      clearTimeout(timer);
      reject(new LicetError("policy_too_deep", { message, cause }));
    };
    const timer = setTimeout(() => {
      fail(`the policies were not compiled within ${timeMsMax} milliseconds`);
      void worker.terminate();
    }, timeMsMax);
    worker.once("message", (answer: CompileAnswer) => {
      clearTimeout(timer);
      thread.compilations++;
      rest(thread);
      resolve(answer);
    });
    worker.once("error", (cause) => fail("the compiler did not survive the policies", cause));
    worker.once("exit", () => fail("the compiler ended without an answer"));
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    worker.postMessage(order);
  });
}
