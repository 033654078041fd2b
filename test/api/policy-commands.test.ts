import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { runPolicyBacktest, runPolicyBacktests } from "../../packages/licet/src/cli/policy-backtest.ts";
import { runPolicyHistory, runPolicyPublish } from "../../packages/licet/src/cli/policy-publish.ts";
import { runPolicyPull } from "../../packages/licet/src/cli/policy-pull.ts";
import { readBundleFile } from "../../packages/licet/src/cli/policy-folder.ts";
import { readPackFolder } from "../../packages/licet/src/policy/pack.ts";
import { install, type Installation } from "./installation.ts";

let installation: Installation;
let folder = "";
const out: string[] = [];
const terminal = { out: (text: string) => void out.push(text), err: () => undefined, colour: false, width: 100 };
beforeAll(async () => {
  installation = await install();
  folder = await mkdtemp(join(tmpdir(), "licet-policies-"));
  const { token } = await installation.person("main", ["platform-engineer"]);
  vi.stubEnv("LICET_TOKEN", token);
  vi.stubEnv("LICET_URL", installation.baseUrl);
});
afterAll(async () => {
  vi.unstubAllEnvs();
  await rm(folder, { recursive: true, force: true });
  await installation.close();
});

async function said(work: Promise<number>): Promise<{ readonly exit: number; readonly text: string }> {
  out.length = 0;
  return { exit: await work, text: out.join("\n") };
}

test("a folder is tried, published, pulled back as it was, and replayed against", async () => {
  const pack = join(folder, "mine");
  await mkdir(join(pack, "packs", "team-rules"), { recursive: true });
  await writeFile(join(pack, "packs/team-rules/pack.yaml"), "v: 1\nname: team-rules\ntitle: Ours\ndescription: What we add.\nkind: team\nsystems: [helpdesk]\n");
  await writeFile(join(pack, "packs/team-rules/rules.cedar"), `@id("team-rules.no-internal")\n@title("no internal data")\n@remedy("leave it out")\n@turn("technical-owner")\nforbid (principal, action == Licet::Action::"callModel", resource) when { context.dataClasses.contains("internal") };\n`);
  expect(await said(runPolicyPublish({ folder: pack, dryRun: true }, terminal))).toMatchObject({ exit: 0, text: expect.stringMatching(/^\+ team-rules\.no-internal\nwould publish sha256:/u) });
  await expect(runPolicyPublish({ folder: pack }, terminal)).rejects.toThrow("--comment");
  expect(await said(runPolicyPublish({ folder: pack, comment: "because of the audit" }, terminal))).toMatchObject({ exit: 0, text: expect.stringMatching(/^published \(sole operator/u) });
  expect((await said(runPolicyHistory({}, terminal))).text).toMatch(/\(active\).*\+1 ~0 -0.*because of the audit/u);
  const file = join(folder, "bundle.json");
  expect((await said(runPolicyPull({ file, packs: join(folder, "pulled") }, terminal))).exit).toBe(0);
  expect(readBundleFile(file).policies.some(({ id }) => id === "team-rules.no-internal")).toBe(true);
  expect(readPackFolder(join(folder, "pulled"))).toEqual(readPackFolder(pack));
  expect(await readdir(join(folder, "pulled/packs/team-rules"))).toEqual(["pack.yaml", "rules.cedar"]);
  expect((await readFile(file, "utf8")).endsWith("\n")).toBe(true);
  const replay = await said(runPolicyBacktest({ bundle: file }, terminal));
  expect(replay).toMatchObject({ exit: 0, text: expect.stringContaining("0 decisions from") });
  expect((await said(runPolicyBacktests({}, terminal))).text).toMatch(/^BACKTEST.*\nbkt_\w+ +done/u);
});
