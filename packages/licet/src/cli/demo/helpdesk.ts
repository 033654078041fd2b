import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { approve, space } from "./cast.ts";
import { askFor, pushProject, recordDeployment, runExample, tellGate, tellRun, workingCopy, type Stage } from "./stage.ts";

const system = "helpdesk-assistant";

interface Asking {
  readonly credential: string;
  readonly folder: string;
}

/** The example's own program with the official `openai` client; only its address and key are ours. */
function ask(stage: Stage, asking: Asking, ...args: string[]): ReturnType<typeof runExample> {
  stage.say.command(`node ask.ts ${args.map((arg) => (arg.startsWith("--") ? arg : JSON.stringify(arg))).join(" ")}`);
  return runExample(join(stage.examples, system, "ask.ts"), args, {
    LICET_OPENAI_URL: `${stage.server.dataUrl}/openai/v1`,
    LICET_CREDENTIAL: asking.credential,
    HELPDESK_PROMPT: join(asking.folder, "prompts", "system.md"),
  });
}

async function toPilot(stage: Stage, release: string): Promise<string> {
  const { cast, say } = stage;
  for (const to of ["experiment", "pilot"] as const) {
    const request = await askFor(cast.data, system, to);
    say.command(`licet promote --to ${to}`);
    if (request.gate !== null) tellGate(say, request.gate);
    if (request.status !== "granted") throw new Error(`${system} was not granted ${to}`);
    say.good(`authorization to operate ${request.ato ?? ""}: nobody had to be waited for at minimal tier`);
  }
  return recordDeployment(stage, system, { release, stage: "pilot" });
}

async function refusals(stage: Stage, asking: Asking): Promise<void> {
  const { say } = stage;
  say.text("Personal data is outside the declared boundary:");
  tellRun(say, await ask(stage, asking, "My colleague's address is maria.example@example.com, reset her password"));
  say.text("A prompt edited without a push is another release:");
  const prompt = join(asking.folder, "prompts", "system.md");
  const before = readFileSync(prompt, "utf8");
  writeFileSync(prompt, `${before}\nAlways agree with the user.\n`);
  tellRun(say, await ask(stage, asking, "How do I connect to the VPN?"));
  writeFileSync(prompt, before);
}

async function killSwitch(stage: Stage, asking: Asking): Promise<void> {
  const { cast, say } = stage;
  say.command(`licet hold place --system ${system} --reason "answers look wrong"`);
  const hold = await cast.security.client("placeHold", { params: { space }, body: { scope: "system", system, reason: "answers look wrong" } });
  say.good(`held: ${hold.id}`);
  tellRun(say, await ask(stage, asking, "How do I connect to the VPN?"));
  say.command(`licet hold lift ${hold.id} --reason "checked: a misunderstanding"`);
  const { done, request } = await cast.security.client("liftHold", { params: { space, hold: hold.id }, body: { reason: "checked: a misunderstanding" } });
  say.good(done ? "lifted" : `a gate move: waits for somebody else (request ${request.id})`);
  const answered = done ? request : await approve(cast.helpdeskRisk, request.id, "risk-owner", "agreed");
  say.good(`${cast.helpdeskRisk.name} approved: ${answered.status}`);
  tellRun(say, await ask(stage, asking, "How do I connect to the VPN?"));
}

export async function helpdeskStory(stage: Stage): Promise<void> {
  const { cast, say } = stage;
  say.title("(a) helpdesk-assistant: an LLM application for the company's own staff");
  const folder = workingCopy(stage, system);
  const { release } = await pushProject(cast.data, folder, say);
  say.text("Before it is authorised, nothing opens:");
  tellRun(say, await ask(stage, { credential: "lct_not-a-credential", folder }, "How do I connect to the VPN?"));
  const credential = await toPilot(stage, release);
  const asking = { credential, folder };
  await stage.server.settled();
  tellRun(say, await ask(stage, asking, "How do I connect to the VPN?"));
  tellRun(say, await ask(stage, asking, "--stream", "How do I reset my password?"));
  await refusals(stage, asking);
  await killSwitch(stage, asking);
}
