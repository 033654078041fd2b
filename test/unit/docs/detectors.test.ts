import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

it("the figures of docs/detectors.md are what the detectors come to on the labelled sets", () => {
  const script = fileURLToPath(new URL("../../../scripts/evaluate-detectors.ts", import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, ["--conditions=source", script, "--docs", "--check"], { encoding: "utf8" });
  expect([status, stderr]).toEqual([0, ""]);
});
