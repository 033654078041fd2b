import { chmodSync, writeFileSync } from "node:fs";
import type { TrafficStage } from "@licet/contract";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { outcomeOf } from "./people.ts";
import { projectHere, type SubjectOptions } from "./project.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, painted, timeText, type Terminal } from "./terminal.ts";

export async function runAtoShow(options: SubjectOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { system } = projectHere(options);
  const { items } = await client("listAtos", { params: { space, system } });
  if (options.json === true) {
    terminal.out(JSON.stringify(items, null, 2));
    return exitCodes.fine;
  }
  if (items.length === 0) {
    terminal.out(`${system} has no authorization to operate: \`licet promote --to experiment\` asks for one`);
    return exitCodes.findings;
  }
  const rows = items.map((item) => [item.id, item.state, item.stage, item.environment, item.release.slice(0, 19), timeText(item.notAfter)]);
  terminal.out(columns([["ATO", "STATE", "STAGE", "ENVIRONMENT", "RELEASE", "ENDS"], ...rows]));
  return items.some((item) => item.state === "granted") ? exitCodes.fine : exitCodes.findings;
}

interface DeployOptions extends SubjectOptions {
  readonly environment: string;
  readonly stage: TrafficStage;
  readonly release?: string;
  readonly credentialDays?: number;
  readonly credentialFile?: string;
}

export async function runDeployRecord(options: DeployOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const here = projectHere(options);
  const release = options.release ?? here.release;
  if (release === undefined) throw new UsageError("give --release, or run in the folder of licet.yaml");
  const { deployment, credential } = await client("recordDeployment", {
    params: { space, system: here.system },
    body: { release, environment: options.environment, stage: options.stage, ...(options.credentialDays === undefined ? {} : { credentialDays: options.credentialDays }) },
  });
  terminal.out(`${deployment.id}: release ${deployment.releaseNumber} of ${here.system} runs in ${deployment.environment} as ${deployment.stage}`);
  if (deployment.attested.length > 0) terminal.out(`attested by you, not observed: ${deployment.attested.join(", ")}`);
  if (options.credentialFile === undefined) terminal.out(`credential, shown once, until ${timeText(credential.expiresAt)}:\n  ${credential.secret}`);
  else {
    writeFileSync(options.credentialFile, `${credential.secret}\n`, { mode: 0o600 });
    chmodSync(options.credentialFile, 0o600);
    terminal.out(`credential in ${options.credentialFile}, until ${timeText(credential.expiresAt)}`);
  }
  return exitCodes.fine;
}

function heldThing({ system, vendor }: { readonly system: string | null; readonly vendor: string | null }): string {
  return system ?? (vendor === null ? "everything" : `the vendor ${vendor}`);
}

interface HoldOptions extends ServerOptions {
  readonly system?: string;
  readonly vendor?: string;
  readonly all?: boolean;
  readonly reason: string;
}

export async function runHoldPlace(options: HoldOptions, terminal: Terminal): Promise<ExitCode> {
  const { system, vendor, all, reason } = options;
  const stops = [system !== undefined && { scope: "system" as const, system }, vendor !== undefined && { scope: "vendor" as const, vendor }, all === true && { scope: "all" as const }].filter((each) => each !== false);
  const [stop, ...more] = stops;
  if (stop === undefined || more.length > 0) throw new UsageError("give one of --system NAME, --vendor NAME and --all");
  const { client, space } = connect(options);
  const hold = await client("placeHold", { params: { space }, body: { ...stop, reason } });
  terminal.out(`${painted(terminal, "red", "held")}: ${heldThing(hold)} is stopped (${hold.id})`);
  terminal.out(`lift it with \`licet hold lift ${hold.id} --reason …\`: a gate move`);
  return exitCodes.fine;
}

export async function runHoldLift(hold: string, options: ServerOptions & { readonly reason: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { done, request } = await client("liftHold", { params: { space, hold }, body: { reason: options.reason } });
  terminal.out(done ? `lifted ${hold} (${outcomeOf(request)})` : `waits for another person's approval (request ${request.id})`);
  return exitCodes.fine;
}

export async function runHoldList(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { items } = await client("listHolds", { params: { space }, query: { limit: 100 } });
  if (items.length === 0) {
    terminal.out("nothing is held");
    return exitCodes.fine;
  }
  const rows = items.map((item) => [item.id, item.liftedAt === null ? "in force" : "lifted", heldThing(item), timeText(item.placedAt), item.placedBy, item.reason]);
  terminal.out(columns([["HOLD", "STATE", "STOPS", "PLACED", "BY", "REASON"], ...rows]));
  return exitCodes.fine;
}
