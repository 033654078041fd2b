import { interpreterWords, LicetError } from "@licet/contract";
import { modelBounds } from "../onnx/model-file.ts";
import type { PeerRuntime } from "../onnx/peer-runtime.ts";
import { CrossCheck, type InterpreterRecord } from "../subject/cross-check.ts";
import type { Rows } from "../subject/probe.ts";
import { isolatedOnnx } from "../subject/isolated-onnx.ts";
import { type IsolationLimits, isolationLimits } from "../subject/isolated-process.ts";
import { onnxSubject } from "../subject/onnx-subject.ts";
import { peerOnnx } from "../subject/peer-onnx.ts";
import { openServed, type ServedModel } from "../subject/served-model.ts";
import { failed, type Subject } from "../subject/subject.ts";
import type { ModelScores, TestedModel } from "../subject/tested-model.ts";

export interface ModelsOptions {
  /** Where declared models without a file answer, by name. Default: nowhere, and checks that ask one are errored. */
  readonly served?: Readonly<Record<string, ServedModel>>;
  /** Of the process that a model's file runs in. `none`: it is trusted and runs in this one. */
  readonly isolation?: IsolationLimits | "none";
  /** ONNX Runtime, where it is installed: is compared with our interpreter, and runs what that cannot. Default: none. */
  readonly peer?: PeerRuntime | undefined;
  /** On models behind endpoints: rows that one check may send, and time from the beginning of the run. */
  readonly queryBudget?: { readonly rowsMax?: number; readonly timeMsMax?: number };
}

/** Rows that one check sends to an endpoint when nobody says another number. */
const rowsMaxDefault = 1_000_000;

interface Opened {
  readonly subject: Subject;
  readonly digest: string;
  /** Another interpreter, to be compared with. */
  readonly beside?: CrossCheck;
  /** The interpreter that runs it, and the operator that ours lacks. */
  readonly instead?: Pick<InterpreterRecord, "name" | "version" | "why">;
}

export interface ModelFileBytes {
  readonly digest: string;
  readonly bytes: Uint8Array;
}

/** Every declared model of a run, opened once and shared by its checks. */
export class ModelsUnderTest implements AsyncDisposable {
  readonly #options: ModelsOptions;
  readonly #bytes: (name: string) => Promise<ModelFileBytes>;
  readonly #opened = new Map<string, Promise<Opened>>();
  readonly #budget: Spendable;

  constructor(options: ModelsOptions, bytes: (name: string) => Promise<ModelFileBytes>) {
    this.#options = options;
    this.#bytes = bytes;
    const { rowsMax = rowsMaxDefault, timeMsMax = Infinity } = options.queryBudget ?? {};
    this.#budget = { rowsMax, endsAt: performance.now() + timeMsMax };
  }

  /** What one check uses, with what it may spend. */
  forCheck(): CheckModels {
    return new CheckModels((name) => this.#open(name), (name) => this.#close(name), this.#budget);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#opened.keys()].map((name) => this.#close(name)));
  }

  #open(name: string): Promise<Opened> {
    const known = this.#opened.get(name);
    if (known !== undefined) return known;
    const opening = this.#start(name);
    this.#opened.set(name, opening);
    // The next check may find it answering again.
    opening.catch(() => this.#opened.delete(name));
    return opening;
  }

  async #start(name: string): Promise<Opened> {
    const served = this.#options.served !== undefined && Object.hasOwn(this.#options.served, name) ? this.#options.served[name] : undefined;
    if (served !== undefined) return { subject: await openServed(name, served, this.#budget.endsAt), digest: served.digest };
    return this.#startFile(name, await this.#bytes(name));
  }

  async #startFile(name: string, { bytes, digest }: ModelFileBytes): Promise<Opened> {
    const { isolation = isolationLimits, peer } = this.#options;
    const limits = isolation === "none" ? isolationLimits : isolation;
    const given = { id: name, bytes, bounds: modelBounds };
    try {
      const subject = isolation === "none" ? onnxSubject(given) : await isolatedOnnx({ ...given, limits });
      return { subject, digest, ...(peer !== undefined && { beside: new CrossCheck({ id: name, bytes, peer, limits }) }) };
    } catch (error) {
      const operator = unknownOperator(error);
      if (operator === undefined || peer === undefined) throw error;
      const subject = await peerOnnx({ ...given, peer, limits }).catch(() => {
        throw error;
      });
      return { subject, digest, instead: { name: peer.name, version: peer.version, why: operator } };
    }
  }

  async #close(name: string): Promise<void> {
    const known = this.#opened.get(name);
    this.#opened.delete(name);
    const opened = await known?.catch(() => undefined);
    await opened?.subject[Symbol.asyncDispose]();
    await opened?.beside?.[Symbol.asyncDispose]();
  }
}

function unknownOperator(error: unknown): string | undefined {
  return error instanceof LicetError && error.code === "model_operator_unknown" ? (/the operator `([^`]*)`/u.exec(error.message)?.[1] ?? "") : undefined;
}

interface Spendable {
  readonly rowsMax: number;
  /** By `performance.now()`. */
  readonly endsAt: number;
}

/** The models that one check has asked for. */
export class CheckModels {
  readonly #open: (name: string) => Promise<Opened>;
  readonly #close: (name: string) => Promise<void>;
  readonly #budget: Spendable;
  readonly #used = new Map<string, TestedModel & { readonly settle: () => Promise<void> }>();

  constructor(open: (name: string) => Promise<Opened>, close: (name: string) => Promise<void>, budget: Spendable) {
    this.#open = open;
    this.#close = close;
    this.#budget = budget;
  }

  async model(name: string): Promise<TestedModel> {
    const known = this.#used.get(name);
    if (known !== undefined) return known;
    const opened = await this.#open(name);
    const tested = this.#tested(name, opened);
    this.#used.set(name, tested);
    return tested;
  }

  /** Proves that what was asked is still what is there. Throws `subject_stale`, and what asking throws. */
  async settle(): Promise<void> {
    for (const used of this.#used.values()) await used.settle();
  }

  /** What the check was about, as far as it came. */
  subjectOf(name: string): ReturnType<TestedModel["subject"]> | undefined {
    return this.#used.get(name)?.subject();
  }

  /** What a person should know of the interpreters that ran the models. That two agree stands in the record alone. */
  notes(): readonly string[] {
    return [...this.#used.values()].flatMap(({ name, subject }) => {
      const { interpreter } = subject();
      return interpreter === undefined || interpreter.part === "compared" ? [] : [`\`${name}\` is ${interpreter.part === "silent" ? "not compared: " : ""}${interpreterWords(interpreter)}`];
    });
  }

  #tested(name: string, { subject, digest, beside, instead }: Opened): TestedModel & { readonly settle: () => Promise<void> } {
    const remote = subject.kind !== "onnx";
    let sent = 0;
    let width: number | undefined;
    const comparison = beside?.forCheck();
    const interpreter = (): InterpreterRecord | undefined => (instead === undefined ? comparison?.record : { ...instead, part: "scored", rows: sent, deviation: null });
    return {
      name, digest, remote,
      width: subject.width,
      sent: () => sent,
      subject: () => {
        const other = interpreter();
        return { kind: subject.kind, id: name, digest, ...(subject.served !== undefined && { served: subject.served() }), ...(other !== undefined && { interpreter: other }) };
      },
      score: async (rows: Rows): Promise<ModelScores> => {
        if (remote) this.#allow(rows.rows);
        sent += rows.rows;
        const scores = await (remote ? subject.scores(rows) : this.#guarded(name, subject.scores(rows)));
        if (rows.rows > 0) {
          width ??= scores.columns;
          if (width !== scores.columns) throw failed(`it answered with ${width} and with ${scores.columns} scores for a row`);
        }
        await comparison?.compare(rows, scores);
        return { ...scores, classes: subject.classes(scores.columns) };
      },
      structure: async () => {
        if (instead !== undefined) throw new LicetError("subject_opaque", { message: `our interpreter lacks the operator \`${instead.why ?? ""}\` of \`${name}\`, so that its weights cannot be seen through: use \`robust.evasion\`, which takes scores alone`, at: { component: name } });
        if (subject.structure === undefined) throw new LicetError("subject_opaque", { message: `the weights of \`${name}\` cannot be seen: declare its file, or use \`robust.evasion\``, at: { component: name } });
        return this.#guarded(name, subject.structure());
      },
      settle: () => subject.settle(),
    };
  }

  #allow(rows: number): void {
    const spent = [...this.#used.values()].reduce((sum, model) => sum + (model.remote ? model.sent() : 0), 0);
    const { rowsMax, endsAt } = this.#budget;
    if (spent + rows > rowsMax) throw new LicetError("query_budget_spent", { message: `the check may send ${rowsMax} rows to endpoints, has sent ${spent} and needs ${rows} more: raise \`--budget queries=\`, or give it fewer rows`, at: { max: rowsMax, spent, asked: rows } });
    if (performance.now() > endsAt) throw new LicetError("query_budget_spent", { message: "the time of the run is up and the check is not done: raise `--budget time=`, or give it fewer rows" });
  }

  /** A process that has ended, or was ended, is started anew for the next check. */
  async #guarded<T>(name: string, asked: Promise<T>): Promise<T> {
    try {
      return await asked;
    } catch (error) {
      if (error instanceof LicetError && (error.code === "subject_failed" || error.code === "subject_timeout")) await this.#close(name);
      throw error;
    }
  }
}
