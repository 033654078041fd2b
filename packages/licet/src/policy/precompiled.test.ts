import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { builtinBundle, precompiledBuiltin } from "./bundle.ts";
import { readPrecompiled, sourcesDigest } from "./precompiled.ts";

const source = { schema: "namespace Licet {}", texts: ["a", "b"] };
const folder = mkdtempSync(join(tmpdir(), "licet-policies-"));
afterAll(() => rmSync(folder, { recursive: true }));

const put = (value: unknown) => writeFileSync(join(folder, "policies.json"), JSON.stringify(value));
const made = precompiledBuiltin();

test("what a build has compiled is the bundle that a start would compile, with every policy parsed", () => {
  put({ ...made, sources: sourcesDigest(source) });
  expect(readPrecompiled(source, folder)?.bundle).toEqual(builtinBundle());
  expect(made.parsed.map(([text]) => text)).toEqual(builtinBundle().policies.map(({ text }) => text));
});

test("it is not used for other sources, nor in another order", () => {
  put({ ...made, sources: sourcesDigest(source) });
  for (const other of [{ ...source, schema: "namespace Licet { }" }, { ...source, texts: ["a"] }, { ...source, texts: ["b", "a"] }, { ...source, texts: ["ab"] }]) {
    expect(readPrecompiled(other, folder)).toBeUndefined();
  }
});

test("it is not used when its content is not that of its digest, and not missed when absent", () => {
  const [first, ...rest] = made.bundle.policies;
  put({ ...made, sources: sourcesDigest(source), bundle: { ...made.bundle, policies: [{ ...first, id: "other" }, ...rest] } });
  expect(readPrecompiled(source, folder)).toBeUndefined();
  expect(readPrecompiled(source, join(folder, "nothing"))).toBeUndefined();
});
