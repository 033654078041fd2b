import { readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { formatReport, runSuite, type Progress } from "@licet/assurance";
import type { CheckResult, SuiteReport } from "@licet/contract";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { projectHere } from "./project.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import { painted, type Terminal } from "./terminal.ts";

interface CheckOptions extends ServerOptions {
  readonly dir: string;
  readonly onServer?: boolean;
  readonly practice?: boolean;
  readonly json?: boolean;
}

interface ComponentPath {
  readonly path: string;
  readonly digest: string;
}

/** Declared models and data sets that have a file here. */
export function componentFiles(project: Project): Readonly<Record<string, ComponentPath>> {
  const digests = new Map(project.files.map((file) => [file.path, file.digest]));
  const { models, datasets = [] } = project.manifest.components;
  const files: Record<string, ComponentPath> = {};
  for (const { name, file } of [...models, ...datasets]) {
    const digest = file === undefined ? undefined : digests.get(file);
    if (file !== undefined && digest !== undefined) files[name] = { path: file, digest };
  }
  return files;
}

function suiteOf(project: Project): NonNullable<Project["manifest"]["assurance"]> {
  const suite = project.manifest.assurance;
  if (suite === undefined || suite.checks.length === 0) throw new UsageError("the manifest's assurance section declares no check");
  return suite;
}

interface Run {
  readonly project: Project;
  readonly seed: string;
  readonly release: string | null;
  readonly terminal: Terminal;
}

async function run({ project, seed, release, terminal }: Run): Promise<SuiteReport> {
  const files = componentFiles(project);
  const onProgress = (progress: Progress): void => {
    if (progress.kind === "finished") terminal.err(`  ${progress.index + 1}/${progress.total} ${progress.id}: ${progress.result.verdict.replaceAll("_", " ")}`);
  };
  return runSuite({ suite: suiteOf(project), root: project.folder, resolve: (name) => files[name], seed, release, now: () => Date.now(), onProgress });
}

function concluded(report: SuiteReport, options: CheckOptions, terminal: Terminal): ExitCode {
  terminal.out(options.json === true ? JSON.stringify(report, null, 2) : formatReport(report));
  return report.verdict === "pass" ? exitCodes.fine : exitCodes.findings;
}

async function counted(project: Project, connection: Connection, { options, terminal }: { readonly options: CheckOptions; readonly terminal: Terminal }): Promise<ExitCode> {
  const { client, space } = connection;
  const release = releaseOf(bundleOf(project)).digest;
  const params = { space, system: project.manifest.name };
  const datasets = Object.fromEntries(Object.entries(componentFiles(project)).map(([name, file]) => [name, file.digest]));
  const ticket = await client("issueTicket", { params, body: { release, checks: suiteOf(project).checks.map((check) => check.id), datasets } });
  terminal.err(`ticket ${ticket.id}, attempt ${ticket.attempt}, seed ${ticket.seed}`);
  const report = await run({ project, seed: ticket.seed, release, terminal });
  const results = report.results.map((result) => ({ ...result }));
  await client("returnResults", { params, body: { ticket: ticket.id, results } });
  const code = concluded(report, options, terminal);
  terminal.out("producer `self`: counts at minimal tier only; `licet check --on-server` counts above it");
  return code;
}

async function onServer(project: Project, connection: Connection, { options, terminal }: { readonly options: CheckOptions; readonly terminal: Terminal }): Promise<ExitCode> {
  const { client, space } = connection;
  suiteOf(project);
  for (const [name, file] of Object.entries(componentFiles(project))) {
    const bytes = readFileSync(join(project.folder, file.path));
    await client("putFile", { params: { space, digest: file.digest }, body: bytes });
    terminal.err(`  sent ${name} (${bytes.length} bytes)`);
  }
  const { ticket, items } = await client("runOnServer", { params: { space, system: project.manifest.name }, body: { release: releaseOf(bundleOf(project)).digest } });
  if (options.json === true) terminal.out(JSON.stringify({ ticket, items }, null, 2));
  else for (const item of items) terminal.out(resultLine(item, terminal));
  terminal.out(`producer \`licet\`, ticket ${ticket.id}, attempt ${ticket.attempt}`);
  return items.every((item) => item.verdict === "pass") ? exitCodes.fine : exitCodes.findings;
}

const marks: Readonly<Record<CheckResult["verdict"], string>> = { pass: "✓", fail: "✗", insufficient_evidence: "?", errored: "!", not_applicable: "-" };

function resultLine(item: { readonly checkId: string; readonly verdict: string; readonly result: Readonly<Record<string, unknown>> }, terminal: Terminal): string {
  const mark = Object.entries(marks).find(([verdict]) => verdict === item.verdict)?.[1] ?? "?";
  const { estimate, reason } = item.result;
  const figure = typeof estimate === "number" ? ` estimate ${Math.round(estimate * 1e4) / 1e4}` : "";
  const why = typeof reason === "string" ? `, ${reason.replaceAll("_", " ")}` : "";
  return `${painted(terminal, item.verdict === "pass" ? "green" : "yellow", mark)} ${item.checkId}: ${item.verdict.replaceAll("_", " ")}${figure}${why}`;
}

export async function runCheck(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const { project } = projectHere({ ...options });
  if (project === undefined) throw new UsageError("run in the folder of licet.yaml");
  if (options.practice === true) {
    const report = await run({ project, seed: randomBytes(16).toString("hex"), release: null, terminal });
    const code = concluded(report, options, terminal);
    terminal.out("practice: not evidence");
    return code;
  }
  const connection = connect(options);
  return options.onServer === true ? onServer(project, connection, { options, terminal }) : counted(project, connection, { options, terminal });
}
