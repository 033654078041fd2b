import { observeDaysMax, type WaiverView } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { outcomeOf } from "./people.ts";
import { projectHere, type SubjectOptions } from "./project.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, painted, timeText, type Terminal } from "./terminal.ts";

interface RequestOptions extends SubjectOptions {
  readonly environment: string;
  readonly reason: string;
  readonly days?: number;
  readonly compensation?: readonly string[];
}

export async function runWaiverRequest(options: RequestOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space, url } = connect(options);
  const { system } = projectHere(options);
  const { environment, reason, days = observeDaysMax, compensation = [] } = options;
  const { done, request } = await client("requestWaiver", { params: { space, system }, body: { kind: "observe", environment, days, reason, compensation: [...compensation] } });
  terminal.out(done ? `granted (${outcomeOf(request)}): ${system} is observed in ${environment}` : `waits for the risk owner: ${url}/requests/${request.id}`);
  if (done) terminal.out(`next: licet deploy record${options.dir === "." ? "" : ` --dir ${options.dir}`} --environment ${environment} --stage production`);
  return done ? exitCodes.fine : exitCodes.findings;
}

export async function runWaiverList(options: ServerOptions & { readonly system?: string; readonly cursor?: string; readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { system, cursor } = options;
  const page = await client("listWaivers", { params: { space }, query: { limit: 50, ...(system !== undefined && { system }), ...(cursor !== undefined && { cursor }) } });
  if (options.json === true) {
    terminal.out(JSON.stringify(page, null, 2));
    return exitCodes.fine;
  }
  if (page.items.length === 0) {
    terminal.out("no waiver was granted");
    return exitCodes.fine;
  }
  const rows = page.items.map((item) => [item.id, item.state, item.system, item.environment, timeText(item.endedAt ?? item.notAfter), item.requestedBy, item.reason]);
  terminal.out(columns([["WAIVER", "STATE", "SYSTEM", "ENVIRONMENT", "ENDS", "ASKED BY", "REASON"], ...rows]));
  if (page.next !== null) terminal.out(`more: --cursor ${page.next}`);
  return exitCodes.fine;
}

function waiverText(waiver: WaiverView, terminal: Terminal): string {
  const { id, state, system, environment, refused } = waiver;
  const shownState = painted(terminal, state === "in-force" ? "yellow" : "dim", state);
  const lines = [
    `${id}: ${system} is observed in ${environment}, ${shownState}`,
    `from ${timeText(waiver.notBefore)} to ${timeText(waiver.notAfter)}${waiver.endedAt === null ? "" : `, ended ${timeText(waiver.endedAt)} by ${waiver.endedBy ?? ""}: ${waiver.endReason ?? ""}`}`,
    `asked by ${waiver.requestedBy}: ${waiver.reason} (${waiver.outcome}, request ${waiver.request}, entry ${waiver.entry})`,
    ...waiver.compensation.map((text) => `instead: ${text}`),
  ];
  if (refused.length === 0) return [...lines, "no call would have been refused so far"].join("\n");
  const rows = refused.map((reason) => [String(reason.calls), reason.code, reason.policy, timeText(reason.lastAt), reason.lastDecision]);
  return [...lines, "would have been refused:", columns([["CALLS", "BECAUSE", "POLICY", "LAST", "DECISION"], ...rows])].join("\n");
}

export async function runWaiverShow(waiver: string, options: ServerOptions & { readonly json?: boolean }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const view = await client("showWaiver", { params: { space, waiver } });
  terminal.out(options.json === true ? JSON.stringify(view, null, 2) : waiverText(view, terminal));
  return exitCodes.fine;
}

export async function runWaiverEnd(waiver: string, options: ServerOptions & { readonly reason: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const view = await client("endWaiver", { params: { space, waiver }, body: { reason: options.reason } });
  terminal.out(`ended ${view.id}: ${view.system} is enforced in ${view.environment} from its next call on`);
  return exitCodes.fine;
}
