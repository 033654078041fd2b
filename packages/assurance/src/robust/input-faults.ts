import { LicetError } from "@licet/contract";
import type { Rows, Scores } from "../subject/probe.ts";
import type { Limit, Outcome } from "../verdict/outcome.ts";
import { decideExact } from "../verdict/decide-rate.ts";

/** What a system must survive: it may answer with finite scores or refuse, and nothing else. */
export interface InputFault {
  readonly name: string;
  readonly rows: Rows;
}

export type FaultAnswer = "scored" | "refused" | "silent" | "crashed" | "timeout";

/** Sufficient statistics of robust.input: how each fault was answered. `silent`: an answer that holds no number. */
export interface InputStatistics {
  readonly attempted: number;
  readonly assessed: number;
  readonly answers: readonly { readonly fault: string; readonly answer: FaultAnswer }[];
}

const largest = 3.402_823_466_385_288_6e38;
const hugeRows = 20_000;

/** Faults made from one valid row: no numbers, infinities, extremes, no rows, too few and too many features, many rows. */
export function inputFaults(row: Float32Array): readonly InputFault[] {
  const columns = row.length;
  const filled = (name: string, value: number): InputFault => ({ name, rows: { rows: 1, columns, data: new Float32Array(columns).fill(value) } });
  const single = (name: string, value: number): InputFault => {
    const data = Float32Array.from(row);
    data[0] = value;
    return { name, rows: { rows: 1, columns, data } };
  };
  const wider = Float32Array.from({ length: columns + 1 }, (_, feature) => row[feature] ?? 0);
  const many = new Float32Array(columns * hugeRows);
  for (let index = 0; index < hugeRows; index += 1) many.set(row, index * columns);
  return [
    single("one feature is no number", Number.NaN), filled("every feature is no number", Number.NaN),
    single("one feature is infinite", Infinity), single("one feature is minus infinite", -Infinity),
    filled("every feature is the largest number", largest), filled("every feature is the smallest number", -largest),
    filled("every feature is zero", 0),
    { name: "no rows", rows: { rows: 0, columns, data: new Float32Array(0) } },
    { name: "one feature too many", rows: { rows: 1, columns: columns + 1, data: wider } },
    { name: "one feature too few", rows: { rows: 1, columns: columns - 1, data: row.slice(0, -1) } },
    { name: `${hugeRows} rows at once`, rows: { rows: hugeRows, columns, data: many } },
  ];
}

/** Sends every fault and records how it was answered; afterwards a valid row must still be scored. */
export async function measureInput(send: (rows: Rows) => Promise<Scores>, row: Float32Array, more: readonly InputFault[] = []): Promise<{ statistics: InputStatistics; notes: readonly string[] }> {
  const valid: InputFault = { name: "a valid row afterwards", rows: { rows: 1, columns: row.length, data: row } };
  const answers: { fault: string; answer: FaultAnswer }[] = [];
  for (const fault of [...inputFaults(row), ...more, valid]) {
    const answer = await answerTo(send, fault.rows);
    answers.push({ fault: fault.name, answer: fault === valid && answer === "refused" ? "crashed" : answer });
  }
  const wrong = answers.filter(({ answer }) => answer !== "scored" && answer !== "refused");
  const statistics: InputStatistics = { attempted: answers.length, assessed: answers.length, answers };
  return { statistics, notes: wrong.map(({ fault, answer }) => `${fault}: ${explained[answer]}`) };
}

const explained: Readonly<Record<FaultAnswer, string>> = {
  scored: "finite scores", refused: "refused",
  silent: "answered as if all were well, with something that is no number", crashed: "the system failed", timeout: "no answer in time",
};

async function answerTo(send: (rows: Rows) => Promise<Scores>, rows: Rows): Promise<FaultAnswer> {
  try {
    const { scores } = await send(rows);
    return scores.every((value) => Number.isFinite(value)) ? "scored" : "silent";
  } catch (error) {
    if (!(error instanceof LicetError)) return "crashed";
    // What ends the run says nothing about the fault.
    if (error.code === "query_budget_spent" || error.code === "subject_stale") throw error;
    if (error.code === "subject_timeout") return "timeout";
    return error.code === "subject_failed" ? "crashed" : "refused";
  }
}

/** The number of faults that were answered wrongly, which must be at most the limit (0). Nothing is inferred. */
export function decideInput(statistics: InputStatistics, limit: Limit): Outcome {
  const wrong = statistics.answers.filter(({ answer }) => answer !== "scored" && answer !== "refused").length;
  return decideExact({ value: wrong, method: "census" }, statistics, limit);
}
