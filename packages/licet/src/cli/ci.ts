import type { CiRegistrationView } from "@licet/contract";
import { issuerOf, namesOf, rulesOf, type RuleOptions } from "./ci-rules.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { outcomeOf } from "./people.ts";
import { projectHere, type SubjectOptions } from "./project.ts";
import { connect } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface RegisterOptions extends SubjectOptions, RuleOptions {
  readonly audience?: string;
  readonly allowPrivate?: boolean;
}

export async function runCiRegister(options: RegisterOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space, url } = connect(options);
  const { system } = projectHere(options);
  const names = namesOf(options);
  const body = { kind: options.kind, issuer: issuerOf(options), audience: options.audience ?? url, claims: rulesOf(options), allowPrivate: options.allowPrivate ?? false, ...(names && { names }) };
  const { done, request } = await client("registerCi", { params: { space, system }, body });
  for (const { claim, value } of body.claims) terminal.out(`  ${claim} = ${value}`);
  terminal.out(done ? `registered for ${system} (${outcomeOf(request)}): tokens of ${body.issuer} for ${body.audience}` : `waits for another person's approval (request ${request.id})`);
  return exitCodes.fine;
}

function ruleOf({ claims, names }: CiRegistrationView, part: "repository" | "ref" | "workflow"): string {
  return claims.find(({ claim }) => claim === names[part])?.value ?? "";
}

function stateOf({ removedAt, removedBy, removedBecause, runs, lastRunAt }: CiRegistrationView): string {
  if (removedAt !== null) return `removed ${timeText(removedAt)} by ${removedBy ?? ""}: ${removedBecause ?? ""}`;
  return lastRunAt === null ? "in force, never used" : `in force, ${runs} runs, last ${timeText(lastRunAt)}`;
}

export async function runCiList(options: SubjectOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { system } = projectHere(options);
  const { items } = await client("listCi", { params: { space, system } });
  if (options.json === true) terminal.out(JSON.stringify(items, null, 2));
  else if (items.length === 0) terminal.out(`no CI runs count for ${system} yet: \`licet ci register --kind github --repository … --ref refs/heads/main --workflow .github/workflows/licet.yml\``);
  else {
    const rows = items.map((item) => [item.id, ruleOf(item, "repository"), ruleOf(item, "ref"), ruleOf(item, "workflow"), item.audience, `${item.registeredBy}, ${timeText(item.registeredAt)} (${item.outcome})`, stateOf(item)]);
    terminal.out(columns([["ID", "REPOSITORY", "REF", "WORKFLOW", "AUDIENCE", "REGISTERED", "STATE"], ...rows]));
  }
  return exitCodes.fine;
}

export async function runCiRemove(registration: string, options: SubjectOptions & { readonly reason: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { system } = projectHere(options);
  const view = await client("removeCi", { params: { space, system, registration }, body: { reason: options.reason } });
  terminal.out(`removed ${view.id}: tokens of ${ruleOf(view, "repository")} open nothing for ${system} any more`);
  return exitCodes.fine;
}
