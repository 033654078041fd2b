import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { SuiteReport } from "@licet/contract";
import { expect, test } from "vitest";
import { parse, stringify } from "yaml";
import { json, startOipModel } from "../../../../test/unit/support/oip-model.ts";

const root = path.resolve(import.meta.dirname, "../../../..");
const rows = ["s,y", ...Array.from({ length: 300 }, (_, at) => `${((at * 0.618034) % 1).toFixed(3)},${Number((at * 0.618034) % 1 > 0.4)}`)].join("\n");

/** The example with a model that is served instead of a file, and one check of it. */
function project(): string {
  const folder = mkdtempSync(path.join(tmpdir(), "licet-served-"));
  const manifest: object = parse(readFileSync(path.join(root, "examples/tumour-classifier/licet.yaml"), "utf8"));
  const components = {
    models: [{ name: "credit", provider: "kserve", model: "risk-net", version: "7", scoring: { protocol: "oip", batchRows: 100 }, description: "served" }],
    datasets: [{ name: "test", file: "test.csv", sensitivity: "public", licence: "none", retentionDays: 1 }],
  };
  const assurance = { checks: [{ id: "auc", check: "perf.metric", model: "credit", dataset: "test", target: "y", metric: "auc", floor: 0.5 }] };
  writeFileSync(path.join(folder, "licet.yaml"), stringify({ ...manifest, components, assurance }));
  writeFileSync(path.join(folder, "test.csv"), rows);
  return folder;
}

async function checked(folder: string, args: readonly string[]): Promise<SuiteReport> {
  const out = await new Promise<string>((resolve) => {
    execFile(process.execPath, ["--conditions=source", path.join(root, "packages/licet/src/cli/main.ts"), "check", "--practice", "--json", "--dir", folder, "--workers", "1", ...args], { env: { ...process.env, MODEL_KEY: "k-3" } }, (_error, stdout, stderr) => resolve(stdout || stderr));
  });
  return SuiteReport.parse(JSON.parse(out));
}

test("a declared model without a file is asked where the command line says, and nowhere without it", async () => {
  await using model = await startOipModel();
  model.metadata = { name: "risk-net", inputs: [{ name: "x", datatype: "FP32", shape: [-1, 1] }], outputs: [] };
  model.infer = (_request, response, body) => {
    const { id, inputs } = JSON.parse(body);
    json(response, 200, { id, model_name: "risk-net", model_version: "7", outputs: [{ name: "p", datatype: "FP32", shape: [inputs[0].shape[0], 1], data: inputs[0].data }] });
  };
  const folder = project();
  const asked = await checked(folder, ["--endpoint", `credit=${model.baseUrl}`, "--endpoint-key", "credit=MODEL_KEY"]);
  expect(asked.results).toMatchObject([{ verdict: "pass", subject: { kind: "oip", id: "credit", served: { url: `${model.baseUrl}/models/risk-net/versions/7`, version: "7" } } }]);
  expect(new Set(model.received.map(({ headers }) => headers.authorization))).toEqual(new Set(["Bearer k-3"]));
  // Three batches, and one row in the end, to see which version answers.
  expect(model.received.filter(({ path: where }) => where.startsWith("POST"))).toHaveLength(4);
  model.received.length = 0;
  expect((await checked(folder, [])).results).toMatchObject([{ verdict: "errored", error: { code: "endpoint_unknown" } }]);
  expect(model.received).toEqual([]);
}, 60_000);
