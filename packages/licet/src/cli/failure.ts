import { ApiError } from "@licet/client";
import { errorInfo, LicetError } from "@licet/contract";
import { painted, type Terminal } from "./terminal.ts";

/** Exit codes of every command: documented in docs/cli.md, never changed. */
export const exitCodes = { fine: 0, findings: 1, usage: 2, couldNotRun: 3 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** A command called in a way that it cannot take. */
export class UsageError extends Error {}

function head(terminal: Terminal, code: string): string {
  return `${painted(terminal, "bold", "licet:")} ${painted(terminal, "red", `error[${code}]:`)}`;
}

function reportApi(terminal: Terminal, error: ApiError): ExitCode {
  terminal.err(`${head(terminal, error.code)} ${error.detail}${error.fix === "" ? "" : `\n  fix: ${error.fix}`}`);
  for (const item of error.errors) terminal.err(`  at ${item.pointer === "" ? "/" : item.pointer}: ${item.detail}`);
  return error.status >= 500 ? exitCodes.couldNotRun : exitCodes.findings;
}

/** One coded line with what and how to fix; never a stack, never a cause. */
export function reportFailure(terminal: Terminal, error: unknown): ExitCode {
  if (error instanceof UsageError) {
    terminal.err(`${head(terminal, "usage")} ${error.message}`);
    return exitCodes.usage;
  }
  if (error instanceof ApiError) return reportApi(terminal, error);
  if (error instanceof LicetError) {
    terminal.err(`${head(terminal, error.code)} ${error.message}\n  fix: ${errorInfo(error.code).fix}`);
    return exitCodes.couldNotRun;
  }
  terminal.err(`${head(terminal, "internal")} ${error instanceof Error ? error.message : String(error)}`);
  return exitCodes.couldNotRun;
}
