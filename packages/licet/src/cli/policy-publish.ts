import { LicetError, type PolicyCheck, type PublicationRow } from "@licet/contract";
import { readPackFolder } from "../policy/pack.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { outcomeOf } from "./people.ts";
import { policyFolder } from "./policy-folder.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import { columns, painted, timeText, type Terminal } from "./terminal.ts";

interface PublishOptions extends ServerOptions {
  readonly folder?: string | undefined;
  readonly comment?: string;
  readonly remove?: readonly string[];
  readonly prune?: boolean;
  readonly base?: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** The server compiles what is sent; what is checked here beforehand only saves the way. */
export async function runPolicyPublish(options: PublishOptions, terminal: Terminal): Promise<ExitCode> {
  const packs = readPackFolder(policyFolder(options.folder));
  const connection = connect(options);
  const { client, space } = connection;
  const given = { packs: [...packs], remove: [...new Set([...(options.remove ?? []), ...(options.prune === true ? await others(connection, packs.map(({ name }) => name)) : [])])] };
  if (options.dryRun === true) {
    const check = await client("checkPolicies", { params: { space }, body: given });
    terminal.out(options.json === true ? JSON.stringify(check, null, 2) : checkText(check, terminal));
    return check.ok ? exitCodes.fine : exitCodes.findings;
  }
  if (options.comment === undefined) throw new UsageError("give --comment: why; whoever approves reads it");
  const answer = await client("publishPolicies", { params: { space }, body: { ...given, comment: options.comment, ...(options.base === undefined ? {} : { base: options.base }) } });
  if (options.json === true) terminal.out(JSON.stringify(answer, null, 2));
  else terminal.out(answer.done ? `published (${outcomeOf(answer.request)})` : `waits for another person's approval (request ${answer.request.id})`);
  return exitCodes.fine;
}

/** The space's own packs that the folder does not hold. */
async function others({ client, space }: Connection, names: readonly string[]): Promise<readonly string[]> {
  const { packs } = await client("showPolicies", { params: { space } });
  const own = packs.filter(({ origin }) => origin === "space").map(({ name }) => name);
  return own.filter((name) => !names.includes(name));
}

function checkText({ ok, digest, findings, changes, changesLeft }: PolicyCheck, terminal: Terminal): string {
  const found = findings.map(({ severity, code, message, fix }) => `${painted(terminal, severity === "error" ? "red" : "yellow", `${severity}[${code}]:`)} ${message}\n  fix: ${fix}`);
  const lines = changes.map(({ sign, pack, policy, what, part, before, after }) => `${sign} ${policy ?? (pack === "" ? "schema" : pack)}${part === undefined ? "" : `, ${part}`}${what === "mode" ? `: ${before ?? ""} becomes ${after ?? ""}` : what === "policy" ? "" : ` (${what})`}`);
  const more = changesLeft > 0 ? [`… and ${changesLeft} more`] : [];
  return [...found, ...lines, ...more, ok ? `would publish ${digest ?? ""}; nothing was changed` : "would not be published"].join("\n");
}

interface HistoryOptions extends ServerOptions {
  readonly limit?: number;
  readonly cursor?: string;
  readonly json?: boolean;
}

export async function runPolicyHistory(options: HistoryOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const page = await client("listPublications", { params: { space }, query: { limit: options.limit ?? 50, cursor: options.cursor } });
  if (options.json === true) {
    terminal.out(JSON.stringify(page, null, 2));
    return exitCodes.fine;
  }
  if (page.items.length === 0) throw new LicetError("policy_not_published");
  terminal.out(columns([["PUBLISHED", "DIGEST", "BY", "CHANGED", "WHY", "APPROVED"], ...page.items.map(historyRow)]));
  if (page.next !== null) terminal.out(`more: --cursor ${page.next}`);
  return exitCodes.fine;
}

function historyRow({ publishedAt, digest, active, publishedBy, changed, comment, occasion, outcome }: PublicationRow): readonly string[] {
  const why = comment === "" ? { request: "", installation: "the installation's packs", baseline: "the baseline of main" }[occasion] : (comment.split("\n")[0] ?? "");
  return [timeText(publishedAt), `${digest.slice("sha256:".length, "sha256:".length + 12)}${active ? " (active)" : ""}`, publishedBy, `+${changed.added} ~${changed.changed} -${changed.removed}`, why, outcome === "" ? "-" : outcome];
}
