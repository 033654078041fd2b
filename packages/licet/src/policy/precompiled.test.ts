import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { digestOf } from "@licet/evidence";
import { afterAll, describe, expect, test } from "vitest";
import { builtinBundle, builtinSource } from "./builtin.ts";
import { bundleJson, readBundle } from "./bundle-read.ts";
import type { Bundle } from "./bundle-form.ts";
import { packOf } from "./bundle-fixture.ts";
import { precompiledOf, readPrecompiled } from "./precompiled.ts";

const source = { schema: "namespace Licet {}", builtin: [packOf({ name: "a", kind: "builtin" }, "a"), packOf({ name: "b", kind: "builtin" }, "b")] };
const folder = mkdtempSync(join(tmpdir(), "licet-policies-"));
afterAll(() => rmSync(folder, { recursive: true }));

const put = (value: unknown) => writeFileSync(join(folder, "policies.json"), JSON.stringify(value));
const bundle = builtinBundle();

describe("what a build has compiled", () => {
  test("is the bundle that a start would compile", () => {
    put(precompiledOf(source, bundle));
    expect(readPrecompiled(source, folder)).toEqual(bundle);
  });

  test("is not used for other sources, nor in another order", () => {
    put(precompiledOf(source, bundle));
    const [a, b] = source.builtin;
    for (const other of [{ ...source, schema: "namespace Licet { }" }, { ...source, builtin: a === undefined ? [] : [a] }, { ...source, builtin: b === undefined || a === undefined ? [] : [b, a] }]) {
      expect(readPrecompiled(other, folder)).toBeUndefined();
    }
  });

  test("refuses to start where its content is not that of its digest, and is not missed when absent", () => {
    const made = precompiledOf(source, bundle);
    put({ ...made, json: made.json.replace("runtime.held", "runtime.other") });
    expect(() => readPrecompiled(source, folder)).toThrow(/digest/u);
    expect(readPrecompiled(source, join(folder, "nothing"))).toBeUndefined();
  });

  test("decides without cedar-wasm, in a process that has nothing else", () => {
    put(precompiledOf(builtinSource(), bundle));
    const address = (name: string) => JSON.stringify(pathToFileURL(join(import.meta.dirname, name)).href);
    const program = `
      import { builtinSource } from ${address("builtin.ts")};
      import { readPrecompiled } from ${address("precompiled.ts")};
      import { createDecider } from ${address("decide.ts")};
      import { isCedarWasmLoaded } from ${address("wasm.ts")};
      import { createRequire } from "node:module";
      const bundle = readPrecompiled(builtinSource(), ${JSON.stringify(folder)});
      const decision = createDecider(bundle).decide(bundle.golden[0].request);
      const loaded = Object.keys(createRequire(import.meta.url).cache).filter((each) => each.includes("cedar-wasm"));
      process.stdout.write(JSON.stringify({ decision: decision.decision, errors: decision.errors.length, wasm: isCedarWasmLoaded() || loaded.length > 0 }));`;
    const out = execFileSync(process.execPath, ["--conditions=source", "--input-type=module", "-e", program], { encoding: "utf8" });
    expect(JSON.parse(out)).toEqual({ decision: bundle.golden[0]?.decision, errors: 0, wasm: false });
  });
});

test("a bundle of a thousand policies is loaded without cedar-wasm, in a small multiple of what reading its JSON takes", () => {
  const [model] = bundle.policies.filter(({ id }) => id === "runtime.region");
  if (model === undefined) throw new Error("the built-in policies have changed");
  const policies = Array.from({ length: 1000 }, (_, index) => ({ ...model, id: `own.region-${index}`, text: model.text.replace("runtime.region", `own.region-${index}`) }));
  const { digest: _, ...content } = { ...bundle, policies, golden: [], packs: [] };
  const large: Bundle = { ...content, digest: digestOf(content) };
  const json = bundleJson(large);
  expect(readBundle(json, large.digest).policies.length).toBe(1000);
  const best = (work: () => unknown) => Math.min(...Array.from({ length: 9 }, () => timed(work)));
  // A ratio in one run, as the machine may be busy; `npm run bench:policy` measures the milliseconds. Parsing the texts would take hundreds of times as long.
  expect(best(() => readBundle(json, large.digest)) / best(() => JSON.parse(json))).toBeLessThan(60);
});

function timed(work: () => unknown): number {
  const before = performance.now();
  work();
  return performance.now() - before;
}
