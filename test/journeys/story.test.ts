import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { ask, openai, refusedBy, request, type Asked } from "./support/asking.ts";
import { approve } from "./support/people.ts";
import { licet, node, examples } from "./support/run.ts";
import { openStage, workingCopy, type Stage } from "./support/story.ts";
import { assessing, highTier } from "./support/story-high-tier.ts";
import { proving } from "./support/story-prove.ts";

const system = "helpdesk-assistant";
const space = "main";
let stage: Stage;
let folder: string;
/** What earlier steps of the story leave for later ones. */
const kept = { credential: "", release: "", secondRelease: "", secondCredential: "", oldPrompt: "" };

beforeAll(async () => {
  stage = await openStage();
  folder = workingCopy(stage.folder, system);
});

afterAll(async () => {
  await stage.close();
});

function say(question?: string, credential = kept.credential): Promise<Asked> {
  return ask({ dataUrl: stage.server.dataUrl, credential, folder, ...(question !== undefined && { question }) });
}

/** A refusal is worth something when it says why, what to do, and where it stands in the record. */
async function expectRefused(asked: Asked, code: string): Promise<void> {
  expect(asked).toMatchObject({ kind: "refused", refused: { code } });
  if (asked.kind !== "refused") return;
  expect(asked.refused.policy).not.toBe("");
  expect(asked.refused.remedy).not.toBe("");
  expect(asked.refused.decision).toMatch(/^dec_/u);
  if (code === "credential_invalid") return;
  expect(await recorded(asked.refused.decision)).toMatchObject({ decision: "deny", code, system });
}

/** Decisions are durable at once and shown a moment later. */
function recorded(decision: string): Promise<unknown> {
  const shown = async (): Promise<unknown> => (await stage.cast.risk.client("showDecision", { params: { space, decision } })).decision;
  return vi.waitFor(shown, { timeout: 30_000, interval: 50 });
}

async function untilAsked(kind: Asked["kind"], credential?: string, withinMs = 1000): Promise<Asked> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const asked = await say(undefined, credential);
    if (asked.kind === kind || performance.now() > deadline) return asked;
  }
}

describe("declare", () => {
  it("init writes a template that validate refuses until it is filled in", async () => {
    const fresh = join(stage.folder, "fresh");
    expect(await licet(["init", "--dir", fresh, "--name", "my-assistant"])).toMatchObject({ code: 0 });
    expect(readFileSync(join(fresh, "licet.yaml"), "utf8")).toContain("name: my-assistant");
    expect(await licet(["init", "--dir", fresh])).toMatchObject({ code: 2 });
    const unfilled = await licet(["validate", join(fresh, "licet.yaml")]);
    expect(unfilled.code).toBe(1);
    expect(unfilled.out).toContain("manifest_unfilled");
  });

  it("validate passes the example in under a second, and prints text, json and sarif", async () => {
    const runs: Awaited<ReturnType<typeof licet>>[] = [];
    // Once of many is enough to show it: other tests keep the machine busy.
    while (runs.length < 3 || (runs.length < 20 && Math.min(...runs.map((run) => run.milliseconds)) >= 1000)) runs.push(await licet(["validate"], { cwd: folder }));
    expect(new Set(runs.map((run) => run.code))).toEqual(new Set([0]));
    expect(Math.min(...runs.map((run) => run.milliseconds))).toBeLessThan(1000);
    const json = await licet(["validate", "--format", "json"], { cwd: folder });
    expect(JSON.parse(json.out)).toMatchObject({ ok: true, release: expect.stringMatching(/^sha256:/u), diagnostics: [] });
    const sarif = await licet(["validate", "--format", "sarif"], { cwd: folder });
    expect(JSON.parse(sarif.out)).toMatchObject({ version: "2.1.0", runs: [{ results: [] }] });
  });

  it("all errors of a broken manifest come in one run, with place, code, caret and a suggestion", async () => {
    const broken = join(stage.folder, "broken.yaml");
    const text = readFileSync(join(folder, "licet.yaml"), "utf8");
    writeFileSync(broken, text.replace("autonomy: suggests", "autonomy: sugests").replace("purpose:", "purpos:").replace("retentionDays: 30", "retentionDays: -1"));
    const ran = await licet(["validate", broken]);
    expect(ran.code).toBe(1);
    expect(ran.out).toMatch(/broken\.yaml:\d+:\d+/u);
    expect(ran.out).toContain("did you mean");
    expect(ran.out).toContain("^");
    expect(ran.out.match(/error\[/gu)?.length).toBeGreaterThanOrEqual(3);
    const sarif = await licet(["validate", broken, "--format", "sarif"]);
    expect(sarif.code).toBe(1);
    expect((JSON.parse(sarif.out) as { runs: { results: unknown[] }[] }).runs[0]?.results.length).toBeGreaterThanOrEqual(3);
  });

  it("wrong use ends with 2, and what cannot be read with 3", async () => {
    expect(await licet(["validate", "--format", "xml"])).toMatchObject({ code: 2 });
    expect(await licet(["valdate"])).toMatchObject({ code: 2 });
    const absent = await licet(["validate", join(stage.folder, "nowhere.yaml")]);
    expect(absent.code).toBe(3);
    expect(absent.err).toContain("error[manifest_unreadable]");
  });

  it("schema prints the manifest's JSON Schema", async () => {
    const { code, out } = await licet(["schema"]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ $schema: expect.stringContaining("2020-12"), properties: { components: expect.anything() } });
  });
});

describe("register", () => {
  it("a plan first, nothing by a dry run, a release by a push, nothing by a second one", async () => {
    const { developer } = stage.cast;
    const dry = await developer.licet("push", "--dir", folder, "--dry-run");
    expect(dry.code).toBe(0);
    expect(dry.out).toMatch(/^\+ /mu);
    expect((await developer.client("listSystems", { params: { space }, query: {} })).items).toEqual([]);
    const push = await developer.licet("push", "--dir", folder);
    expect(push).toMatchObject({ code: 0, out: expect.stringContaining("a new system") });
    const before = (await developer.client("showSystem", { params: { space, system } })).releases;
    const twice = await developer.licet("push", "--dir", folder);
    expect(twice).toMatchObject({ code: 0, out: expect.stringContaining("no change") });
    const after = (await developer.client("showSystem", { params: { space, system } })).releases;
    expect(after).toEqual(before);
    kept.release = after[0]?.digest ?? "";
    expect(kept.release).toMatch(/^sha256:[0-9a-f]{64}$/u);
  });

  it("somebody without the role is refused, and somebody who is not signed in too", async () => {
    expect(await stage.cast.auditor.licet("push", "--dir", folder)).toMatchObject({ code: 1, err: expect.stringContaining("error[") });
    expect(await licet(["push", "--dir", folder, "--url", stage.server.url], { env: { LICET_SESSION_FILE: join(stage.folder, "nobody.json") } })).toMatchObject({ code: 3, err: expect.stringContaining("error[not_signed_in]") });
  });

  it("assess shows the tier with its arithmetic", async () => {
    const { code, out } = await stage.cast.developer.licet("assess", "--dir", folder);
    expect(code).toBe(0);
    expect(out).toMatch(/^tier minimal$/mu);
    expect(out).toContain("tier = max(");
  });
});

describe("gate and authorise", () => {
  it("before any authorization a credential of nobody opens nothing, and a deployment cannot be recorded", async () => {
    await expectRefused(await say(undefined, "lct_not-a-credential"), "credential_invalid");
    const early = await stage.cast.platform.licet("deploy", "record", "--dir", folder, "--environment", "local", "--stage", "pilot");
    expect(early).toMatchObject({ code: 1, err: expect.stringContaining("error[ato_not_granted]") });
    expect(await stage.simulator.requests()).toBe(0);
  });

  it("production names every unmet requirement with remedy and turn", async () => {
    const { code, out } = await stage.cast.developer.licet("gate", "--dir", folder, "--to", "production");
    expect(code).toBe(1);
    expect(out).toContain("requirements unmet");
    expect(out.match(/^✗ /gmu)?.length).toBe(out.match(/^ {4}do: {3}\S/gmu)?.length);
    expect(out.match(/^✗ /gmu)?.length).toBe(out.match(/^ {4}turn: \S/gmu)?.length);
  });

  it("saved facts decide again elsewhere, without a server, to the same bytes", async () => {
    for (const to of ["pilot", "production"]) {
      const facts = join(stage.folder, `${to}.facts.json`);
      const online = await stage.cast.developer.licet("gate", "--dir", folder, "--to", to, "--json", "--save-facts", facts);
      const offline = await licet(["gate", "--to", to, "--json", "--facts", facts], { cwd: stage.folder, env: { LICET_URL: "http://127.0.0.1:9" } });
      expect(offline.out).toBe(online.out);
      expect(offline.code).toBe(online.code);
    }
  });

  it("without facts, what only the server knows is unknown offline", async () => {
    const { code, out } = await licet(["gate", "--to", "pilot", "--offline"], { cwd: folder, env: { LICET_URL: "http://127.0.0.1:9" } });
    expect(code).toBe(1);
    expect(out).toContain("unknown offline");
  });

  it("at minimal tier a pilot waits for nobody, and its authorization is a signed statement with an end", async () => {
    const { developer } = stage.cast;
    for (const to of ["experiment", "pilot"]) {
      expect(await developer.licet("promote", "--dir", folder, "--to", to)).toMatchObject({ code: 0, out: expect.stringContaining("granted: ato_") });
    }
    expect(await developer.licet("ato", "show", "--dir", folder)).toMatchObject({ code: 0, out: expect.stringMatching(/granted +pilot +local/u) });
    const { out } = await developer.licet("ato", "show", "--dir", folder, "--json");
    const atos = JSON.parse(out) as { stage: string; release: string; notBefore: number; notAfter: number; statement: { payloadType: string } }[];
    const pilot = atos.find((ato) => ato.stage === "pilot");
    expect(pilot).toMatchObject({ release: kept.release, statement: { payloadType: "application/vnd.in-toto+json" } });
    expect((pilot?.notAfter ?? 0) - (pilot?.notBefore ?? 0)).toBeLessThanOrEqual(90 * 86_400_000);
  });

  it("production is not granted while requirements are unmet", async () => {
    const asked = await stage.cast.developer.licet("promote", "--dir", folder, "--to", "production");
    expect(asked.code).toBe(1);
    expect(asked.out).not.toContain("granted: ");
  });

  it("deploy record issues a credential into a file that only its owner reads", async () => {
    const file = join(stage.folder, "credential");
    const recorded = await stage.cast.platform.licet("deploy", "record", "--dir", folder, "--environment", "local", "--stage", "pilot", "--credential-file", file);
    expect(recorded).toMatchObject({ code: 0, out: expect.stringContaining("attested by you, not observed") });
    kept.credential = readFileSync(file, "utf8").trim();
    expect(kept.credential).toMatch(/^lct_/u);
    expect(recorded.out).not.toContain(kept.credential);
  });
});

describe("enforce", () => {
  it("an authorised call is answered, and its decision stands in the record", async () => {
    const asked = await untilAsked("answered");
    expect(asked).toMatchObject({ kind: "answered", answer: { text: expect.stringContaining("printer"), decision: expect.stringMatching(/^dec_/u) } });
    const id = asked.kind === "answered" ? asked.answer.decision : "";
    expect(await recorded(id)).toMatchObject({ decision: "allow", system, release: kept.release });
  });

  it("the example's own program answers, whole and as a stream", async () => {
    const env = { LICET_OPENAI_URL: `${stage.server.dataUrl}/openai/v1`, LICET_CREDENTIAL: kept.credential };
    for (const flags of [[], ["--stream"]]) {
      const ran = await node([join(examples, system, "ask.ts"), ...flags, "How do I reset my password?"], { env });
      expect(ran).toMatchObject({ code: 0, out: expect.stringMatching(/second factor[\s\S]*decision: dec_/u) });
    }
  });

  it("a model that the release does not declare is refused", async () => {
    const before = await stage.simulator.requests();
    await expectRefused(await ask({ dataUrl: stage.server.dataUrl, credential: kept.credential, folder, model: "gpt-5" }), "model_undeclared");
    expect(await stage.simulator.requests()).toBe(before);
  });

  it("personal data, a card number and a key are outside the boundary, and reach no provider", async () => {
    const before = await stage.simulator.requests();
    for (const secret of ["maria.example@example.com", "4111 1111 1111 1111", "AKIAIOSFODNN7EXAMPLE"]) {
      await expectRefused(await say(`reset the password of ${secret}`), "data_outside_boundary");
    }
    expect(await stage.simulator.requests()).toBe(before);
  });

  it("a parameter outside its declared bounds and an undeclared tool are another release", async () => {
    const client = openai({ dataUrl: stage.server.dataUrl, credential: kept.credential });
    const tools = [{ type: "function" as const, function: { name: "reboot", parameters: { type: "object" } } }];
    for (const change of [{ max_tokens: 5000 }, { tools }]) {
      const refused = await client.chat.completions.create({ ...request({ folder }), ...change }).then(() => undefined, refusedBy);
      expect(refused).toMatchObject({ code: "release_mismatch", status: 403 });
    }
  });

  it("a prompt edited without a push is another release", async () => {
    const prompt = join(folder, "prompts/system.md");
    kept.oldPrompt = readFileSync(prompt, "utf8");
    writeFileSync(prompt, `${kept.oldPrompt}\nAlways agree with the user.\n`);
    await expectRefused(await say(), "release_mismatch");
    writeFileSync(prompt, kept.oldPrompt);
    expect(await say()).toMatchObject({ kind: "answered" });
  });
});

describe("stop", () => {
  async function lift(output: string): Promise<void> {
    const hold = /\((hold_\w+)\)/u.exec(output)?.[1] ?? "";
    const lifted = await stage.cast.security.licet("hold", "lift", hold, "--reason", "checked");
    const id = /request (req_\w+)/u.exec(lifted.out)?.[1] ?? "";
    await expectRefused(await say(), "held");
    expect(await approve(stage.cast.risk, { request: id, role: "risk-owner", comment: "agreed" })).toMatchObject({ status: "granted" });
    expect(await untilAsked("answered")).toMatchObject({ kind: "answered" });
  }

  it("a hold refuses the next call within a second; only a second person lifts it", async () => {
    const held = await stage.cast.security.licet("hold", "place", "--system", system, "--reason", "answers look wrong");
    expect(held.code).toBe(0);
    await expectRefused(await untilAsked("refused"), "held");
    expect((await stage.cast.security.licet("hold", "list")).out).toMatch(/in force +helpdesk-assistant/u);
    await lift(held.out);
  });

  it("a hold on everything cuts a stream in flight: the client sees an error, not an end", async () => {
    const client = openai({ dataUrl: stage.server.dataUrl, credential: kept.credential });
    const stream = await client.chat.completions.create({ ...request({ folder }), stream: true });
    const chunks: string[] = [];
    let placed = 0;
    let hold = "";
    const cut = await (async () => {
      for await (const chunk of stream) {
        chunks.push(chunk.choices[0]?.delta.content ?? "");
        if (chunks.length !== 2) continue;
        hold = (await stage.cast.security.client("placeHold", { params: { space }, body: { scope: "all", reason: "exercise" } })).id;
        placed = performance.now();
      }
    })().then(() => undefined, refusedBy);
    expect(cut).toMatchObject({ code: "held" });
    expect(performance.now() - placed).toBeLessThan(1000);
    expect(chunks.join("")).not.toContain("4100. Switch the printer off, wait ten seconds, and switch it on again. Then remove it in your system settings and add it anew. If pages still do not come, note the code on its display and call extension 4100.");
    await lift(`(${hold})`);
  });
});

describe("change", () => {
  it("an edited description makes no new release, and calls go on", async () => {
    const file = join(folder, "licet.yaml");
    writeFileSync(file, readFileSync(file, "utf8").replace("description: Answers everyday IT questions", "description: Answers all everyday IT questions"));
    const pushed = await stage.cast.developer.licet("push", "--dir", folder);
    expect(pushed).toMatchObject({ code: 0, out: expect.stringContaining("the release stays") });
    const { releases } = await stage.cast.developer.client("showSystem", { params: { space, system } });
    expect(releases.map((release) => release.digest)).toEqual([kept.release]);
    expect(await say()).toMatchObject({ kind: "answered" });
  });

  it("a pushed prompt is a new release: the old one keeps running, the new one is refused", async () => {
    writeFileSync(join(folder, "prompts/system.md"), `${kept.oldPrompt}\nBe brief.\n`);
    const pushed = await stage.cast.developer.licet("push", "--dir", folder);
    expect(pushed).toMatchObject({ code: 0, out: expect.stringContaining("a new release") });
    const { releases } = await stage.cast.developer.client("showSystem", { params: { space, system } });
    kept.secondRelease = releases.find((release) => release.digest !== kept.release)?.digest ?? "";
    expect(kept.secondRelease).toMatch(/^sha256:/u);
    await expectRefused(await say(), "release_mismatch");
    const early = await stage.cast.platform.licet("deploy", "record", "--dir", folder, "--environment", "local", "--stage", "pilot");
    expect(early).toMatchObject({ code: 1, err: expect.stringContaining("error[ato_not_granted]") });
    const old = workingCopy(join(stage.folder, "old"), system);
    expect(await ask({ dataUrl: stage.server.dataUrl, credential: kept.credential, folder: old })).toMatchObject({ kind: "answered" });
  });

  it("authorised but not recorded as deployed it is still refused; recorded, it runs", async () => {
    for (const to of ["experiment", "pilot"]) expect(await stage.cast.developer.licet("promote", "--dir", folder, "--to", to)).toMatchObject({ code: 0 });
    await expectRefused(await say(), "release_mismatch");
    const file = join(stage.folder, "second-credential");
    expect(await stage.cast.platform.licet("deploy", "record", "--dir", folder, "--environment", "local", "--stage", "pilot", "--credential-file", file)).toMatchObject({ code: 0 });
    kept.secondCredential = readFileSync(file, "utf8").trim();
    expect(await untilAsked("answered", kept.secondCredential)).toMatchObject({ kind: "answered" });
    rmSync(file);
  });
});

describe("see", () => {
  it("the board, the system and its timeline show what the story has left", async () => {
    const { client } = stage.cast.risk;
    const board = await client("listSystems", { params: { space }, query: {} });
    expect(board.items).toMatchObject([{ name: system, stage: "pilot", tier: "minimal", held: false, next: "production" }]);
    expect(board.items[0]?.blocker).toMatchObject({ remedy: expect.stringMatching(/./u), turn: expect.stringMatching(/./u) });
    const detail = await client("showSystem", { params: { space, system } });
    expect(detail.releases).toHaveLength(2);
    expect(detail.deployments.filter((deployment) => deployment.active).length).toBeGreaterThanOrEqual(1);
    const { items } = await client("listDecisions", { params: { space, system }, query: { limit: 200 } });
    expect(new Set(items.map((item) => item.code))).toEqual(new Set([null, "model_undeclared", "data_outside_boundary", "release_mismatch", "held"]));
    const timeline = await client("showTimeline", { params: { space, system }, query: { limit: 200 } });
    expect(timeline.items.length).toBeGreaterThan(10);
  });

  it("every request that the simulator received has a durable allow", async () => {
    const received = await stage.simulator.requests();
    // The list is projected from the log after the fact; what the log holds shows up within moments.
    const allowed = async (): Promise<number> => {
      const { items } = await stage.cast.risk.client("listDecisions", { params: { space, system }, query: { limit: 200 } });
      return items.filter((item) => item.decision === "allow").length;
    };
    await expect.poll(allowed, { timeout: 10_000 }).toBe(received);
  });
});

assessing(() => stage);
highTier(() => stage);
proving(() => stage);
