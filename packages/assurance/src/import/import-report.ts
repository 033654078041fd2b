import { createHash } from "node:crypto";
import { importFormats } from "@licet/contract";
import { readAiVerify } from "./aiverify.ts";
import { readCsvRows } from "./csv-rows.ts";
import { readDeepchecks } from "./deepchecks.ts";
import { readDeepteam } from "./deepteam.ts";
import { readEvidently } from "./evidently.ts";
import { readFickling } from "./fickling.ts";
import { readGarak } from "./garak.ts";
import { readGreatExpectations } from "./great-expectations.ts";
import { readJunit } from "./junit.ts";
import { readModelscan } from "./modelscan.ts";
import { readMoonshot } from "./moonshot.ts";
import { readPicklescan } from "./picklescan.ts";
import { readPromptfoo } from "./promptfoo.ts";
import { readPyrit } from "./pyrit.ts";
import { ImportRefusal } from "./refusal.ts";
import type { ImportFormat, ImportOptions, ImportResult, ReadReport } from "./report.ts";
import { readSarif } from "./sarif.ts";

type Reader = (bytes: Uint8Array, options: ImportOptions) => ReadReport;

const readers: Readonly<Record<ImportFormat, Reader>> = {
  promptfoo: readPromptfoo,
  garak: readGarak,
  evidently: readEvidently,
  modelscan: readModelscan,
  picklescan: (bytes, { rows }) => readPicklescan(bytes, rows),
  fickling: readFickling,
  deepteam: readDeepteam,
  pyrit: readPyrit,
  aiverify: readAiVerify,
  moonshot: readMoonshot,
  "great-expectations": readGreatExpectations,
  deepchecks: readDeepchecks,
  sarif: readSarif,
  junit: readJunit,
  csv: readCsvRows,
};

/**
 * Reads a report of another tool and counts it again from its rows. The tool's verdict words are used for nothing but to be contradicted:
 * where its totals do not follow from its rows, nothing of it is used. All input is hostile: whatever the bytes are, the answer is a report
 * or a refusal with its reason, never an exception.
 */
export function importReport(bytes: Uint8Array, format: ImportFormat, options: ImportOptions = {}): ImportResult {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  try {
    const { tool, toolVersion, items, notes } = readers[format](bytes, options);
    return { kind: "imported", report: { format, tool, toolVersion, digest, items, notes: notes ?? [] } };
  } catch (cause) {
    if (cause instanceof ImportRefusal) return { kind: "refused", reason: cause.reason, problems: [cause.message], digest };
    // A reader that trips over what it was given has not understood it: that is a refusal, and the report decides nothing.
    return { kind: "refused", reason: "tool_error", problems: ["the report could not be read"], digest };
  }
}

/** The format that a name and the first bytes of a report point to; undefined when they do not. A guess: the person who imports decides. */
export function guessFormat(name: string, bytes: Uint8Array): ImportFormat | undefined {
  const start = Buffer.from(bytes.subarray(0, 200_000)).toString("utf8");
  const file = name.toLowerCase();
  if (/<testsuites?[\s>]/u.test(start)) return "junit";
  if (file.endsWith(".csv")) return "csv";
  if (start.includes("SCAN SUMMARY")) return "picklescan";
  return marks.find(([, mark]) => mark.every((part) => start.includes(part)))?.[0] ?? importFormats.find((format) => file.startsWith(format));
}

const marks: readonly (readonly [ImportFormat, readonly string[]])[] = [
  ["garak", ['"entry_type"']],
  ["sarif", ['"runs"', '"driver"']],
  ["promptfoo", ['"evalId"']],
  ["promptfoo", ['"testPassCount"']],
  ["evidently", ["evidently:"]],
  ["modelscan", ['"total_issues_by_severity"']],
  ["deepteam", ['"vulnerability_type_results"']],
  ["pyrit", ['"conversation_id"', '"objective"']],
  ["great-expectations", ['"evaluated_expectations"']],
  ["great-expectations", ['"expectation_config"']],
  ["moonshot", ['"metadata"', '"prompt_template_id"']],
  ["aiverify", ['"gid"', '"cid"']],
  ["deepchecks", ['"conditions_results"']],
  ["fickling", ['"severity"', '"analysis"']],
];
