import { writeFileSync } from "node:fs";
import { extname, resolve } from "node:path";
import { htmlReport, junitReport, markdownReport, sarifReport } from "@licet/assurance";
import type { SuiteReport } from "@licet/contract";
import type { Project } from "../inventory/project.ts";
import { UsageError } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

export type ReportWriter = (report: SuiteReport) => void;

type Form = (report: SuiteReport, project: Project) => string;

const forms: Readonly<Record<string, Form>> = {
  ".html": (report, { manifest }) => htmlReport(report, { system: manifest.name, title: manifest.title, advisory: advisoryOf(manifest) }),
  ".json": (report) => `${JSON.stringify(report, null, 2)}\n`,
  ".md": markdownReport,
  ".sarif": (report) => sarifReport(report),
  ".xml": junitReport,
};

function advisoryOf({ assurance }: Project["manifest"]): ReadonlySet<string> {
  return new Set(assurance?.checks.flatMap(({ id, advisory }) => (advisory === true ? [id] : [])));
}

/** Refuses a name whose form nobody knows before anything is run. */
export function reportWriter(files: readonly string[], project: Project, terminal: Terminal): ReportWriter {
  const wanted = files.map((file) => ({ file, form: formOf(file) }));
  return (report) => {
    for (const { file, form } of wanted) {
      writeFileSync(resolve(file), form(report, project));
      terminal.err(`  wrote ${file}`);
    }
  };
}

function formOf(file: string): Form {
  const form = forms[extname(file).toLowerCase()];
  if (form === undefined) throw new UsageError(`\`${file}\`: name a report with one of ${Object.keys(forms).join(", ")}`);
  return form;
}
