import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AssuranceSection, runnerDefaults } from "@licet/contract";
import { expect, test } from "vitest";
import { startOipModel } from "../../../../test/unit/support/oip-model.ts";
import { linearModel } from "../../../../test/unit/support/small-models.ts";
import { modelBytes, nodeOf } from "../../../../test/unit/support/write-model.ts";
import { exampleBundle, exampleManifest } from "../inventory/example-manifest.ts";
import { declaredFiles } from "./declared-check.ts";
import { Runner } from "./runner.ts";

const runner = new Runner(runnerDefaults);

/** Many values of some thirty megabytes each for a thousand rows. */
const grows = modelBytes({ input: "x", width: 2, output: "y", nodes: Array.from({ length: 90 }, (_, at) => nodeOf({ op: "Concat", in: at === 0 ? ["x", "x"] : at < 12 ? [`c${at - 1}`, `c${at - 1}`] : ["c11"], out: [at === 89 ? "y" : `c${at}`], int: { axis: 1 } })) });
const table = ["a,b,y", ...Array.from({ length: 2000 }, (_, at) => [(at * 0.618034) % 1, (at * 0.754878) % 1, at % 2].join(","))].join("\n");

test("the server's runner runs models in processes of their own: one that takes more than it may ends alone, and nothing in a manifest is dialled", async () => {
  const root = mkdtempSync(join(tmpdir(), "licet-models-"));
  const files = Object.fromEntries(Object.entries({ fine: linearModel([3, -1], 0), grows, rows: Buffer.from(table) }).map(([name, bytes]) => {
    writeFileSync(join(root, name), bytes);
    return [name, { path: name, digest: `sha256:${createHash("sha256").update(bytes).digest("hex")}` }];
  }));
  await using endpoint = await startOipModel();
  const on = { check: "perf.metric", dataset: "rows", target: "y", positive: 1, metric: "auc", floor: 0.1 };
  const suite = AssuranceSection.parse({ checks: [{ id: "grows", ...on, model: "grows" }, { id: "fine", ...on, model: "fine" }, { id: "served", ...on, model: endpoint.baseUrl }] });
  const { results } = await runner.run({ suite, root, files, seed: "s", attempts: [], reuse: [], release: "r" });
  expect(results.map(({ verdict, reason }) => [verdict, reason])).toEqual([["insufficient_evidence", "unanswered"], ["pass", undefined], ["errored", "endpoint_unknown"]]);
  expect(endpoint.received).toEqual([]);
  rmSync(root, { recursive: true });
}, 120_000);

test("a served model is no file of the release, also where the digest of its weights is declared", () => {
  const digest = `sha256:${"ab".repeat(32)}`;
  const model = { name: "credit", provider: "kserve", model: "credit", digest };
  const bundle = (more: object) => exampleBundle({ ...exampleManifest, components: { ...exampleManifest.components, models: [{ ...model, ...more }] } });
  expect([...declaredFiles(bundle({}))]).toEqual([["credit", digest]]);
  expect([...declaredFiles(bundle({ scoring: { protocol: "oip" } }))]).toEqual([]);
});
