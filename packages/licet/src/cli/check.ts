import { readFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { formatReport, runOfTicket, suiteReport } from "@licet/assurance";
import { practicePlan, repeatLine, ticketLines, wholeReport } from "./check-attempts.ts";
import { changedChecks, rememberResults } from "./check-changed.ts";
import { componentFiles } from "./check-files.ts";
import { OpenRun } from "./check-open-run.ts";
import { dryRunLines, runChecks, type RunOptions } from "./check-run.ts";
import { madeAgain } from "./check-repeat.ts";
import { connectCi, type CiConnection, type CiOptions } from "./check-ci.ts";
import { reportWriter, type ReportWriter } from "./check-reports.ts";
import { CheckResult, TicketView, type AssuranceSection, type SuiteReport } from "@licet/contract";
import { z } from "zod";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { projectHere } from "./project.ts";
import { connect, type Connection } from "./session.ts";
import { painted, timeText, type Terminal } from "./terminal.ts";

interface CheckOptions extends CiOptions, RunOptions {
  readonly dir: string;
  readonly onServer?: boolean;
  readonly ci?: boolean;
  readonly practice?: boolean;
  readonly json?: boolean;
  /** Of practice; a ticket brings its own. */
  readonly seed?: string;
  /** Only what changed since the last results here, or since a commit. */
  readonly changed?: string | true;
  readonly dryRun?: boolean;
  /** Files to write, each in the form that its name ends with. */
  readonly report?: readonly string[];
}

function suiteOf(project: Project): NonNullable<Project["manifest"]["assurance"]> {
  const suite = project.manifest.assurance;
  if (suite === undefined || suite.checks.length === 0) throw new UsageError("the manifest's assurance section declares no check");
  return suite;
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

/** The checks to run; undefined where nothing changed. */
function selected(project: Project, { changed }: CheckOptions, terminal: Terminal): AssuranceSection | undefined {
  const suite = suiteOf(project);
  if (changed === undefined) return suite;
  const { run, skipped } = changedChecks(project, suite.checks, changed);
  for (const { id, why } of skipped) terminal.err(`  skipped ${id}: ${why}`);
  if (skipped.length > 0) terminal.err("what is skipped was shown before and not now: the gate asks for it in each release");
  if (run.length === 0) terminal.out("nothing to check: nothing changed");
  return run.length === 0 ? undefined : { ...suite, checks: [...run] };
}

/** Ends what is under way at the first Ctrl-C; the second ends the program. */
async function breakable<T>(act: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const broken = new AbortController();
  const stop = () => broken.abort();
  process.once("SIGINT", stop);
  try {
    return await act(broken.signal);
  } finally {
    process.removeListener("SIGINT", stop);
  }
}

interface Counting extends Concluding {
  readonly project: Project;
  readonly suite: AssuranceSection;
  readonly connection: Connection & Partial<Pick<CiConnection, "said">>;
}

/** A lease that is about to end is not begun on. */
const leaseMsMin = 60_000;

async function counted(counting: Counting): Promise<ExitCode> {
  const { project, suite, connection, terminal, options } = counting;
  const { client, space, url } = connection;
  const release = releaseOf(bundleOf(project)).digest;
  const params = { space, system: project.manifest.name };
  const datasets = Object.fromEntries(Object.entries(componentFiles(project)).map(([name, file]) => [name, file.digest]));
  const ids = suite.checks.map(({ id }) => id);
  const begin = () => client("issueTicket", { params, body: { release, checks: ids, datasets } });
  const open = options.cache === false ? undefined : await OpenRun.open(["ticket", url, space, params.system, release, ...ids], { schema: TicketView, begin, usable: ({ leaseUntil }) => leaseUntil > Date.now() + leaseMsMin });
  const ticket = open?.given ?? (await begin());
  if (open?.resumed === true) terminal.err(`going on with ticket ${ticket.id}, which was broken off: the same attempt`);
  for (const line of ticketLines(ticket)) terminal.err(line);
  const toRun = { ...suite, checks: suite.checks.filter(({ id }) => ticket.checks.includes(id)) };
  return breakable(async (signal) => {
    const made = await runChecks({ project, suite: toRun, plan: runOfTicket(ticket), release, terminal, options, signal, ...(open && { answers: open.folder }) });
    if (signal.aborted) {
      const code = concluded(wholeReport(suite, ticket, made), counting);
      terminal.err(`broken off: nothing was returned. Ticket ${ticket.id} goes on with the next \`licet check\` until ${timeText(ticket.leaseUntil)}; after that it is an aborted attempt`);
      return code;
    }
    open?.returning();
    return returned(counting, { ticket, made, finished: () => open?.finished() });
  });
}

interface Made {
  readonly ticket: z.output<typeof TicketView>;
  readonly made: SuiteReport;
  readonly finished: () => void;
}

async function returned(counting: Counting, { ticket, made, finished }: Made): Promise<ExitCode> {
  const { project, suite, connection, terminal, options } = counting;
  const { client, space } = connection;
  const params = { space, system: project.manifest.name };
  const results = made.results.map((result) => ({ ...result }));
  const { items, repeat } = results.length === 0 ? { items: ticket.settled, repeat: null } : await client("returnResults", { params, body: { ticket: ticket.id, results } });
  finished();
  const report = wholeReport(suite, ticket, made);
  rememberResults(project, suite.checks, report);
  const code = concluded(report, counting);
  if (options.json !== true) terminal.out(connection.said?.(results.length === 0 ? null : (items[0]?.provenance?.runUrl ?? null)) ?? "producer `self`: counts at minimal tier only; `licet check --on-server` and `--ci` count above it");
  if (repeat === null) return code;
  terminal.err(repeatLine(repeat));
  const outcome = await madeAgain({ project, connection, params: { ...params, ticket: ticket.id }, terminal }, repeat);
  terminal.err(repeatLine(outcome));
  return outcome.state === "agrees" ? code : exitCodes.findings;
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
  const { ticket, items, left } = await client("runOnServer", { params: { space, system: project.manifest.name }, body: { release: releaseOf(bundleOf(project)).digest } });
  const at = items.map((item) => item.at);
  const time = (milliseconds: number) => new Date(milliseconds).toISOString();
  const report = suiteReport(items.map(({ result }) => CheckResult.parse(result)), { release: ticket.release, seed: ticket.seed, startedAt: time(Math.min(...at)), finishedAt: time(Math.max(...at)) });
  const code = concluded(report, concluding);
  for (const line of ticketLines(ticket)) terminal.err(line);
  if (left.length > 0) terminal.err(`left to others, because the server has neither their files nor may ask their models: ${left.join(", ")}`);
  if (options.json !== true) terminal.out(`producer \`licet\`, ticket ${ticket.id}`);
  return code;
}

async function practised(project: Project, suite: AssuranceSection, concluding: Concluding): Promise<ExitCode> {
  const { options, terminal } = concluding;
  const release = releaseOf(bundleOf(project)).digest;
  const begin = async () => options.seed ?? randomBytes(16).toString("hex");
  const open = options.cache === false ? undefined : await OpenRun.open(["practice", project.folder, release, options.seed ?? "", ...suite.checks.map(({ id }) => id)], { schema: z.string().max(seedCharsMax), begin, usable: () => true });
  const seed = open?.given ?? (await begin());
  if (open?.resumed === true) terminal.err(`going on with the practice run that was broken off, seed ${seed}`);
  return breakable(async (signal) => {
    const report = await runChecks({ project, suite, plan: practicePlan(suite, seed), release: null, terminal, options, signal, ...(open && { answers: open.folder }) });
    if (!signal.aborted) {
      open?.finished();
      rememberResults(project, suite.checks, report);
    }
    const code = concluded(report, concluding);
    if (options.json !== true) terminal.out("practice: not evidence; nothing was sent, no attempt was spent, and nothing of it counts");
    return code;
  });
}

const seedCharsMax = 1000;

export async function runCheck(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  const { project } = projectHere({ ...options });
  if (project === undefined) throw new UsageError("run in the folder of licet.yaml");
  if (options.onServer === true && options.changed !== undefined) throw new UsageError("the server runs every check that it can: leave out --changed, or --on-server");
  const concluding = { options, write: reportWriter(options.report ?? [], project, terminal), terminal };
  const suite = selected(project, options, terminal);
  if (suite === undefined) return exitCodes.fine;
  if (options.dryRun === true) {
    for (const line of await dryRunLines({ project, suite, plan: practicePlan(suite, options.seed ?? ""), options, terminal })) terminal.out(line);
    return exitCodes.fine;
  }
  if (options.practice === true) return practised(project, suite, concluding);
  // What a shared runner remembers, anybody who ran there may have written: a CI run measures everything itself.
  if (options.ci === true) return counted({ ...concluding, project, suite, connection: await connectCi(options, project.manifest.name, terminal), options: { ...options, cache: false } });
  const connection = connect(options);
  return options.onServer === true ? onServer(project, connection, concluding) : counted({ ...concluding, project, suite, connection });
}
