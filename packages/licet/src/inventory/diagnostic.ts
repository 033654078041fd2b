import { errorInfo, type ErrorCode } from "@licet/contract";
import type { Range, SourceText } from "./source-text.ts";

/** One thing wrong with a manifest, with everything that a person needs to put it right. */
export interface Diagnostic {
  readonly code: ErrorCode;
  readonly severity: "error" | "warning";
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly endLine: number;
  readonly endColumn: number;
  /** JSON pointer into the manifest, empty for the whole file. */
  readonly pointer: string;
  readonly message: string;
  readonly why: string;
  readonly fix: string;
}

export type Path = readonly (string | number)[];

/** A problem before it is placed in the text. */
export interface Problem {
  readonly code: ErrorCode;
  readonly message: string;
  readonly path: Path;
  /** Where it stands; without it, the place is found from the path. */
  readonly range?: Range;
  /** Point at the key, not at its value. */
  readonly atKey?: boolean;
  /** Replaces the registry's advice where something more exact is known. */
  readonly fix?: string;
  readonly severity?: "error" | "warning";
}

export function diagnostic(problem: Problem, range: Range, source: SourceText & { readonly file: string }): Diagnostic {
  const start = source.positionAt(range[0]);
  const end = source.positionAt(Math.max(range[0], range[1]));
  const { why, fix } = errorInfo(problem.code);
  return {
    code: problem.code,
    severity: problem.severity ?? "error",
    file: source.file,
    ...start,
    endLine: end.line,
    endColumn: end.column,
    pointer: pointerOf(problem.path),
    message: problem.message,
    why,
    fix: problem.fix ?? fix,
  };
}

export function pointerOf(path: Path): string {
  return path.map((part) => `/${String(part).replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

const quotedLengthMax = 80;

/** User input for a message: in backticks, shortened, and unable to steer the terminal. */
export function quoted(input: unknown): string {
  const text = visible(typeof input === "string" ? input : (JSON.stringify(input) ?? String(input)));
  const cut = text.length > quotedLengthMax ? `${text.slice(0, quotedLengthMax)}…` : text;
  return `\`${cut.replaceAll("`", "'")}\``;
}

/** Control characters and direction marks would let a manifest rewrite the screen it is printed on. */
export function visible(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Cs}\u2028\u2029]/gu, "�");
}

export function inOrder(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  return [...diagnostics].sort((a, b) => a.line - b.line || a.column - b.column || a.code.localeCompare(b.code));
}

export function hasErrors(diagnostics: readonly Diagnostic[]): boolean {
  return diagnostics.some((each) => each.severity === "error");
}
