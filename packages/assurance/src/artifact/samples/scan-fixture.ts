import type { ArtifactLimits } from "../limits.ts";
import type { ArtifactRule } from "../rules.ts";
import { type ArtifactScan, scanArtifact } from "../scan-artifact.ts";
import { bytesSource } from "../source.ts";

export function scanned(data: Uint8Array, limits: Partial<ArtifactLimits> = {}): Promise<ArtifactScan> {
  return scanArtifact(bytesSource(data), { name: "sample", limits });
}

/** The verdict, and the rules that decided it: a sample must be refused for its own reason. */
export async function verdictOf(data: Uint8Array, limits: Partial<ArtifactLimits> = {}): Promise<{ readonly verdict: string; readonly rules: readonly ArtifactRule[] }> {
  const { verdict, findings } = await scanned(data, limits);
  return { verdict, rules: [...new Set(findings.map(({ rule }) => rule))] };
}
