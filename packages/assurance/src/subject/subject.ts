import { type CheckResult, LicetError } from "@licet/contract";
import type { Structure } from "../onnx/structure.ts";
import type { Rows, Scores } from "./probe.ts";

/** What has been seen of an endpoint. */
export type Served = NonNullable<CheckResult["subject"]["served"]>;

/** What is tested: something that gives scores for rows. Every implementation counts its rows against a budget. */
export interface Subject extends AsyncDisposable {
  readonly kind: "onnx" | "oip" | "http";
  readonly id: string;
  /** `sha256:` and hex of the model's bytes; null where only an endpoint is known. */
  readonly digest: string | null;
  /** Number of features; undefined where it leaves that open. */
  readonly width: number | undefined;
  readonly budget: QueryBudget;
  /**
   * Scores of the rows. A row that could not be scored holds NaN. Throws `subject_refused`, `subject_failed`,
   * `subject_timeout` when there is no answer at all, `query_budget_spent` before anything is sent.
   */
  scores(rows: Rows): Promise<Scores>;
  /** Proves that what was tested is still what is there. Throws `subject_stale`. To be called after the last row. */
  settle(): Promise<void>;
  /** Labels of so many scores, in their order. */
  classes(columns: number): readonly string[];
  /** Weights or trees. Absent where only answers are seen. */
  structure?(): Promise<Structure>;
  /** Of an endpoint. */
  served?(): Served;
}

/** Rows that one check may send. Only the subject that owns it spends it. */
export class QueryBudget {
  readonly max: number;
  #spent = 0;

  constructor(max = Infinity) {
    this.max = max;
  }

  get spent(): number {
    return this.#spent;
  }

  get left(): number {
    return this.max - this.#spent;
  }

  /** Takes all of `rows` or nothing. */
  take(rows: number): void {
    if (rows > this.left) {
      throw new LicetError("query_budget_spent", { message: `the check may send ${this.max} rows and has sent ${this.#spent}: raise its budget, or give it fewer rows`, at: { max: this.max, spent: this.#spent, asked: rows } });
    }
    this.#spent += rows;
  }
}

/** Labels where nobody names them: of one score that of the positive class. */
export function plainClasses(columns: number): readonly string[] {
  return columns === 1 ? ["1"] : Array.from({ length: columns }, (_, index) => String(index));
}

/** Declared labels, which must be as many as there are scores. */
export function classesOf(declared: readonly string[] | undefined, columns: number): readonly string[] {
  if (declared === undefined) return plainClasses(columns);
  if (declared.length === columns) return declared;
  throw new LicetError("model_output_unclear", { message: `the model answers with ${columns} scores for a row, and ${declared.length} classes are declared: correct \`classes\` under \`scoring\``, at: { declared: declared.slice(0, 50), columns } });
}

/** An address as it may stand in a record: without credentials and query. */
export function plainAddress(address: string): string {
  if (!URL.canParse(address)) return "";
  const { origin, pathname } = new URL(address);
  return `${origin}${pathname}`.slice(0, 2000);
}

/** Rows `from` to `to`, without copying. */
export function slice(rows: Rows, from: number, to: number): Rows {
  return { rows: to - from, columns: rows.columns, data: rows.data.subarray(from * rows.columns, to * rows.columns) };
}

/** Puts answers of consecutive batches together. Throws `subject_failed` when they differ in their number of classes. */
export function joined(parts: readonly Scores[]): Scores {
  const known = parts.find(({ columns }) => columns > 0);
  const columns = known?.columns ?? 1;
  const rows = parts.reduce((sum, part) => sum + part.rows, 0);
  const scores = new Float64Array(rows * columns).fill(Number.NaN);
  let at = 0;
  for (const part of parts) {
    if (part.columns === columns) scores.set(part.scores, at * columns);
    else if (part.columns !== 0) throw failed(`it answered with ${columns} and with ${part.columns} scores per row`);
    at += part.rows;
  }
  return { rows, columns, scores };
}

/** Rows without an answer: no columns are known for them, and `joined` leaves NaN in their place. */
export function unanswered(rows: number): Scores {
  return { rows, columns: 0, scores: new Float64Array(0) };
}

export function failed(what: string, cause?: unknown): LicetError {
  return new LicetError("subject_failed", { message: `the system under test cannot be read: ${what}`, cause });
}
