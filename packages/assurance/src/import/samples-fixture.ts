import type { ImportFormat, ImportOptions } from "./report.ts";

interface Sample {
  readonly text: () => string;
  readonly options: ImportOptions;
  /** Judged as a census, at no violation at all. */
  readonly census: boolean;
  readonly verdict: "pass" | "fail" | "insufficient_evidence";
}

const pretty = (value: unknown) => () => JSON.stringify(value, null, 1);
const lines = (values: readonly unknown[]) => () => `${values.map((value) => JSON.stringify(value).replaceAll('":', '": ').replaceAll(',"', ', "')).join("\n")}\n`;

const promptfooRow = (id: string, failureReason: 0 | 1 | 2) => ({
  id,
  success: failureReason === 0,
  failureReason,
  ...(failureReason === 2 ? { error: "timeout", gradingResult: null, response: null } : { gradingResult: { pass: failureReason === 0 }, response: { output: "text" } }),
  prompt: { raw: `prompt ${id}` },
  provider: { id: "openai:chat:m" },
  testCase: { metadata: { pluginId: "prompt-injection" } },
});

const promptfoo = {
  evalId: "eval-1",
  results: {
    version: 3,
    prompts: [{ metrics: { testPassCount: 2, testFailCount: 1, testErrorCount: 1 } }],
    results: [promptfooRow("a", 1), promptfooRow("b", 0), promptfooRow("c", 0), promptfooRow("d", 2)],
    stats: { successes: 2, failures: 1, errors: 1 },
  },
  metadata: { promptfooVersion: "0.123.1" },
};

const attempt = (uuid: string, scores: readonly number[]) => ({
  entry_type: "attempt",
  uuid,
  status: 2,
  probe_classname: "p.Probe",
  outputs: scores.map((score) => ({ text: score > 0.5 ? "broken" : "hello" })),
  detector_results: { "d.Detector": scores },
});

const garak = [
  { entry_type: "start_run setup", "run.generations": 2, "run.eval_threshold": 0.5 },
  { entry_type: "init", garak_version: "0.16.1", run: "r1" },
  attempt("1", [1, 0.9]),
  attempt("2", [0, 0]),
  attempt("3", [0, 0.1]),
  { entry_type: "eval", probe: "p.Probe", detector: "d.Detector", passed: 4, fails: 2, nones: 0, total_evaluated: 6, total_processed: 6 },
  { entry_type: "completion", run: "r1" },
];

const evidently = {
  metrics: [{ id: "m1", metric_name: "ValueDrift(column=x)", config: { type: "evidently:metric_v2:ValueDrift", column: "x", method: "K-S p_value", threshold: 0.05 }, value: 0.0007 }],
  tests: [{ id: "drift", name: "Value Drift for column x", metric_config: { metric_id: "m1" }, test_config: {}, status: "FAIL" }],
};

const modelscan = {
  summary: { total_issues_by_severity: { LOW: 0, CRITICAL: 1 }, total_issues: 1, modelscan_version: "0.8.6", timestamp: "2026-01-01T00:00:00", scanned: { total_scanned: 2, scanned_files: ["a.pkl", "b.pkl"] }, skipped: { total_skipped: 0, skipped_files: [] } },
  issues: [{ severity: "CRITICAL", source: "a.pkl", description: "unsafe operator" }],
  errors: [],
};

const picklescan = `models/a.pkl: dangerous import 'os system' FOUND
----------- SCAN SUMMARY -----------
Scanned files: 2
Infected files: 1
Suspicious globals: 0
Dangerous globals: 1
`;

const deepteamCase = (input: string, more: object) => ({ vulnerability: "Bias", vulnerability_type: "race", attack_method: "Roleplay", input, actual_output: "text", score: 1, error: null, ...more });
const deepteam = {
  overview: { vulnerability_type_results: [{ vulnerability: "Bias", vulnerability_type: "race", pass_rate: 1 / 3, passing: 1, failing: 2, errored: 0 }], attack_method_results: [], errored: 1, run_duration: 12 },
  test_cases: [deepteamCase("a", {}), deepteamCase("b", { score: 0 }), deepteamCase("c", { score: null }), deepteamCase("d", { error: "timeout", score: null, actual_output: null })],
};

const attack = (id: string, outcome: string, score: string | null) => ({ conversation_id: id, objective: `objective ${id}`, outcome, executed_turns: 2, automated_objective_score: score === null ? null : { score_value: score, score_type: "true_false" } });
const pyrit = {
  scenario_run_state: "COMPLETED",
  scenario_identifier: { name: "Foundry", pyrit_version: "0.12.0" },
  attack_results: { crescendo: [attack("1", "success", "true"), attack("2", "failure", "false"), attack("3", "undetermined", null), attack("4", "failure", null)] },
};

const aiverify = { gid: "aiverify.stock.fairness", cid: "fairness", version: "1.0.0", start_time: "2026-01-01T00:00:00", time_taken: 3, test_arguments: {}, output: { results: [{ disparate_impact: 0.7, parity_difference: -0.1 }] } };

const moonshotRow = (prompt: string, predicted: string, target: string) => ({ prompt, predicted_result: predicted, target, duration: 1 });
const moonshot = {
  metadata: { id: "run", status: "completed", duration: 3 },
  results: { recipes: [{ id: "arc", total_num_of_prompts: 3, details: [{ model_id: "m", dataset_id: "arc", prompt_template_id: "mcq", data: [moonshotRow("1", "A", "A"), moonshotRow("2", "B", "C"), moonshotRow("3", "", "D")], metrics: [{ exact_str_match: 33.3 }] }] }] },
};

const greatExpectations = {
  success: false,
  results: [
    { success: false, expectation_config: { type: "expect_column_values_to_not_be_null", kwargs: { column: "age", mostly: 0.95 } }, result: { element_count: 100, unexpected_count: 20, missing_count: 0 }, exception_info: { raised_exception: false } },
    { success: true, expectation_config: { type: "expect_column_to_exist", kwargs: { column: "age" } }, result: {}, exception_info: { raised_exception: false } },
  ],
  statistics: { evaluated_expectations: 2, successful_expectations: 1, unsuccessful_expectations: 1, success_percent: 50 },
  meta: { great_expectations_version: "1.3.0" },
};

const deepchecks = { name: "Data Integrity Suite", results: [{ header: "Is Single Value", check: { name: "IsSingleValue" }, value: 0, conditions_results: [{ Status: "PASS", Condition: "no single values", "More Info": "" }], display: [] }] };

const sarif = {
  version: "2.1.0",
  runs: [{ tool: { driver: { name: "scanner", semanticVersion: "1.2.3" } }, invocations: [{ executionSuccessful: true }], results: [{ ruleId: "R1", level: "error", message: { text: "found" } }] }],
};

const junit = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="3" failures="1">
  <testsuite name="suite" tests="3" failures="1" errors="0" skipped="0">
    <testcase name="first" classname="c"><failure message="no">trace</failure></testcase>
    <testcase name="second" classname="c" />
    <testcase name="third" classname="c" />
  </testsuite>
</testsuites>
`;

const csv = "id,prompt,result\nr1,a,held\nr2,b,broken\nr3,c,held\n";

/** One small report in every format, written by hand after the formats' sources. */
export const samples: Readonly<Record<ImportFormat, Sample>> = {
  promptfoo: { text: pretty(promptfoo), options: {}, census: false, verdict: "insufficient_evidence" },
  garak: { text: lines(garak), options: {}, census: false, verdict: "insufficient_evidence" },
  evidently: { text: pretty(evidently), options: {}, census: true, verdict: "fail" },
  modelscan: { text: pretty(modelscan), options: {}, census: true, verdict: "fail" },
  picklescan: { text: () => picklescan, options: {}, census: true, verdict: "fail" },
  fickling: { text: pretty({ severity: "LIKELY_UNSAFE", analysis: "an import", detailed_results: { AnalysisResult: { UnsafeImports: "from os import system" } } }), options: {}, census: true, verdict: "fail" },
  deepteam: { text: pretty(deepteam), options: {}, census: false, verdict: "insufficient_evidence" },
  pyrit: { text: pretty(pyrit), options: {}, census: false, verdict: "insufficient_evidence" },
  aiverify: { text: pretty(aiverify), options: {}, census: false, verdict: "insufficient_evidence" },
  moonshot: { text: pretty(moonshot), options: {}, census: false, verdict: "insufficient_evidence" },
  "great-expectations": { text: pretty(greatExpectations), options: {}, census: true, verdict: "fail" },
  deepchecks: { text: pretty(deepchecks), options: {}, census: true, verdict: "pass" },
  sarif: { text: pretty(sarif), options: {}, census: true, verdict: "fail" },
  junit: { text: () => junit, options: {}, census: true, verdict: "fail" },
  csv: { text: () => csv, options: { rows: 3, csv: { outcome: "result", cluster: "prompt", id: "id", event: ["broken"], noEvent: ["held"] } }, census: false, verdict: "insufficient_evidence" },
};
