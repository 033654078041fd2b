import { type Limit, type Outcome, silent } from "../verdict/outcome.ts";
import type { ArtifactLimits } from "./limits.ts";
import type { ArtifactRule, Finding } from "./rules.ts";
import { type ArtifactScan, scanArtifact } from "./scan-artifact.ts";
import type { Source } from "./source.ts";

export interface NamedArtifact {
  readonly name: string;
  readonly source: Source;
}

/** What is kept of the scan of one file: enough for the verdict and for the reasons, without the file. */
export interface ScannedArtifact {
  readonly name: string;
  readonly digest: string;
  readonly bytes: number;
  readonly format: string;
  /** Findings by severity. */
  readonly block: number;
  readonly insufficient: number;
  readonly advisory: number;
  /** Rules that were broken, sorted by name. */
  readonly rules: readonly ArtifactRule[];
}

/** Sufficient statistics of `artifact.scan`. */
export interface ArtifactStatistics {
  readonly artifacts: readonly ScannedArtifact[];
}

export interface ArtifactMeasurement {
  readonly statistics: ArtifactStatistics;
  readonly notes: readonly string[];
  readonly scans: readonly ArtifactScan[];
}

export const artifactsMax = 1000;
const notesMax = 20;
const rulesMax = 50;

/** Scans files one after another. Files beyond the bound are counted as not understood, so they can never pass unseen. */
export async function measureArtifact(artifacts: readonly NamedArtifact[], options: { readonly limits?: Partial<ArtifactLimits> } = {}): Promise<ArtifactMeasurement> {
  const scans: ArtifactScan[] = [];
  for (const { name, source } of artifacts.slice(0, artifactsMax)) scans.push(await scanArtifact(source, { ...options, name }));
  const kept = scans.map((scan) => ({
    name: scan.format.name,
    digest: `sha256:${scan.format.sha256}`,
    bytes: scan.format.bytes,
    format: scan.format.format,
    ...scan.counts,
    rules: [...new Set(scan.findings.map(({ rule }) => rule))].sort().slice(0, rulesMax),
  }));
  const unseen = artifacts.slice(artifactsMax, artifactsMax + 1).map(({ name }) => ({ name, digest: "", bytes: 0, format: "unknown", block: 0, insufficient: artifacts.length - artifactsMax, advisory: 0, rules: ["limit.entries"] as const }));
  return { statistics: { artifacts: [...kept, ...unseen] }, notes: scans.flatMap(({ findings }) => findings.map(sentence)).slice(0, notesMax), scans };
}

function sentence({ path, what, remedy, rule, offset }: Finding): string {
  return `${path}${offset === null ? "" : ` at byte ${offset}`}: ${what} (${rule}); ${remedy}`;
}

/**
 * The verdict on scanned files, from their counts alone: a census, since nothing is inferred. One file with a blocking
 * finding above the limit fails; otherwise one that was not understood leaves the check open.
 */
export function decideArtifact({ artifacts }: ArtifactStatistics, limit: Pick<Limit, "value">): Outcome {
  if (artifacts.length === 0) return silent("too_few");
  const refused = artifacts.filter(({ block }) => block > 0).length;
  const open = artifacts.filter(({ block, insufficient }) => block === 0 && insufficient > 0).length;
  const interval = { method: "census", level: 1, sides: 2, lower: refused, upper: refused + open } as const;
  if (refused > limit.value) return { estimate: refused, interval, verdict: "fail" };
  if (refused + open > limit.value) return { estimate: refused, interval, verdict: "insufficient_evidence", reason: "unassessed_budget" };
  return { estimate: refused, interval, verdict: "pass" };
}
