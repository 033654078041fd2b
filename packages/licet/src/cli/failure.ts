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

const fileFailures: Readonly<Record<string, { readonly code: "file_unreadable" | "already_exists" | "disk_full"; readonly words: string }>> = {
  ENOENT: { code: "file_unreadable", words: "there is no such file or folder" },
  ENOTDIR: { code: "file_unreadable", words: "part of the path is no folder" },
  EISDIR: { code: "file_unreadable", words: "it is a folder" },
  EACCES: { code: "file_unreadable", words: "you may not" },
  EPERM: { code: "file_unreadable", words: "you may not" },
  EROFS: { code: "file_unreadable", words: "nothing can be written there" },
  EEXIST: { code: "already_exists", words: "it exists already" },
  ENOSPC: { code: "disk_full", words: "the disk is full" },
};

/** A path that the user gave and that the system refused, with its code. */
function named(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof LicetError) return error;
  const { code, path, syscall }: NodeJS.ErrnoException = error;
  const known = fileFailures[code ?? ""];
  // Reading a folder is the one refusal that names no path.
  if (known === undefined || (path === undefined && syscall !== "read")) return error;
  return new LicetError(known.code, { message: `${path === undefined ? "a file that was named" : `\`${path}\``} cannot be opened: ${known.words}`, cause: error });
}

/** One coded line with what and how to fix; never a stack, never a cause. */
export function reportFailure(terminal: Terminal, thrown: unknown): ExitCode {
  const error = named(thrown);
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
