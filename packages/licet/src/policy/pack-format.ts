import type { Diagnostic } from "../inventory/diagnostic.ts";
import { capProblem, cedarDiagnostic, filesOf } from "./pack-cedar.ts";
import type { OpenedPacks } from "./pack-folder.ts";
import { runPackJob } from "./pack-job.ts";

export interface FormattedFile {
  readonly file: string;
  readonly before: string;
  readonly after: string;
}

export interface FormattedPacks {
  /** Files that could be parsed. */
  readonly files: readonly FormattedFile[];
  readonly diagnostics: readonly Diagnostic[];
}

/** The Cedar files of packs as Cedar's own formatter writes them, which keeps comments and changes no meaning. */
export async function formatPacks(opened: OpenedPacks): Promise<FormattedPacks> {
  const files = filesOf(opened);
  const steep = files.flatMap(capProblem);
  const fit = files.filter(({ file }) => !steep.some((each) => each.file === file));
  const answers = fit.length === 0 ? [] : await runPackJob({ kind: "format", texts: fit.map(({ text }) => text) });
  const together = fit.map((each, index) => ({ ...each, answer: answers[index] }));
  return {
    files: together.flatMap(({ file, text, answer }) => (answer?.formatted === undefined ? [] : [{ file, before: text, after: answer.formatted }])),
    diagnostics: [...opened.diagnostics, ...steep, ...together.flatMap(({ file, text, answer }) => (answer?.findings ?? []).map((finding) => cedarDiagnostic(finding, { file, text })))],
  };
}
