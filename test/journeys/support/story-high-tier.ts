import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { approve } from "./people.ts";
import { examples, licet, node, type Ran } from "./run.ts";
import { workingCopy, type Stage } from "./story.ts";

const space = "main";
const system = "tumour-classifier";

/** Answers that only a person may give: the stricter branch holds until the risk owner has signed. */
export function assessing(stage: () => Stage): void {
  describe("assess what only a person may answer", () => {
    it("a claimed derogation holds the tier high until the risk owner has signed it", async () => {
      const { developer, risk } = stage().cast;
      const folder = join(stage().folder, "candidate-sorter");
      mkdirSync(join(stage().folder, "claims"));
      renameSync(workingCopy(join(stage().folder, "claims"), "helpdesk-assistant"), folder);
      const file = join(folder, "licet.yaml");
      const claims = "annexIII: [recruitment]\n    derogation: { profiles: false, narrowProcedural: true, noSignificantRisk: true }";
      writeFileSync(file, readFileSync(file, "utf8").replace("name: helpdesk-assistant", "name: candidate-sorter").replace("annexIII: []", claims));
      expect(await developer.licet("push", "--dir", folder)).toMatchObject({ code: 0 });
      const strict = await developer.licet("assess", "--dir", folder);
      expect(strict.out).toMatch(/^tier high$/mu);
      const open = [...strict.out.matchAll(/^ {2}(\w+): .*\(risk-owner\)$/gmu)].map((match) => match[1] ?? "");
      expect(open).toEqual(["D0", "D1", "D5"]);
      const answer = (question: string, value: string): string[] => ["answer", question, "--value", value, "--reason", "read the process", "--dir", folder];
      expect(await developer.licet(...answer("D0", "no"))).toMatchObject({ code: 1, err: expect.stringContaining("error[") });
      for (const [question, value] of [["D0", "no"], ["D1", "yes"], ["D5", "yes"]] as const) expect(await risk.licet(...answer(question, value))).toMatchObject({ code: 0 });
      expect((await developer.licet("assess", "--dir", folder)).out).toMatch(/^tier minimal$/mu);
    });
  });
}

/** The classical model: evidence from the server's own runner, two people, a decision before each batch. */
export function highTier(stage: () => Stage): void {
  let folder = "";
  const predict = (credential: string): Promise<Ran> =>
    node([join(examples, system, "predict.ts"), join(folder, "data/test.csv"), join(folder, "predictions.csv")], { env: { LICET_DATA_URL: stage().server.dataUrl, LICET_CREDENTIAL: credential } });

  async function promoted(to: string): Promise<void> {
    const { developer, tumourRisk, official } = stage().cast;
    const asked = await developer.licet("promote", "--dir", folder, "--to", to);
    expect(asked.code).toBe(1);
    const request = /requests\/(req_\w+)/u.exec(asked.out)?.[1] ?? "";
    const queue = await official.client("showQueue", { params: { space } });
    expect(queue.items.find((item) => item.request.id === request)).toMatchObject({ mayAnswer: true });
    expect(await approve(tumourRisk, { request, role: "risk-owner", comment: "residual risk accepted" })).toMatchObject({ status: "open" });
    await expect(approve(tumourRisk, { request, role: "authorizing-official", comment: "twice" })).rejects.toThrow(/./u);
    expect(await approve(official, { request, role: "authorizing-official", comment: "agreed" })).toMatchObject({ status: "granted", ato: expect.stringMatching(/^ato_/u) });
  }

  describe("a high tier", () => {
    it("checks on real files have three verdicts; only the server's own runner counts", async () => {
      folder = workingCopy(stage().folder, system);
      const { developer } = stage().cast;
      expect(await developer.licet("push", "--dir", folder)).toMatchObject({ code: 0, out: expect.stringContaining("tier high") });
      const practice = await licet(["check", "--practice"], { cwd: folder });
      expect(practice.out).toContain("practice: not evidence");
      const own = await developer.licet("check", "--dir", folder);
      expect(own.out).toContain("producer `self`");
      const before = await developer.licet("gate", "--dir", folder, "--to", "pilot");
      expect(before).toMatchObject({ code: 1, err: "", out: expect.stringMatching(/^✗ /mu) });
      const counted = await developer.licet("check", "--dir", folder, "--on-server");
      expect(counted.code).toBe(1);
      expect(counted.out).toMatch(/^pass +accuracy +accuracy 0\.\d+ \(at least 0\.9\d*\)/mu);
      expect(counted.out).toMatch(/^insufficient +texture-odds/mu);
      const after = await developer.licet("gate", "--dir", folder, "--to", "pilot");
      const unmet = (text: string): number => text.match(/^✗ /gmu)?.length ?? 0;
      expect(unmet(after.out)).toBeLessThan(unmet(before.out));
    });

    it("two people in two roles open a stage; one person cannot be both", async () => {
      await promoted("experiment");
      await promoted("pilot");
      const { out } = await stage().cast.developer.licet("ato", "show", "--dir", folder);
      expect(out).toMatch(/granted +pilot +local/u);
    });

    it("the predictor scores nothing without an allow, and everything with one", async () => {
      const refused = await predict("lct_not-a-credential");
      expect(refused).toMatchObject({ code: 1, out: expect.stringContaining("refused to score") });
      expect(existsSync(join(folder, "predictions.csv"))).toBe(false);
      const file = join(stage().folder, "tumour-credential");
      expect(await stage().cast.platform.licet("deploy", "record", "--dir", folder, "--environment", "local", "--stage", "pilot", "--credential-file", file)).toMatchObject({ code: 0 });
      const credential = readFileSync(file, "utf8").trim();
      await vi.waitFor(async () => expect(await predict(credential)).toMatchObject({ code: 0, out: expect.stringContaining("allowed by decision dec_") }), { timeout: 30_000 });
      expect(readFileSync(join(folder, "predictions.csv"), "utf8").split("\n").length).toBeGreaterThan(100);
    });

    it("production is honest about what is not built yet", async () => {
      const { code, out } = await stage().cast.developer.licet("gate", "--dir", folder, "--to", "production");
      expect(code).toBe(1);
      expect(out).toContain("this version of Licet");
    });
  });
}
