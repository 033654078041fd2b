import { licetVersion } from "../base/version.ts";
import { hasErrors } from "../inventory/diagnostic.ts";
import { diagnosticSarif } from "../inventory/diagnostic-sarif.ts";
import { diagnosticText } from "../inventory/diagnostic-text.ts";
import { openProject } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { exitCodes, type ExitCode } from "./failure.ts";

export const validateFormats = ["text", "json", "sarif"] as const;
export type ValidateFormat = (typeof validateFormats)[number];

export interface ValidateOptions {
  /** The manifest, or the folder that holds `licet.yaml`. */
  readonly file: string;
  readonly format: ValidateFormat;
  readonly stdout: (text: string) => void;
}

/**
 * Checks a manifest offline. 0: no errors (warnings are shown); 1: errors. Throws `manifest_unreadable`
 * where there is nothing to check, which the caller reports with 3; 2 is for wrong usage.
 */
export function runValidate({ file, format, stdout }: ValidateOptions): ExitCode {
  const opened = openProject(file);
  const { diagnostics, source } = opened.diagnosis;
  const release = opened.project === undefined ? undefined : releaseOf(opened.project);
  if (format === "json") stdout(JSON.stringify({ file: opened.file, ok: release !== undefined, release: release?.digest ?? null, diagnostics }, null, 2));
  if (format === "sarif") stdout(JSON.stringify(diagnosticSarif(diagnostics, licetVersion), null, 2));
  if (format === "text") {
    if (diagnostics.length > 0) stdout(diagnosticText(diagnostics, source).trimEnd());
    if (release !== undefined) stdout(`${opened.file} is valid\nrelease ${release.digest}, ${release.components.length} components`);
  }
  return hasErrors(diagnostics) ? exitCodes.findings : exitCodes.fine;
}
