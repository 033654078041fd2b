import type { RouteAnswer, TrafficStage } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import { quoted } from "../inventory/diagnostic.ts";
import { createDecider, type PolicyReason } from "../policy/decide.ts";
import type { PolicyRequest } from "../policy/request.ts";
import { readRequest } from "../policy/scenario-request.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { policiesFrom, textIn, type PoliciesOptions, type ReadPolicies } from "./policy-folder.ts";
import { connect, type ServerOptions } from "./session.ts";
import { painted, type Terminal } from "./terminal.ts";

interface ExplainOptions extends PoliciesOptions, ServerOptions {
  readonly system: string | undefined;
  readonly to?: TrafficStage;
  readonly model?: string;
  readonly classes?: readonly string[];
  readonly environment?: string;
  readonly request?: string;
  readonly unknown?: readonly string[];
  readonly json?: boolean;
}

type Reason = RouteAnswer<"explainPolicy">["reasons"][number];

interface Explanation {
  readonly digest: string | null;
  readonly decision: "allow" | "deny";
  readonly reasons: readonly Reason[];
  readonly warnings: readonly Reason[];
  readonly shadowed: readonly Reason[];
  readonly errors: readonly { readonly policy: string; readonly message: string }[];
  readonly residual: unknown;
}

/** 0: allowed; 1: denied. */
export async function runPolicyExplain(options: ExplainOptions, terminal: Terminal): Promise<ExitCode> {
  const { system, request, to, model } = options;
  if ((system === undefined) === (request === undefined)) throw new UsageError("name a system with --to or --model, or give a request with --request");
  if (system !== undefined && (to === undefined) === (model === undefined)) throw new UsageError("a system is explained for a move or for a call: give --to or --model");
  const explanation = request === undefined ? await asked(options) : explainedHere(await policiesFrom(options), readRequest(textIn(request), request), options.unknown ?? []);
  terminal.out(options.json === true ? JSON.stringify(explanation, null, 2) : explanationText(explanation, terminal));
  return explanation.decision === "allow" ? exitCodes.fine : exitCodes.findings;
}

async function asked({ system, to, model, classes, environment, unknown, policies, bundle, ...server }: ExplainOptions): Promise<Explanation> {
  if (policies !== undefined || bundle !== undefined) throw new UsageError("--policies and --bundle go with --request: about a system, the server's policies are asked");
  const { client, space } = connect(server);
  return client("explainPolicy", { params: { space }, body: { ...(system === undefined ? {} : { system }), ...(to === undefined ? {} : { to }), ...(model === undefined ? {} : { call: { model, ...(classes === undefined ? {} : { dataClasses: [...classes] }) } }), ...(environment === undefined ? {} : { environment }), ...(unknown === undefined ? {} : { unknown: [...unknown] }) } });
}

function explainedHere({ bundle, digest }: ReadPolicies, request: PolicyRequest, unknown: readonly string[]): Explanation {
  const decider = createDecider(bundle);
  const { decision, reasons, warnings, shadowed, errors } = decider.decide(request);
  return { digest, decision, reasons: reasons.map(view), warnings: warnings.map(view), shadowed: shadowed.map(view), errors, residual: decider.explain(request, { unknown }) ?? null };
}

function view({ policy, requirement, title, remedy, turn, severity, controls }: PolicyReason): Reason {
  return { policy, requirement: requirement ?? null, title: title ?? null, remedy: remedy ?? null, turn: turn ?? null, severity: severity ?? null, controls: [...controls] };
}

function explanationText(explanation: Explanation, terminal: Terminal): string {
  const { decision, reasons, warnings, shadowed, errors, residual, digest } = explanation;
  const allowed = decision === "allow";
  const lines = [
    painted(terminal, allowed ? "green" : "red", allowed ? "allowed" : "denied"),
    ...reasons.flatMap((each) => reasonLines(each, allowed ? painted(terminal, "green", "✓") : painted(terminal, "red", "✗"))),
    ...(reasons.length === 0 && errors.length === 0 && !allowed ? ["no policy permits it"] : []),
    ...errors.map(({ policy, message }) => `${painted(terminal, "red", "!")} ${quoted(policy)} could not be evaluated, which denies: ${message}`),
    ...warnings.flatMap((each) => reasonLines(each, `${painted(terminal, "yellow", "!")} would refuse (mode warn):`)),
    ...shadowed.flatMap((each) => reasonLines(each, "· would refuse (mode shadow):")),
    ...(residual === null && !allowed && errors.length === 0 ? ["what still has to hold cannot be told: --unknown takes parts of the request, such as context.evidence"] : residualLines(residual)),
    ...(digest === null ? [] : [`bundle ${digest}`]),
  ];
  return lines.join("\n");
}

function reasonLines({ policy, requirement, title, remedy, turn, controls }: Reason, mark: string): readonly string[] {
  return [
    `${mark} ${title ?? requirement ?? policy} [${policy}]`,
    ...(remedy === null ? [] : [`    do:   ${remedy}`]),
    ...(turn === null ? [] : [`    turn: ${turn}`]),
    ...(controls.length === 0 ? [] : [`    controls: ${controls.join(", ")}`]),
  ];
}

/** What still has to hold, one line for each policy in the way. */
function residualLines(residual: unknown): readonly string[] {
  const unmet = isRecord(residual) && Array.isArray(residual["wouldAllowIf"]) ? residual["wouldAllowIf"].filter(isRecord) : [];
  if (unmet.length === 0) return [];
  const said = [...new Set(unmet.map((each) => String(each["sentence"] ?? each["text"])))];
  return ["would be allowed if", ...said.map((each) => `  ${said.length > 1 ? "- " : ""}${each}`)];
}
