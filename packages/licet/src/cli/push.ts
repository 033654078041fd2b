import { LicetError } from "@licet/contract";
import { bundleOf, readProject } from "../inventory/project.ts";
import { planText } from "../inventory/plan.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { painted, type Terminal } from "./terminal.ts";
import { runValidate } from "./validate-command.ts";

const said = {
  "new-system": "a new system",
  "new-release": "a new release: approvals, results and authorizations of the old one do not carry over",
  "same-release": "only immaterial text: the release stays",
  "no-change": "no change",
} as const;

export async function runPush(options: ServerOptions & { readonly dir: string; readonly dryRun?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  let project;
  try {
    project = readProject(options.dir);
  } catch (error) {
    if (!(error instanceof LicetError) || error.code !== "manifest_invalid") throw error;
    return runValidate({ file: options.dir, format: "text", stdout: terminal.err });
  }
  const input = { params: { space }, body: bundleOf(project) };
  const plan = await client("planRelease", input);
  for (const line of planText(plan).split("\n").filter(Boolean)) {
    const colour = line.startsWith("+") ? "green" : line.startsWith("-") ? "red" : "yellow";
    terminal.out(painted(terminal, colour, line.length > 160 ? `${line.slice(0, 157)}…` : line));
  }
  terminal.out(`${plan.system}: ${said[plan.outcome]} (tier ${plan.tier}, release ${plan.release.slice(0, 19)}…)`);
  if (options.dryRun === true || plan.outcome === "no-change") return exitCodes.fine;
  await client("pushRelease", input);
  terminal.out(`pushed to ${space}; next: \`licet gate${options.dir === "." ? "" : ` --dir ${options.dir}`} --to experiment\``);
  return exitCodes.fine;
}
