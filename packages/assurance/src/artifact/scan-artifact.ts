import { rmSync } from "node:fs";
import { examine } from "./examine.ts";
import { type FormatNode, type ImportedGlobal, Layer, type Run } from "./layer.ts";
import { artifactLimits, type ArtifactLimits } from "./limits.ts";
import type { Finding, Severity } from "./rules.ts";
import type { Source } from "./source.ts";

export interface ScanOptions {
  /** For messages: the name of the file. Says nothing about its format. */
  readonly name?: string;
  readonly limits?: Partial<ArtifactLimits>;
}

export interface ArtifactScan {
  /** `fail`: something must not be loaded. `insufficient_evidence`: something was not understood. `pass`: every byte was read and none objects. */
  readonly verdict: "pass" | "fail" | "insufficient_evidence";
  /** Worst first; bounded, see `counts` for all. */
  readonly findings: readonly Finding[];
  readonly counts: Readonly<Record<Severity, number>>;
  readonly format: FormatNode;
  /** What loading would import, sorted. */
  readonly globals: readonly ImportedGlobal[];
  readonly layers: number;
}

const order: readonly Severity[] = ["block", "insufficient", "advisory"];

/**
 * Reads an artifact the way its loaders would, without running anything of it: containers are walked, formats told by
 * content alone, pickles interpreted over abstract values against a list of allowed names. Everything that is not
 * understood keeps the artifact from passing. Deterministic: the same bytes give the same result.
 */
export async function scanArtifact(source: Source, options: ScanOptions = {}): Promise<ArtifactScan> {
  const run: Run = {
    limits: { ...artifactLimits, ...options.limits },
    findings: [],
    globals: new Map(),
    used: { entries: 0, expandedBytes: 0, steps: 0 },
    counts: { block: 0, insufficient: 0, advisory: 0 },
    temporary: [],
    examine,
  };
  const name = options.name ?? "artifact";
  const layer = new Layer(run, { source, name, path: name, depth: 0 });
  try {
    await examine(layer);
  } finally {
    for (const { folder, close } of run.temporary) {
      close();
      rmSync(folder, { recursive: true, force: true });
    }
  }
  const verdict = run.counts.block > 0 ? "fail" : run.counts.insufficient > 0 ? "insufficient_evidence" : "pass";
  return {
    verdict,
    findings: run.findings.toSorted((a, b) => order.indexOf(a.severity) - order.indexOf(b.severity)),
    counts: run.counts,
    format: layer.node(),
    globals: [...run.globals.values()].sort((a, b) => compare(`${a.module}\n${a.name}`, `${b.module}\n${b.name}`)),
    layers: run.used.entries + 1,
  };
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
