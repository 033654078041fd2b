import type { Diagnostic } from "../inventory/diagnostic.ts";
import { diagnosticText } from "../inventory/diagnostic-text.ts";
import { sourceText } from "../inventory/source-text.ts";
import { counted } from "./policy-folder.ts";

const shownMax = 100;

/** Diagnostics of several files as a compiler prints them; the count last. */
export function filesReport(diagnostics: readonly Diagnostic[], texts: ReadonlyMap<string, string>): string {
  const blocks = diagnostics.slice(0, shownMax).map((each) => withoutSummary(diagnosticText([each], sourceText(texts.get(each.file) ?? ""))));
  const more = diagnostics.length > shownMax ? [`and ${diagnostics.length - shownMax} more; --json lists them all\n`] : [];
  return [...blocks, ...more, `${counted(diagnostics, "error")}, ${counted(diagnostics, "warning")}`].join("\n");
}

/** Each text ends with its own count. */
function withoutSummary(text: string): string {
  return `${text.trimEnd().split("\n").slice(0, -1).join("\n").trimEnd()}\n`;
}
