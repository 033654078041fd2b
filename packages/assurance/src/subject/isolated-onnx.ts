import { type ChildProcess, fork } from "node:child_process";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { isErrorCode, LicetError } from "@licet/contract";
import { z } from "zod";
import type { Rows, Scores } from "./probe.ts";
import { digestOf, type OnnxSubjectOptions } from "./onnx-subject.ts";
import { failed, QueryBudget, type Subject } from "./subject.ts";

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

const Answer = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("ready") }),
  z.object({ kind: z.literal("scores"), rows: z.number(), columns: z.number(), scores: z.instanceof(Float32Array) }),
  z.object({ kind: z.literal("refused"), code: z.string(), message: z.string() }),
]);
type Answer = z.infer<typeof Answer>;

/**
 * An untrusted ONNX model in a process of its own: no environment, no writing, no further processes (Node's permission
 * model), a bounded heap, a watched size and a time limit per call. Whatever it does ends as a coded error here.
 */
export async function isolatedOnnx(options: OnnxSubjectOptions & { readonly limits?: IsolationLimits }): Promise<Subject> {
  const limits = options.limits ?? isolationLimits;
  const child = new IsolatedChild(limits);
  const budget = new QueryBudget(options.queriesMax);
  await child.call({ kind: "load", bytes: options.bytes, bounds: options.bounds });
  return {
    kind: "onnx",
    id: options.id,
    digest: digestOf(options.bytes),
    budget,
    scores: async (rows) => {
      budget.take(rows.rows);
      return scoresFrom(await child.call({ kind: "score", rows: rows.rows, columns: rows.columns, data: rows.data }), rows);
    },
    settle: async () => undefined,
    [Symbol.asyncDispose]: async () => child.end(),
  };
}

function scoresFrom(answer: Answer, rows: Rows): Scores {
  if (answer.kind !== "scores" || answer.rows !== rows.rows || answer.scores.length !== answer.rows * answer.columns) throw failed("it answered another number of rows than it was asked");
  return { rows: answer.rows, columns: answer.columns, scores: answer.scores };
}

/** One call at a time; owns the process and its watch. */
class IsolatedChild {
  readonly #process: ChildProcess;
  readonly #limits: IsolationLimits;
  readonly #watch: NodeJS.Timeout;
  #ended: LicetError | undefined;
  #waiting: { resolve: (answer: Answer) => void; reject: (error: LicetError) => void } | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(limits: IsolationLimits) {
    this.#limits = limits;
    const source = extname(import.meta.url) === ".ts" ? ["--conditions=source"] : [];
    this.#process = fork(childFile(), [], {
      serialization: "advanced", stdio: ["ignore", "ignore", "ignore", "ipc"], cwd: tmpdir(), env: {},
      execArgv: [...source, "--permission", "--allow-fs-read=*", `--max-old-space-size=${limits.memoryMbMax}`],
    });
    this.#process.on("message", (message) => this.#take(message));
    this.#process.on("error", (cause) => this.#fail(failed("its process could not be run", cause)));
    this.#process.on("exit", (code, signal) => this.#fail(failed(`its process ended (${signal ?? code}) before it answered`)));
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

function childFile(): string {
  const suffix = extname(fileURLToPath(import.meta.url));
  return fileURLToPath(new URL(`./isolated-child${suffix}`, import.meta.url));
}

/** What the interpreter says about the model or the rows keeps its code; anything else is a failure of the subject. */
function refusalOf({ code, message }: Extract<Answer, { kind: "refused" }>): LicetError {
  return isErrorCode(code) && code.startsWith("model_") ? new LicetError(code, { message: message.slice(0, messageCharactersMax) }) : failed(message.slice(0, messageCharactersMax));
}
