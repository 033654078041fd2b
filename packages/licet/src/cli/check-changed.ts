import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { componentsOf, configurationDigest, definitionOf, engine } from "@licet/assurance";
import type { AssuranceCheck, SuiteReport } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { projectAt } from "./check-git.ts";
import { cacheFolder } from "./check-open-run.ts";

/** What a check says depends on: a check whose fingerprint is as it was would say the same. */
type Fingerprints = Readonly<Record<string, string>>;

const Last = z.object({ v: z.literal(1), checks: z.record(z.string(), z.object({ fingerprint: z.string(), verdict: z.string() })) });

export interface Selection {
  readonly run: readonly AssuranceCheck[];
  readonly skipped: readonly { readonly id: string; readonly why: string }[];
}

/** Checks to run: those that changed since the last results of this folder on this machine, or since a commit. */
export function changedChecks(project: Project, checks: readonly AssuranceCheck[], ref: string | true): Selection {
  const now = fingerprintsOf(project, checks);
  return ref === true ? sinceLast(project, checks, now) : sinceCommit(project, { checks, now, ref });
}

function sinceLast(project: Project, checks: readonly AssuranceCheck[], now: Fingerprints): Selection {
  const last = readLast(project);
  return split(checks, (id) => {
    const before = last[id];
    if (before === undefined || before.fingerprint !== now[id]) return undefined;
    // What did not pass is not what anybody wants to build on.
    return before.verdict === "pass" ? "unchanged since it passed here" : undefined;
  });
}

function sinceCommit(project: Project, { checks, now, ref }: { readonly checks: readonly AssuranceCheck[]; readonly now: Fingerprints; readonly ref: string }): Selection {
  const before = projectAt(project, ref);
  const then = before === undefined ? {} : fingerprintsOf(before, before.manifest.assurance?.checks ?? []);
  return split(checks, (id) => (then[id] !== undefined && then[id] === now[id] ? `subject, check and data are as in ${ref}` : undefined));
}

function split(checks: readonly AssuranceCheck[], why: (id: string) => string | undefined): Selection {
  const told = checks.map((check) => ({ check, why: why(check.id) }));
  return { run: told.flatMap((each) => (each.why === undefined ? [each.check] : [])), skipped: told.flatMap((each) => (each.why === undefined ? [] : [{ id: each.check.id, why: each.why }])) };
}

/** Remembers what came out, for the next `--changed`. */
export function rememberResults(project: Project, checks: readonly AssuranceCheck[], report: SuiteReport): void {
  const now = fingerprintsOf(project, checks);
  const last = { ...readLast(project) };
  for (const { id, verdict } of report.results) {
    const fingerprint = now[id];
    if (fingerprint !== undefined) last[id] = { fingerprint, verdict };
  }
  const file = lastFile(project);
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, JSON.stringify({ v: 1, checks: last }));
    renameSync(`${file}.${process.pid}`, file);
  } catch {
    // Without it the next run checks everything.
  }
}

function lastFile({ folder }: Project): string {
  return join(cacheFolder("results"), `${createHash("sha256").update(resolve(folder)).digest("hex")}.json`);
}

function readLast(project: Project): z.infer<typeof Last>["checks"] {
  try {
    return Last.safeParse(parseJson(readFileSync(lastFile(project), "utf8"))).data?.checks ?? {};
  } catch {
    return {};
  }
}

function fingerprintsOf(project: Project, checks: readonly AssuranceCheck[]): Fingerprints {
  const parts = new Map(releaseOf(bundleOf(project)).components.map((component) => [component.name, component.digest]));
  return prints(checks, parts);
}

/** A language model is asked with the system's prompts and tools: with other ones it is another subject. */
function prints(checks: readonly AssuranceCheck[], components: ReadonlyMap<string, string>): Fingerprints {
  const whole = createHash("sha256").update(JSON.stringify([...components].toSorted(([a], [b]) => (a < b ? -1 : 1)))).digest("hex");
  return Object.fromEntries(
    checks.map((check) => {
      const read = check.check.startsWith("llm.") ? [whole] : componentsOf(check).map((name) => components.get(name) ?? "");
      const parts = [engine.digest, definitionOf(check.check)?.version, configurationDigest(check), read];
      return [check.id, createHash("sha256").update(JSON.stringify(parts)).digest("hex")];
    }),
  );
}
