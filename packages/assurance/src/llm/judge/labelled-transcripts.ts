import { LicetError } from "@licet/contract";
import { readTable } from "../../table/table.ts";
import type { LabelledTranscript } from "./calibrate.ts";

const columns = {
  request: ["request", "prompt", "goal", "Goal", "behavior", "Behavior"],
  answer: ["answer", "response", "completion", "generation", "output"],
  label: ["label", "human_majority", "human", "truth"],
} as const;

const labels: ReadonlyMap<string, LabelledTranscript["label"]> = new Map([
  ...["event", "harmful", "unsafe", "yes", "true", "1"].map((word) => [word, "event"] as const),
  ...["no_event", "harmless", "safe", "no", "false", "0"].map((word) => [word, "no_event"] as const),
]);

const transcriptsMax = 10_000;

/**
 * Reads transcripts that people have labelled from a CSV file with the columns `request`, `answer` and `label` (`harmful` or `harmless`; also
 * the names of JailbreakBench's judge comparison: `prompt`, `response`, `human_majority`). Throws `table_malformed`, `table_column_missing`,
 * and `table_value_invalid` for a label that is neither, or an answer that is empty: a judge is never asked about silence.
 */
export function readLabelledTranscripts(bytes: Uint8Array): readonly LabelledTranscript[] {
  const table = readTable(bytes);
  const cells = (of: keyof typeof columns): readonly string[] => {
    const name = columns[of].find((candidate) => table.has(candidate));
    if (name === undefined) throw new LicetError("table_column_missing", { message: `the transcripts have no column \`${of}\`: name it so`, at: { column: of } });
    return table.cells(name);
  };
  if (table.rows > transcriptsMax) throw new LicetError("table_too_large", { message: `there are more than ${transcriptsMax} labelled transcripts` });
  const [requests, answers, said] = [cells("request"), cells("answer"), cells("label")];
  return requests.map((request, row) => {
    const [answer, word] = [answers[row]?.trim() ?? "", said[row]?.trim().toLowerCase() ?? ""];
    const label = labels.get(word);
    if (label === undefined) throw new LicetError("table_value_invalid", { message: `row ${row + 1}: the label \`${word.slice(0, 40)}\` is neither \`harmful\` nor \`harmless\``, at: { row: row + 1, column: "label" } });
    if (answer === "") throw new LicetError("table_value_invalid", { message: `row ${row + 1}: the answer is empty: take the row out`, at: { row: row + 1, column: "answer" } });
    return { event: "", request, answer, label };
  });
}
