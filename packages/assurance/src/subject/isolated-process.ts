import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { isErrorCode, LicetError } from "@licet/contract";
import { z } from "zod";
import type { Rows, Scores } from "./probe.ts";
import { failed } from "./subject.ts";

export interface IsolationLimits {
  /** Memory of the whole process. Measured where the operating system tells; the heap is bounded everywhere. */
  readonly memoryMbMax: number;
  /** Loading the model, and one call. */
  readonly callMsMax: number;
}

export const isolationLimits: IsolationLimits = { memoryMbMax: 1024, callMsMax: 60_000 };

const watchMs = 50;
const pageBytes = 4096;
const messageCharactersMax = 1000;
const classesMax = 1_000_000;

const Answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready"), width: z.int().positive().nullable() }),
  z.object({ kind: z.literal("scores"), rows: z.number(), columns: z.number(), classes: z.array(z.string()).max(classesMax), scores: z.instanceof(Float32Array) }),
  z.object({ kind: z.literal("refused"), code: z.string(), message: z.string() }),
]);
export type Answer = z.infer<typeof Answer>;

/** Nobody is left to end a process that computes on after this one is gone. */
const running = new Set<ChildProcess>();
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/**
 * A process without environment, writing and further processes (Node's permission model), with a bounded heap, a watched
 * size and a time limit per call. One call at a time; owns the process and its watch.
 */
export class IsolatedChild {
  readonly #process: ChildProcess;
  readonly #limits: IsolationLimits;
  readonly #watch: NodeJS.Timeout;
  #ended: LicetError | undefined;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: LicetError) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  /** `native`: it may load native code, which the permission model does not hold. */
  constructor(limits: IsolationLimits, { native = false }: { readonly native?: boolean } = {}) {
    this.#limits = limits;
    const source = extname(import.meta.url) === ".ts" ? ["--conditions=source"] : [];
    this.#process = fork(childFile(), [], {
      serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"], cwd: tmpdir(), env: {},
      execArgv: [...source, "--permission", "--allow-fs-read=*", ...(native ? ["--allow-addons"] : []), `--max-old-space-size=${limits.memoryMbMax}`],
    });
    running.add(this.#process);
    this.#process.on("message", (message) => this.#take(message));
    this.#process.on("error", (cause) => this.#fail(failed("its process could not be run", cause)));
    this.#process.on("exit", (code, signal) => {
      running.delete(this.#process);
      this.#fail(failed(`its process ended (${signal ?? code}) before it answered`));
    });
    this.#watch = setInterval(() => void this.#measure(), watchMs);
    this.#watch.unref();
  }

  call(message: object): Promise<Answer> {
    const next = this.#last.then(() => this.#ask(message));
    this.#last = next.catch(() => undefined);
    return next;
  }

  async #ask(message: object): Promise<Answer> {
    if (this.#ended !== undefined) throw this.#ended;
    const timer = setTimeout(() => {
      this.#fail(new LicetError("subject_timeout", { message: `the model did not answer within ${this.#limits.callMsMax} ms: raise the limit, or send fewer rows at once` }));
    }, this.#limits.callMsMax);
    try {
      const answer = await new Promise<Answer>((resolve, reject) => {
        this.#waiting = { resolve, reject };
        this.#process.send(message, (error) => (error === null ? undefined : reject(failed("its process is gone", error))));
      });
      if (answer.kind === "refused") throw refusalOf(answer);
      return answer;
    } finally {
      clearTimeout(timer);
      this.#waiting = undefined;
    }
  }

  end(): void {
    this.#fail(failed("it was ended"));
  }

  /** The child runs hostile input: its messages are parsed like any other. */
  #take(message: unknown): void {
    const parsed = Answer.safeParse(message);
    if (parsed.success) this.#waiting?.resolve(parsed.data);
    else this.#fail(failed("its process sent something that is no answer", parsed.error));
  }

  #fail(error: LicetError): void {
    this.#ended ??= error;
    clearInterval(this.#watch);
    this.#waiting?.reject(this.#ended);
    if (this.#process.exitCode === null) this.#process.kill("SIGKILL");
  }

  /** Typed arrays live outside the heap, so the heap's bound alone is not enough. Only Linux tells cheaply. */
  async #measure(): Promise<void> {
    if (process.platform !== "linux" || this.#ended !== undefined) return;
    const statm = await readFile(`/proc/${this.#process.pid}/statm`, "utf8").catch(() => "");
    const megabytes = (Number(statm.split(" ")[1] ?? 0) * pageBytes) / 1024 / 1024;
    if (megabytes > this.#limits.memoryMbMax) this.#fail(failed(`its process took more than ${this.#limits.memoryMbMax} MB of memory`));
  }
}

export function scoresFrom(answer: Answer, rows: Rows): Scores {
  if (answer.kind !== "scores" || answer.rows !== rows.rows || answer.scores.length !== answer.rows * answer.columns || answer.classes.length !== answer.columns) throw failed("it answered another number of rows than it was asked");
  return { rows: answer.rows, columns: answer.columns, scores: answer.scores };
}

function childFile(): string {
  const suffix = extname(fileURLToPath(import.meta.url));
  return fileURLToPath(new URL(`./isolated-child${suffix}`, import.meta.url));
}

/** What the interpreter says about the model or the rows keeps its code; anything else is a failure of the subject. */
function refusalOf({ code, message }: Extract<Answer, { kind: "refused" }>): LicetError {
  return isErrorCode(code) && (code.startsWith("model_") || code === "subject_failed") ? new LicetError(code, { message: message.slice(0, messageCharactersMax) }) : failed(message.slice(0, messageCharactersMax));
}
