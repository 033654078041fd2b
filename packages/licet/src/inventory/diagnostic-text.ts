import { visible, type Diagnostic } from "./diagnostic.ts";
import type { SourceText } from "./source-text.ts";

const shownMax = 100;
const lineLengthMax = 120;

/** Diagnostics as a compiler prints them: place, code, message, the source with a caret, why, and how to fix it. */
export function diagnosticText(diagnostics: readonly Diagnostic[], source: SourceText): string {
  const blocks = diagnostics.slice(0, shownMax).map((each) => block(each, source));
  if (diagnostics.length > shownMax) blocks.push(`and ${diagnostics.length - shownMax} more; --format json lists them all\n`);
  return `${[...blocks, summary(diagnostics)].join("\n")}\n`;
}

function block(each: Diagnostic, source: SourceText): string {
  const number = String(each.line);
  const margin = " ".repeat(number.length);
  const { line, caret } = excerpt(each, source.lines[each.line - 1] ?? "");
  return [
    `${visible(each.file)}:${each.line}:${each.column}: ${each.severity}[${each.code}]: ${each.message}`,
    `${margin} |`,
    `${number} | ${line}`,
    `${margin} | ${caret}`,
    `${margin} = why: ${each.why}`,
    `${margin} = fix: ${each.fix}`,
    "",
  ].join("\n");
}

/** A window of the line around the caret: one line of a megabyte must not fill the screen. */
function excerpt(each: Diagnostic, full: string): { line: string; caret: string } {
  const from = each.column > lineLengthMax ? each.column - Math.floor(lineLengthMax / 2) : 0;
  const line = visible(full.slice(from, from + lineLengthMax).replaceAll("\t", " "));
  const last = each.endLine === each.line ? each.endColumn - 1 : full.length;
  const width = Math.max(1, Math.min(last, from + lineLengthMax) - each.column + 1);
  return { line, caret: `${" ".repeat(Math.max(0, each.column - 1 - from))}${"^".repeat(width)}` };
}

function summary(diagnostics: readonly Diagnostic[]): string {
  const errors = diagnostics.filter((each) => each.severity === "error").length;
  return `${counted(errors, "error")}, ${counted(diagnostics.length - errors, "warning")}`;
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
