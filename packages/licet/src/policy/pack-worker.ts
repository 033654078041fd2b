import { createRequire } from "node:module";
import { parentPort, workerData } from "node:worker_threads";
import type { FormattingAnswer, ValidationAnswer } from "@cedar-policy/cedar-wasm/nodejs";
import { spanOf, type Examined, type ExaminedPolicy, type Finding, type PackAnswer, type PackJob } from "./pack-span.ts";

type Wasm = typeof import("@cedar-policy/cedar-wasm/nodejs");
const wasm: Wasm = createRequire(import.meta.url)("@cedar-policy/cedar-wasm/nodejs");

type WasmError = Extract<FormattingAnswer, { readonly type: "failure" }>["errors"][number];

function findings(errors: readonly WasmError[], text: string): readonly Finding[] {
  return errors.map((error) => {
    const [place] = error.sourceLocations ?? [];
    const label = place?.label ?? "";
    const message = label === "" ? error.message : `${error.message}: ${label}`;
    return { message, help: error.help, ...spanOf(text, place) };
  });
}

function format(text: string): Examined {
  const answer = wasm.formatPolicies({ policyText: text, lineWidth: 120, indentWidth: 2 });
  if (answer.type === "failure") return { findings: findings(answer.errors, text), policies: [] };
  return { findings: [], policies: [], formatted: answer.formatted_policy };
}

/** Policies come back in the order of their numbers as text, and not as they stand: each is looked for. */
function placed(texts: readonly string[], whole: string): readonly ExaminedPolicy[] {
  const taken = new Set<number>();
  return texts.map((text) => {
    let start = whole.indexOf(text);
    while (taken.has(start)) start = whole.indexOf(text, start + 1);
    taken.add(start);
    const parsed = wasm.policyToJson(text);
    const annotations = parsed.type === "success" ? parsed.json.annotations : undefined;
    return { id: annotations?.["id"] ?? null, start: Math.max(0, start), end: Math.max(0, start) + text.length };
  });
}

function shifted(answer: ValidationAnswer, text: string, start: number): readonly Finding[] {
  const errors = answer.type === "failure" ? answer.errors : [...answer.validationErrors, ...answer.validationWarnings].map(({ error }) => error);
  return findings(errors, text).map((each) => ({ ...each, start: each.start + start, end: each.end + start }));
}

function examine(text: string, schema: string): Examined {
  const parts = wasm.policySetTextToParts(text);
  if (parts.type === "failure") return { findings: findings(parts.errors, text), policies: [] };
  const templates = placed(parts.policy_templates, text).map(({ start, end }) => ({ message: "a template is not part of a pack", help: "write the policy without slots", start, end }));
  const policies = [...placed(parts.policies, text)].sort((a, b) => a.start - b.start);
  const invalid = policies.flatMap(({ id, start, end }) => {
    const own = text.slice(start, end);
    return shifted(wasm.validate({ schema, policies: { staticPolicies: { [id ?? "policy"]: own } }, validationSettings: { mode: "strict" } }), own, start);
  });
  return { findings: [...templates, ...invalid], policies };
}

function answer(job: PackJob): PackAnswer {
  if (job.kind === "format") return job.texts.map(format);
  if (job.kind === "schema") {
    const made = wasm.schemaToJsonWithResolvedTypes(job.text);
    return [{ findings: made.type === "failure" ? findings(made.errors, job.text) : [], policies: [] }];
  }
  return job.texts.map((text) => examine(text, job.schema));
}

const job: PackJob = workerData;
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
parentPort?.postMessage(answer(job));
