import { join } from "node:path";
import { expect, test } from "vitest";
import { askedByGate } from "./check-asked.ts";
import { projectHere } from "./project.ts";

const { project } = projectHere({ dir: join(import.meta.dirname, "../../../../examples/tumour-classifier") });
if (project === undefined) throw new Error("the example has a manifest");
const checks = [{ check: { id: "a", check: "perf.metric", model: "m", dataset: "d", target: "t", metric: "auc", floor: 0.9 }, remarks: [] }];

test("a proposed check says with which limit the gate counts it, and what the gate asks for beside it", () => {
  const asked = askedByGate(project, { checks, lacking: [{ kind: "fair", add: "say who is affected" }] }, Date.UTC(2026, 10, 20));
  expect(checks.flatMap(({ check }) => asked.remarks(check))).toEqual(["tier high asks for it before production: `check.performance`", "the gate counts it with a limit of at least 0.5, or a stricter one"]);
  expect(asked.remarks({ id: "b", check: "artifact.scan", artifact: "m" })).toEqual([]);
  expect(asked.remarks({ check: "of nobody" })).toEqual([]);
  const sentences = asked.missing.map(({ sentence }) => sentence);
  expect(sentences).toContain("before production, tier high also asks that fairness between groups is measured against a limit: `fair.parity` with a limit of at most 0.1, or `fair.opportunity` with a limit of at most 0.1; say who is affected");
  expect(sentences.join()).not.toContain("performance");
});
