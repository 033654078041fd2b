import { type CheckResult, LicetError } from "@licet/contract";
import type { PeerRuntime } from "../onnx/peer-runtime.ts";
import { round12 } from "../verdict/round.ts";
import type { IsolationLimits } from "./isolated-process.ts";
import { peerOnnx } from "./peer-onnx.ts";
import type { Rows, Scores } from "./probe.ts";
import type { Subject } from "./subject.ts";

export type InterpreterRecord = NonNullable<CheckResult["subject"]["interpreter"]>;

/** Rows of a check that both interpreters score. */
const comparedRowsMax = 256;

/**
 * What two right interpreters may differ by: ONNX Runtime sums in 32 bits, ours in 64 and rounds after each operator. Far
 * above what rounding makes of scores between 0 and 1 (about 1e-7), far below what moves a verdict.
 */
export const deviationMax = { absolute: 1e-4, relative: 1e-4 } as const;

/** ONNX Runtime beside our interpreter, for one model of a run. Is started when it is first asked. */
export class CrossCheck implements AsyncDisposable {
  readonly #model: { readonly id: string; readonly bytes: Uint8Array; readonly peer: PeerRuntime; readonly limits: IsolationLimits };
  #opened: Promise<Subject> | undefined;
  /** Why it is not asked any more. */
  #silent: string | undefined;

  constructor(model: { readonly id: string; readonly bytes: Uint8Array; readonly peer: PeerRuntime; readonly limits: IsolationLimits }) {
    this.#model = model;
  }

  /** As one check sees it. */
  forCheck(): Comparison {
    return new Comparison(this.#model.peer, (rows) => this.#scored(rows));
  }

  /** What it cannot run it does not contradict: the reason is recorded instead. */
  async #scored(rows: Rows): Promise<Scores | string> {
    if (this.#silent !== undefined) return this.#silent;
    try {
      this.#opened ??= peerOnnx(this.#model);
      return await (await this.#opened).scores(rows);
    } catch (error) {
      if (!(error instanceof LicetError)) throw error;
      this.#silent = error.message;
      return this.#silent;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const opened = await this.#opened?.catch(() => undefined);
    await opened?.[Symbol.asyncDispose]();
  }
}

const whyCharactersMax = 500;

/** Of one check: which rows were compared, and how far apart the scores were. */
export class Comparison {
  readonly #peer: PeerRuntime;
  readonly #scored: (rows: Rows) => Promise<Scores | string>;
  #rows = 0;
  #deviation = 0;
  #why: string | undefined;

  constructor(peer: PeerRuntime, scored: (rows: Rows) => Promise<Scores | string>) {
    this.#peer = peer;
    this.#scored = scored;
  }

  /** Undefined before anything was scored. */
  get record(): InterpreterRecord | undefined {
    const { name, version } = this.#peer;
    if (this.#rows > 0) return { name, version, part: "compared", rows: this.#rows, deviation: Number.isFinite(this.#deviation) ? round12(this.#deviation) : null };
    return this.#why === undefined ? undefined : { name, version, part: "silent", rows: 0, deviation: null, why: this.#why.slice(0, whyCharactersMax) };
  }

  /** Throws `interpreters_differ`. Rows are taken over the whole of what is scored, until there are enough. */
  async compare(rows: Rows, ours: Scores): Promise<void> {
    const places = spread(rows.rows, comparedRowsMax - this.#rows);
    if (places.length === 0 || this.#why !== undefined) return;
    const theirs = await this.#scored(picked(rows, places));
    if (typeof theirs === "string") {
      this.#why = theirs;
      return;
    }
    this.#rows += places.length;
    const furthest = furthestOf(ours, theirs, places);
    this.#deviation = Math.max(this.#deviation, furthest.deviation);
    if (furthest.beyond) throw differ(this.#peer, furthest.deviation);
  }
}

function spread(rows: number, most: number): readonly number[] {
  const count = Math.min(rows, most);
  return Array.from({ length: Math.max(0, count) }, (_, index) => Math.floor((index * rows) / count));
}

function picked({ columns, data }: Rows, places: readonly number[]): Rows {
  const kept = new Float32Array(places.length * columns);
  for (const [index, row] of places.entries()) kept.set(data.subarray(row * columns, (row + 1) * columns), index * columns);
  return { rows: places.length, columns, data: kept };
}

function furthestOf(ours: Scores, theirs: Scores, places: readonly number[]): { readonly deviation: number; readonly beyond: boolean } {
  if (ours.columns !== theirs.columns) return { deviation: Infinity, beyond: true };
  let deviation = 0;
  let beyond = false;
  for (const [index, row] of places.entries()) {
    for (let column = 0; column < ours.columns; column += 1) {
      const [a, b] = [ours.scores[row * ours.columns + column] ?? Number.NaN, theirs.scores[index * ours.columns + column] ?? Number.NaN];
      // The same infinity, and nothing in both, are no difference.
      if (Object.is(a, b)) continue;
      const apart = Number.isFinite(a) && Number.isFinite(b) ? Math.abs(a - b) : Infinity;
      deviation = Math.max(deviation, apart);
      beyond ||= !Number.isFinite(apart) || !(apart <= deviationMax.absolute + deviationMax.relative * Math.max(Math.abs(a), Math.abs(b)));
    }
  }
  return { deviation, beyond };
}

function differ({ name, version }: PeerRuntime, deviation: number): LicetError {
  const by = Number.isFinite(deviation) ? `differ by ${round12(deviation)}` : "are numbers in one and none in the other, or not as many";
  return new LicetError("interpreters_differ", { message: `our interpreter and ${name} ${version} read the model differently: scores of the same row ${by}; export it with plainer operators, or test it behind an endpoint`, at: { deviation: Number.isFinite(deviation) ? deviation : null } });
}
