import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { composeBundle } from "../policy/compose.ts";
import { checkPacks } from "../policy/pack-check.ts";
import { openPacks } from "../policy/pack-folder.ts";
import { formatPacks } from "../policy/pack-format.ts";
import type { PackSource } from "../policy/pack.ts";
import { applicationPack } from "./policy-scaffold.ts";

/** Asks for a computation with times, which the empty context of an application must not be taken to reach. */
const installed: PackSource = {
  name: "runtime",
  manifest: { v: 1, name: "runtime", title: "t", description: "d", kind: "builtin", order: 10 },
  policies: [{ path: "a.cedar", text: '@id("runtime.fresh") forbid (principal, action in Licet::Action::"act", resource) unless { context has at && context.at <= context.now && context.now < context.at.offset(duration("15m")) };' }],
  scenarios: [],
};
const source = { schema: 'namespace Licet { entity Person; entity Hold; action act; action lift in [act] appliesTo { principal: Person, resource: Hold, context: { now: datetime, at?: datetime } }; }', builtin: [installed] };

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "licet-scaffold-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

it("a new application pack is sound, formatted, tested in full, and needs no change", async () => {
  for (const name of ["web-shop", "2nd"]) {
    for (const { path, text } of applicationPack(name)) {
      const file = join(folder, "packs", name, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, text);
    }
  }
  const { diagnostics, bundle, scenarios } = await checkPacks(openPacks(folder), { source, builtin: composeBundle({ ...source, packs: [] }).bundle });
  expect(diagnostics).toEqual([]);
  expect(scenarios).toHaveLength(6);
  expect(bundle?.packs.map(({ name, kind, covered }) => [name, kind, covered])).toEqual([["runtime", "builtin", []], ["2nd", "application", ["2nd.owner", "2nd.locked"]], ["web-shop", "application", ["web-shop.owner", "web-shop.locked"]]]);
  for (const { before, after } of (await formatPacks(openPacks(folder))).files) expect(after).toBe(before);
});
