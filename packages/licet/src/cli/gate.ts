import { readFileSync, writeFileSync } from "node:fs";
import { canonicalize, parseJson } from "@licet/evidence";
import { GateFacts, LicetError, type GateAnswer, type RequestView, type TrafficStage } from "@licet/contract";
import { decideGate } from "../ato/gate.ts";
import { offlineFacts } from "../ato/offline-facts.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { policiesFrom } from "./policy-folder.ts";
import { projectHere, type SubjectOptions } from "./project.ts";
import { connect } from "./session.ts";
import { ageText, painted, type Terminal } from "./terminal.ts";

interface GateOptions extends SubjectOptions {
  readonly to: TrafficStage;
  readonly environment?: string;
  readonly facts?: string;
  readonly saveFacts?: string;
  readonly offline?: boolean;
  readonly bundle?: string;
  readonly json?: boolean;
}

interface Decided {
  readonly answer: GateAnswer;
  readonly facts: GateFacts;
}

function readFacts(file: string): GateFacts {
  let json: unknown;
  try {
    json = parseJson(readFileSync(file, "utf8"));
  } catch (cause) {
    throw new LicetError("file_unreadable", { message: `\`${file}\` is not a facts file`, cause });
  }
  const parsed = GateFacts.safeParse(json);
  if (!parsed.success) throw new LicetError("facts_malformed", { message: `\`${file}\` is not a facts file` });
  return parsed.data;
}

async function decided(options: GateOptions): Promise<Decided> {
  const { bundle } = options;
  const policies = async () => (await policiesFrom(bundle === undefined ? {} : { bundle })).bundle;
  if (options.facts !== undefined) {
    const facts = readFacts(options.facts);
    return { facts, answer: decideGate(facts, await policies()) };
  }
  const here = projectHere(options);
  if (options.offline === true) {
    if (here.project === undefined) throw new UsageError("--offline needs the folder of licet.yaml");
    const facts = offlineFacts(here.project, { to: options.to, environment: options.environment, now: Date.now() });
    return { facts, answer: decideGate(facts, await policies()) };
  }
  if (bundle !== undefined) throw new UsageError("--bundle goes with --facts or --offline: the server decides by what is published there");
  const { client, space } = connect(options);
  const query = { to: options.to, ...(options.environment === undefined ? {} : { environment: options.environment }), ...(here.release === undefined ? {} : { release: here.release }) };
  return client("askGate", { params: { space, system: here.system }, query });
}

/** Unmet first, each with what to do and whose turn it is. */
export function gateText(answer: GateAnswer, terminal: Terminal, now: number): string {
  const unmet = answer.requirements.filter((item) => item.state !== "met" && item.state !== "waived");
  const met = answer.requirements.filter((item) => !unmet.includes(item));
  const lines = [
    `${answer.system} to ${answer.to} in ${answer.environment}: ${answer.decision === "allow" ? painted(terminal, "green", "allowed") : painted(terminal, "red", `${unmet.length} of ${answer.requirements.length} requirements unmet`)}  (tier ${answer.tier})`,
    ...unmet.flatMap((item) => [
      `${painted(terminal, "red", "✗")} ${painted(terminal, "bold", item.title)} [${item.id}] ${item.state === "stale" ? "stale: " : ""}${item.reason}`,
      `    do:   ${item.remedy}`,
      `    turn: ${item.turn}${item.people.length === 0 ? "" : ` (${item.people.join(", ")})`}${item.since === null ? "" : `, for ${ageText(item.since, now)}`}`,
    ]),
    ...met.map((item) => `${painted(terminal, "green", "✓")} ${item.title} [${item.id}] ${item.reason}`),
  ];
  return lines.join("\n");
}

export async function runGate(options: GateOptions, terminal: Terminal): Promise<ExitCode> {
  const { answer, facts } = await decided(options);
  if (options.saveFacts !== undefined) writeFileSync(options.saveFacts, canonicalize(facts));
  terminal.out(options.json === true ? canonicalize(answer) : gateText(answer, terminal, Date.now()));
  return answer.decision === "allow" ? exitCodes.fine : exitCodes.findings;
}

function promotionText(request: RequestView, url: string): string {
  if (request.status === "granted") return `granted: ${request.ato ?? ""} (request ${request.id})`;
  return `${request.status}: ${url}/requests/${request.id}`;
}

export async function runPromote(options: SubjectOptions & { readonly to: TrafficStage; readonly environment?: string; readonly days?: number }, terminal: Terminal): Promise<ExitCode> {
  const { client, space, url } = connect(options);
  const here = projectHere(options);
  const environment = options.environment ?? here.project?.manifest.environments[0];
  if (environment === undefined) throw new UsageError("give --environment: without the manifest there is no default");
  const request = await client("requestPromotion", {
    params: { space, system: here.system },
    body: { to: options.to, environment, ...(here.release === undefined ? {} : { release: here.release }), ...(options.days === undefined ? {} : { days: options.days }) },
  });
  if (request.gate !== null && request.status !== "granted") terminal.out(gateText(request.gate, terminal, Date.now()));
  terminal.out(promotionText(request, url));
  if (request.status === "granted") terminal.out(`next: licet deploy record${options.dir === "." ? "" : ` --dir ${options.dir}`} --environment ${environment} --stage ${options.to}`);
  return request.status === "granted" ? exitCodes.fine : exitCodes.findings;
}
