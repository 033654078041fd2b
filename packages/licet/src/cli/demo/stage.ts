import { spawn } from "node:child_process";
import { cpSync } from "node:fs";
import { join } from "node:path";
import type { GateAnswer, RequestView, TrafficStage } from "@licet/contract";
import { bundleOf, readProject, type Project } from "../../inventory/project.ts";
import { releaseOf } from "../../inventory/release.ts";
import type { RunningServer } from "../../server/start.ts";
import { space, type Cast, type Player } from "./cast.ts";
import type { Narrator } from "./narrator.ts";
import type { Simulator } from "./simulator.ts";

export interface Stage {
  readonly server: RunningServer;
  readonly cast: Cast;
  readonly say: Narrator;
  readonly examples: string;
  readonly folder: string;
  readonly simulator: Simulator;
}

/** A copy to work on, so that the repository stays as it is. It stays inside the examples' module resolution by running the original's code. */
export function workingCopy(stage: Stage, name: string): string {
  const copy = join(stage.folder, name);
  cpSync(join(stage.examples, name), copy, { recursive: true, filter: (path) => !path.includes("node_modules") });
  return copy;
}

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs an example's own program, as its team would. */
export async function runExample(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Promise<Ran> {
  const child = spawn(process.execPath, ["--conditions=source", file, ...args], { env: { ...process.env, ...env }, stdio: ["ignore", "pipe", "pipe"] });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      output += chunk.toString("utf8");
    });
  }
  const code = await new Promise<number>((resolve) => {
    child.once("close", (status) => resolve(status ?? 1));
  });
  return { code, output: output.trim() };
}

export function tellRun(say: Narrator, ran: Ran): void {
  for (const line of ran.output.split("\n").slice(0, 8)) {
    if (ran.code === 0) say.good(line);
    else say.refused(line);
  }
}

export async function pushProject(player: Player, folder: string, say: Narrator): Promise<{ readonly project: Project; readonly release: string }> {
  const project = readProject(folder);
  const plan = await player.client("pushRelease", { params: { space }, body: bundleOf(project) });
  say.command("licet push");
  say.good(`${plan.outcome.replace("-", " ")}, ${plan.lines.length} lines of plan, tier ${plan.tier}`);
  return { project, release: releaseOf(bundleOf(project)).digest };
}

export function tellGate(say: Narrator, gate: GateAnswer, most = 20): void {
  const unmet = gate.requirements.filter((item) => item.state !== "met");
  if (unmet.length === 0) say.good(`${gate.to}: all ${gate.requirements.length} requirements met`);
  else say.refused(`${gate.to}: ${unmet.length} of ${gate.requirements.length} requirements unmet`);
  for (const item of unmet.slice(0, most)) say.item(`${item.title}: ${item.reason}; do: ${item.remedy}; turn: ${item.turn}${item.people.length === 0 ? "" : ` (${item.people.join(", ")})`}`);
}

export async function askFor(player: Player, system: string, to: TrafficStage): Promise<RequestView> {
  return player.client("requestPromotion", { params: { space, system }, body: { to, environment: "local" } });
}

export async function recordDeployment(stage: Stage, system: string, at: { readonly release: string; readonly stage: TrafficStage }): Promise<string> {
  const { deployment, credential } = await stage.cast.platform.client("recordDeployment", { params: { space, system }, body: { release: at.release, environment: "local", stage: at.stage } });
  stage.say.command(`licet deploy record --environment local --stage ${at.stage}`);
  stage.say.good(`${deployment.id} runs release ${deployment.releaseNumber}; its credential is shown once`);
  return credential.secret;
}
