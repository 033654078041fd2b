import { LicetError } from "@licet/contract";
import { modelBounds } from "../onnx/model-file.ts";
import type { Rows } from "../subject/probe.ts";
import { type IsolationLimits, isolatedOnnx, isolationLimits } from "../subject/isolated-onnx.ts";
import { onnxSubject } from "../subject/onnx-subject.ts";
import { openServed, type ServedModel } from "../subject/served-model.ts";
import { failed, type Subject } from "../subject/subject.ts";
import type { ModelScores, TestedModel } from "../subject/tested-model.ts";

export interface ModelsOptions {
  /** Where declared models without a file answer, by name. Default: nowhere, and checks that ask one are errored. */
  readonly served?: Readonly<Record<string, ServedModel>>;
  /** Of the process that a model's file runs in. `none`: it is trusted and runs in this one. */
  readonly isolation?: IsolationLimits | "none";
  /** On models behind endpoints: rows that one check may send, and time from the beginning of the run. */
  readonly queryBudget?: { readonly rowsMax?: number; readonly timeMsMax?: number };
}

/** Rows that one check sends to an endpoint when nobody says another number. */
const rowsMaxDefault = 1_000_000;

interface Opened {
  readonly subject: Subject;
  readonly digest: string;
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
    if (served !== undefined) return { subject: await openServed(name, served), digest: served.digest };
    const { bytes, digest } = await this.#bytes(name);
    const { isolation = isolationLimits } = this.#options;
    const given = { id: name, bytes, bounds: modelBounds };
    return { subject: isolation === "none" ? onnxSubject(given) : await isolatedOnnx({ ...given, limits: isolation }), digest };
  }

  async #close(name: string): Promise<void> {
    const known = this.#opened.get(name);
    this.#opened.delete(name);
    const opened = await known?.catch(() => undefined);
    await opened?.subject[Symbol.asyncDispose]();
  }
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

  #tested(name: string, { subject, digest }: Opened): TestedModel & { readonly settle: () => Promise<void> } {
    const remote = subject.kind !== "onnx";
    let sent = 0;
    let width: number | undefined;
    return {
      name, digest, remote,
      width: subject.width,
      sent: () => sent,
      subject: () => ({ kind: subject.kind, id: name, digest, ...(subject.served !== undefined && { served: subject.served() }) }),
      score: async (rows: Rows): Promise<ModelScores> => {
        if (remote) this.#allow(rows.rows);
        sent += rows.rows;
        const scores = await (remote ? subject.scores(rows) : this.#guarded(name, subject.scores(rows)));
        if (rows.rows > 0) {
          width ??= scores.columns;
          if (width !== scores.columns) throw failed(`it answered with ${width} and with ${scores.columns} scores for a row`);
        }
        return { ...scores, classes: subject.classes(scores.columns) };
      },
      structure: async () => {
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
