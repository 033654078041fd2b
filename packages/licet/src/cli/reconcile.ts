import { readFileSync, statSync } from "node:fs";
import { LicetError } from "@licet/contract";
import { periodOf, reconcile, type Compared, type Usage } from "../controls/reconcile.ts";
import { readUsage, usageFileBytesMax, utcTime, type UsageFormat } from "../controls/reconcile-usage.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

export interface ReconcileOptions extends ServerOptions {
  readonly usage: string;
  readonly format?: UsageFormat;
  readonly from?: string;
  readonly to?: string;
  readonly provider?: string;
  readonly model?: readonly string[];
  readonly json?: boolean;
}

/** Compares a provider's usage export with the log; exit 1 where the provider billed what the log does not know. */
export async function runReconcile(options: ReconcileOptions, terminal: Terminal): Promise<ExitCode> {
  const billed = readUsage(readExport(options.usage), options.format);
  const period = periodOf(billed, { from: timeAsked("--from", options.from), to: timeAsked("--to", options.to) });
  const { client, space } = connect(options);
  const query = options.provider === undefined ? period : { ...period, provider: options.provider };
  const { items, erasures } = await client("showUsage", { params: { space }, query });
  const rows = reconcile({ billed, logged: items, period, names: namesAsked(options.model ?? []) });
  const unlogged = rows.filter(({ verdict }) => verdict === "unlogged").length;
  if (options.json === true) terminal.out(JSON.stringify({ space, provider: options.provider ?? null, ...period, rows, unlogged, erasures }, null, 2));
  else print(rows, { space, erasures, ...period }, terminal);
  return unlogged === 0 ? exitCodes.fine : exitCodes.findings;
}

function readExport(file: string): string {
  try {
    if (statSync(file).size > usageFileBytesMax) throw new LicetError("usage_malformed", { message: `\`${file}\` is larger than ${usageFileBytesMax} bytes` });
    return readFileSync(file, "utf8");
  } catch (cause) {
    if (cause instanceof LicetError) throw cause;
    throw new LicetError("file_unreadable", { message: `\`${file}\` cannot be read`, cause });
  }
}

function timeAsked(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const time = utcTime(text);
  if (time === undefined) throw new UsageError(`${option} \`${text}\` is not a time in UTC, such as 2026-11-21 or 2026-11-21T10:00:00Z`);
  return time;
}

function namesAsked(pairs: readonly string[]): ReadonlyMap<string, string> {
  return new Map(
    pairs.map((pair) => {
      const [billed = "", logged = "", ...rest] = pair.split("=");
      if (billed === "" || logged === "" || rest.length > 0) throw new UsageError(`--model \`${pair}\`: write it as BILLED=LOGGED`);
      return [billed, logged];
    }),
  );
}

const words = {
  agrees: "agrees",
  unbilled: "the log has more than the bill",
  unknown: "cannot be known: calls without token counts",
  unlogged: "BILLED, NOT IN THE LOG",
} as const;

function pair(billed: number | null, logged: number): string {
  return `${billed ?? "not stated"} / ${logged}`;
}

function line({ day, model, billed, logged, verdict }: Compared): readonly string[] {
  const tokens = (of: keyof Pick<Usage, "inputTokens" | "outputTokens">): string => pair(billed[of], logged[of]);
  return [new Date(day).toISOString().slice(0, 10), model, pair(billed.requests, logged.requests), tokens("inputTokens"), tokens("outputTokens"), words[verdict]];
}

function print(rows: readonly Compared[], of: { readonly space: string; readonly erasures: number; readonly from: number; readonly to: number }, terminal: Terminal): void {
  terminal.out(`space ${of.space}, ${timeText(of.from)} to ${timeText(of.to)}; days are days in UTC; billed / logged`);
  terminal.out(columns([["day", "model", "requests", "input tokens", "output tokens", "verdict"], ...rows.map(line)]));
  const unknown = rows.reduce((sum, { logged }) => sum + logged.tokensUnknown, 0);
  if (unknown > 0) terminal.out(`${unknown} logged ${unknown === 1 ? "call has" : "calls have"} no token counts: the provider states none for a stream that was cut, so their tokens cannot be compared`);
  if (of.erasures > 0) terminal.out(`${of.erasures} ${of.erasures === 1 ? "erasure" : "erasures"} may have taken calls of this period with ${of.erasures === 1 ? "it" : "them"}: an erased call cannot be told from one that was never logged`);
  if (rows.some(({ billed }) => billed.requests === null)) terminal.out("the export states no request counts: a call is missed only where its tokens are");
  terminal.out("a call at midnight may be billed on the other day; calls of other spaces with the same provider account are not in this log");
}
