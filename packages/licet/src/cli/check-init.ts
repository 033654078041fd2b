import { appendFileSync } from "node:fs";
import { Components, type Table } from "@licet/assurance";
import { LicetError } from "@licet/contract";
import { Document, visit } from "yaml";
import type { Proposal, ProposedCheck } from "../assurance/propose/proposal.ts";
import { proposeChecks } from "../assurance/propose/suite.ts";
import type { Project } from "../inventory/project.ts";
import { askedByGate, type AskedByGate } from "./check-asked.ts";
import { componentFiles } from "./check-files.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { projectHere } from "./project.ts";
import type { Terminal } from "./terminal.ts";

interface CheckInitOptions {
  readonly dir: string;
  /** Append the section to the manifest. */
  readonly write?: boolean;
}

/** Proposes the `assurance:` section for what the manifest declares: to be read, thinned out and limited by a person. */
export async function runCheckInit({ dir, write = false }: CheckInitOptions, terminal: Terminal): Promise<ExitCode> {
  const { project } = projectHere({ dir });
  if (project === undefined) throw new UsageError("run in the folder of licet.yaml");
  if (write && project.manifest.assurance !== undefined) throw new UsageError("the manifest has an assurance section: run without --write and copy what is missing");
  const tables = await readTables(project, terminal);
  const proposed = proposeChecks({ manifest: project.manifest, tables });
  if (proposed.checks.length === 0) throw new UsageError("nothing to check is declared here: declare a data set or a model with a file under `components`");
  const text = section(proposed, askedByGate(project, proposed, Date.now()));
  if (write) appendFileSync(project.file, `\n${text}`);
  else terminal.out(text);
  terminal.err(write ? `appended ${proposed.checks.length} checks to ${project.file}; then run: licet check --practice` : "a proposal: nothing was written; --write appends it to the manifest");
  return exitCodes.fine;
}

/** What cannot be read is left out, and said. */
async function readTables(project: Project, terminal: Terminal): Promise<ReadonlyMap<string, Table>> {
  const files = componentFiles(project);
  const components = new Components(project.folder, (name) => files[name]);
  const tables = new Map<string, Table>();
  for (const { name } of project.manifest.components.datasets ?? []) {
    if (files[name] === undefined) continue;
    try {
      tables.set(name, (await components.table(name)).content);
    } catch (error) {
      if (!(error instanceof LicetError)) throw error;
      terminal.err(`  left out ${name}: ${error.message}`);
    }
  }
  return tables;
}

/** Comments are what it is about: why a check is there, and what it takes to decide it. */
function section({ checks, beside }: Proposal, asked: AskedByGate): string {
  const items = checks.map(({ check, remarks }) => {
    const lines = yamlOf(check).split("\n");
    return [...[...remarks, ...asked.remarks(check)].map((remark) => `    # ${remark}`), ...lines.map((line, at) => `${at === 0 ? "    - " : "      "}${line}`)].join("\n");
  });
  const after = [...asked.missing.map(({ sentence }) => sentence), ...beside].map((each) => `    # ${each}\n`).join("");
  return `assurance:\n  checks:\n${items.join("\n")}\n${after}`;
}

/** Rules of columns stand on one line each, as people write them. */
function yamlOf(check: ProposedCheck["check"]): string {
  const document = new Document(check);
  visit(document, {
    Map: (_key, node, path) => {
      if (path.length > linesDeep) node.flow = true;
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true }).trimEnd();
}

/** Document, map, pair, map, pair: the members of a check's own maps. */
const linesDeep = 4;
