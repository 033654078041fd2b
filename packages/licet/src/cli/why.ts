import type { RouteAnswer } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { localTime, plain } from "./tail.ts";
import { painted, type Terminal } from "./terminal.ts";

export interface WhyOptions extends ServerOptions {
  readonly request?: boolean;
  readonly reason?: string;
  readonly json?: boolean;
}

type Explanation = RouteAnswer<"explainDecision">;

/** Takes the id of `licet.decision`, or the whole address of `licet.url`. */
export function decisionIn(text: string): string {
  return /\/decisions\/([^/?#]+)/u.exec(text)?.[1] ?? text;
}

export async function runWhy(given: string, options: WhyOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space, url } = connect(options);
  const params = { space, decision: decisionIn(given) };
  const why = await client("explainDecision", { params });
  if (options.json === true && options.request !== true) terminal.out(JSON.stringify(why, null, 2));
  if (options.json !== true) terminal.out(whyText(why, terminal));
  if (options.request !== true) return why.code === null ? exitCodes.fine : exitCodes.findings;
  const reason = options.reason ?? `the decision ${why.decision} was refused with ${why.code ?? "no code"}`;
  const { done, request } = await client("requestAccess", { params, body: { reason } });
  if (options.json === true) terminal.out(JSON.stringify({ done, request }, null, 2));
  else terminal.out(done ? `granted: ${plain(request.title)}` : `\n${request.status}: ${plain(request.title)}\n  ${url}/requests/${request.id}`);
  return done ? exitCodes.fine : exitCodes.findings;
}

export function whyText(why: Explanation, terminal: Terminal): string {
  const bold = (text: string): string => painted(terminal, "bold", text);
  const head = why.code === null ? painted(terminal, "green", "allowed") : painted(terminal, "red", `${why.verdict === "deny" ? "refused" : "ended"}: ${why.code}`);
  return [
    `${head}  ${why.decision}`,
    `  ${localTime(why.at)}  ${plain(why.system ?? "a caller that no credential names")}${why.environment === null ? "" : ` in ${plain(why.environment)}`}`,
    `  ${bold(why.what)}${why.why === "" ? "" : `: ${why.why}`}`,
    ...why.checks.flatMap((check) => [`  by ${plain(check.policy)}${check.title === null ? "" : `: ${plain(check.title)}`}${check.component === null ? "" : ` (${plain(check.component)})`}`]),
    ...(why.turn === "" ? [] : [`  turn: ${why.turn}${why.people.length === 0 ? "" : ` (${why.people.map(plain).join(", ")})`}`]),
    ...(why.steps.length === 0 ? [] : ["  do:", ...why.steps.map((step, at) => `    ${at + 1}. ${plain(step)}`)]),
    ...(why.stillSo === false ? [painted(terminal, "green", "  what refused it no longer stands: call again")] : []),
    ...asking(why),
    `  ${why.url}`,
  ].join("\n");
}

function asking({ request, open, mayRequest, decision }: Explanation): string[] {
  if (request === null) return [];
  if (open !== null) return [`  asked for already: ${open}`];
  return [mayRequest ? `  ask for it: licet why ${decision} --request` : `  somebody with the right role can ask for it: ${plain(request.title)}`];
}
