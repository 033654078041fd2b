import { expect, test } from "vitest";
import { gateKindOf } from "./gate-kinds.ts";

test("a check of cost, form or repetition never stands for one of quality, injection or privacy", () => {
  const asked = ["data", "perf", "fair", "robust", "privacy", "explain", "artifact", "injection", "quality"];
  for (const check of ["llm.cost", "llm.format", "llm.consistency", "llm.overrefusal", "llm.unheard.of", "robust.determinism", "robust.input", "drift.numeric", "import.report"]) {
    expect(asked).not.toContain(gateKindOf(check));
  }
});

test.each([["llm.utility", "quality"], ["llm.grounded", "quality"], ["llm.injection.indirect.rag", "injection"], ["llm.leak.system", "privacy"], ["privacy.membership", "privacy"], ["robust.evasion", "robust"], ["explain.permutation", "explain"], ["artifact.scan", "artifact"], ["calib.ece", "perf"], ["perf.metric", "perf"]])("%s is evidence of %s", (check, kind) => {
  expect(gateKindOf(check)).toBe(kind);
});
