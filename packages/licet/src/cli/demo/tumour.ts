import { readFileSync } from "node:fs";
import { join } from "node:path";
import { componentFiles } from "../check-files.ts";
import { approve, space } from "./cast.ts";
import { askFor, pushProject, recordDeployment, runExample, tellGate, tellRun, workingCopy, type Stage } from "./stage.ts";

const system = "tumour-classifier";

async function check(stage: Stage, project: Parameters<typeof componentFiles>[0] & { readonly folder: string }, release: string): Promise<void> {
  const { cast, say } = stage;
  say.command("licet check --on-server");
  for (const file of Object.values(componentFiles(project))) {
    await cast.data.client("putFile", { params: { space, digest: file.digest }, body: readFileSync(join(project.folder, file.path)) });
  }
  const { items } = await cast.data.client("runOnServer", { params: { space, system }, body: { release } });
  for (const item of items) {
    const reason = typeof item.result["reason"] === "string" ? ` (${item.result["reason"].replaceAll("_", " ")})` : "";
    const line = `${item.checkId}: ${item.verdict.replaceAll("_", " ")}${reason}`;
    if (item.verdict === "pass") say.good(line);
    else say.refused(line);
  }
}

/** Two people in two roles, neither of them an author; the second answer opens the gate. */
async function promote(stage: Stage, to: "experiment" | "pilot"): Promise<void> {
  const { cast, say } = stage;
  say.command(`licet promote --to ${to}`);
  let request = await askFor(cast.data, system, to);
  if (request.gate !== null) tellGate(say, request.gate);
  if (request.status === "open") {
    request = await approve(cast.tumourRisk, request.id, "risk-owner", "checks read, residual risk accepted for a pilot");
    say.good(`${cast.tumourRisk.name} approved as risk owner: ${request.status}`);
  }
  if (request.status === "open") {
    request = await approve(cast.official, request.id, "authorizing-official", "agreed for ninety days");
    say.good(`${cast.official.name} approved as authorizing official: ${request.status}`);
  }
  if (request.status !== "granted") throw new Error(`${system} was not granted ${to}`);
  say.good(`authorization to operate ${request.ato ?? ""}`);
}

async function predict(stage: Stage, folder: string, credential: string): Promise<void> {
  stage.say.command("node predict.ts data/test.csv predictions.csv");
  const ran = await runExample(join(stage.examples, system, "predict.ts"), [join(folder, "data", "test.csv"), join(folder, "predictions.csv")], {
    LICET_DATA_URL: stage.server.dataUrl,
    LICET_CREDENTIAL: credential,
  });
  tellRun(stage.say, ran);
}

export async function tumourStory(stage: Stage): Promise<void> {
  const { cast, say } = stage;
  say.title("(b) tumour-classifier: a classical model on real data, high tier");
  const folder = workingCopy(stage, system);
  const { project, release } = await pushProject(cast.data, folder, say);
  const detail = await cast.data.client("showSystem", { params: { space, system } });
  for (const line of detail.assessment.arithmetic.slice(-3)) say.item(line);
  await check(stage, project, release);
  say.text("texture-odds is declared advisory: it is reported as insufficient and not demanded; every other check has to pass.");
  await promote(stage, "experiment");
  await promote(stage, "pilot");
  await predict(stage, folder, "lct_not-a-credential");
  const credential = await recordDeployment(stage, system, { release, stage: "pilot" });
  await stage.server.settled();
  await predict(stage, folder, credential);
  say.text("And production? The gate says honestly what is missing, also where this version of Licet cannot produce it yet:");
  say.command("licet gate --to production");
  const { answer } = await cast.data.client("askGate", { params: { space, system }, query: { to: "production" } });
  tellGate(say, answer);
}
