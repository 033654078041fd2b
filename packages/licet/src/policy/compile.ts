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

type ThreadEnd = { readonly kind: "answer"; readonly answer: CompileAnswer } | { readonly kind: "failed"; readonly message: string; readonly cause?: unknown };

interface Thread {
  readonly worker: Worker;
  readonly heapMbMax: number;
  compilations: number;
  /** Told how the compilation under way ended; while the thread waits, only that it is gone. */
  tell: (end: ThreadEnd) => void;
  idle: NodeJS.Timeout | undefined;
}

/** A thread that has answered is warm, which is half of what a small bundle takes; it ends when nobody asks. */
const idleMilliseconds = 5000;
const compilationsMax = 20;

/** Owned by `threadFor` and `rest`: at most one thread waits. */
let waiting: Thread | undefined;

function threadFor(heapMbMax: number): Thread {
  const thread = waiting;
  if (thread === undefined || thread.heapMbMax !== heapMbMax) return newThread(heapMbMax);
  waiting = undefined;
  clearTimeout(thread.idle);
  thread.worker.ref();
  return thread;
}

function newThread(heapMbMax: number): Thread {
  const worker = new Worker(workerFile(), { execArgv: workerConditions(), name: "compile-policies", resourceLimits: { maxOldGenerationSizeMb: heapMbMax } });
  const thread: Thread = { worker, heapMbMax, compilations: 0, tell: () => undefined, idle: undefined };
  worker.on("message", (answer: CompileAnswer) => thread.tell({ kind: "answer", answer }));
  worker.on("error", (cause) => thread.tell({ kind: "failed", message: "the compiler did not survive the policies", cause }));
  worker.on("exit", () => thread.tell({ kind: "failed", message: "the compiler ended without an answer" }));
  return thread;
}

/** Nothing of a thread that waits keeps the process alive. */
function rest(thread: Thread): void {
  const gone = () => {
    clearTimeout(thread.idle);
    if (waiting === thread) waiting = undefined;
    void thread.worker.terminate();
  };
  thread.compilations++;
  thread.tell = gone;
  if (waiting !== undefined || thread.compilations >= compilationsMax) return gone();
  thread.worker.unref();
  thread.idle = setTimeout(gone, idleMilliseconds).unref();
  waiting = thread;
}

function answerOf(order: CompileOrder, { timeMsMax, heapMbMax }: CompileLimits): Promise<CompileAnswer> {
  return new Promise((resolve, reject) => {
    const thread = threadFor(heapMbMax);
    const timer = setTimeout(() => {
      thread.tell({ kind: "failed", message: `the policies were not compiled within ${timeMsMax} milliseconds` });
      void thread.worker.terminate();
    }, timeMsMax);
    thread.tell = (end) => {
      clearTimeout(timer);
      thread.tell = () => undefined;
      if (end.kind === "failed") return reject(new LicetError("policy_too_deep", { message: end.message, cause: end.cause }));
      rest(thread);
      resolve(end.answer);
    };
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
    thread.worker.postMessage(order);
  });
}
