import { readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileCache, formatReport, runSuite, suiteReport, type Progress } from "@licet/assurance";
import { languageTargets, type EndpointOptions } from "./check-endpoints.ts";
import { connectCi, type CiConnection, type CiOptions } from "./check-ci.ts";
import { reportWriter, type ReportWriter } from "./check-reports.ts";
import { CheckResult, type SuiteReport } from "@licet/contract";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { personalDataIn } from "./personal-data.ts";
import { projectHere } from "./project.ts";
import { connect, type Connection } from "./session.ts";
import { painted, type Terminal } from "./terminal.ts";

interface CheckOptions extends CiOptions, EndpointOptions {
  readonly dir: string;
  readonly onServer?: boolean;
  readonly ci?: boolean;
  readonly practice?: boolean;
  readonly json?: boolean;
  /** Of practice; a ticket brings its own. */
  readonly seed?: string;
  /** False: measure everything anew. */
  readonly cache?: boolean;
  /** Files to write, each in the form that its name ends with. */
  readonly report?: readonly string[];
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
  readonly options: CheckOptions;
}

/** What may be thrown away at any time. */
function cacheFolder(): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "licet", "measurements");
}

async function run({ project, seed, release, terminal, options }: Run): Promise<SuiteReport> {
  const files = componentFiles(project);
  const language = languageTargets(project, options);
  const onProgress = (progress: Progress): void => {
    if (progress.kind === "finished") terminal.err(`  ${progress.index + 1}/${progress.total} ${progress.id}: ${progress.result.verdict.replaceAll("_", " ")}${progress.remembered ? " (unchanged, measured before)" : ""}`);
  };
  return runSuite({ suite: suiteOf(project), root: project.folder, resolve: (name) => files[name], seed, release, now: () => Date.now(), onProgress, ...(options.cache !== false && { cache: fileCache(cacheFolder()) }), personalData: personalDataIn, ...(language && { language }) });
}

interface Concluding {
  readonly options: CheckOptions;
  readonly write: ReportWriter;
  readonly terminal: Terminal;
}

const tones = { pass: "green", fail: "red", insufficient_evidence: "yellow", errored: "yellow", not_applicable: "gray", muted: "gray" } as const;

function concluded(report: SuiteReport, { options, write, terminal }: Concluding): ExitCode {
  write(report);
  terminal.out(options.json === true ? JSON.stringify(report, null, 2) : formatReport(report, (text, tone) => painted(terminal, tones[tone], text)));
  return report.verdict === "pass" ? exitCodes.fine : exitCodes.findings;
}

async function counted(project: Project, connection: Connection & Partial<Pick<CiConnection, "said">>, concluding: Concluding): Promise<ExitCode> {
  const { terminal } = concluding;
  const { client, space } = connection;
  const release = releaseOf(bundleOf(project)).digest;
  const params = { space, system: project.manifest.name };
  const datasets = Object.fromEntries(Object.entries(componentFiles(project)).map(([name, file]) => [name, file.digest]));
  const ticket = await client("issueTicket", { params, body: { release, checks: suiteOf(project).checks.map((check) => check.id), datasets } });
  terminal.err(`ticket ${ticket.id}, attempt ${ticket.attempt}, seed ${ticket.seed}`);
  const report = await run({ project, seed: ticket.seed, release, terminal, options: concluding.options });
  const results = report.results.map((result) => ({ ...result }));
  const { items } = await client("returnResults", { params, body: { ticket: ticket.id, results } });
  const code = concluded(report, concluding);
  if (concluding.options.json !== true) terminal.out(connection.said?.(items[0]?.provenance?.runUrl ?? null) ?? "producer `self`: counts at minimal tier only; `licet check --on-server` and `--ci` count above it");
  return code;
}

async function onServer(project: Project, connection: Connection, concluding: Concluding): Promise<ExitCode> {
  const { options, terminal } = concluding;
  const { client, space } = connection;
  suiteOf(project);
  for (const [name, file] of Object.entries(componentFiles(project))) {
    const bytes = readFileSync(join(project.folder, file.path));
    await client("putFile", { params: { space, digest: file.digest }, body: bytes });
    terminal.err(`  sent ${name} (${bytes.length} bytes)`);
  }
  const { ticket, items } = await client("runOnServer", { params: { space, system: project.manifest.name }, body: { release: releaseOf(bundleOf(project)).digest } });
  const at = items.map((item) => item.at);
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  const report = suiteReport(items.map(({ result }) => CheckResult.parse(result)), { release: ticket.release, seed: ticket.seed, startedAt: time(Math.min(...at)), finishedAt: time(Math.max(...at)) });
  const code = concluded(report, concluding);
  if (options.json !== true) terminal.out(`producer \`licet\`, ticket ${ticket.id}, attempt ${ticket.attempt}`);
  return code;
}

export async function runCheck(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const { project } = projectHere({ ...options });
  if (project === undefined) throw new UsageError("run in the folder of licet.yaml");
  const concluding = { options, write: reportWriter(options.report ?? [], project, terminal), terminal };
  if (options.practice === true) {
    const report = await run({ project, seed: options.seed ?? randomBytes(16).toString("hex"), release: null, terminal, options });
    const code = concluded(report, concluding);
    if (options.json !== true) terminal.out("practice: not evidence");
    return code;
  }
  // What a shared runner remembers, anybody who ran there may have written: a CI run measures everything itself.
  if (options.ci === true) return counted(project, await connectCi(options, project.manifest.name, terminal), { ...concluding, options: { ...options, cache: false } });
  const connection = connect(options);
  return options.onServer === true ? onServer(project, connection, concluding) : counted(project, connection, concluding);
}
