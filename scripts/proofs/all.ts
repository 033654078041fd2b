import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import { assuranceDrift } from "./assurance-drift.ts";
import { assuranceGates } from "./assurance-gates.ts";
import { cedarFuzz } from "./cedar-fuzz.ts";
import { cedarMutation } from "./cedar-mutation.ts";
import { gatewayFuzz } from "./gateway-fuzz.ts";
import { kill } from "./kill.ts";
import { logPower } from "./log-power.ts";
import { packMutants } from "./pack-mutants.ts";
import { powerLoss } from "./power-loss.ts";
import { folderDigest, root, type Proof } from "./proof.ts";

export const proofs: readonly Proof[] = [logPower, packMutants, kill, powerLoss, cedarFuzz, cedarMutation, gatewayFuzz, assuranceGates, assuranceDrift];

/** What `npm run proof` writes and the tests read. */
export const ProofRecord = z.strictObject({
  name: z.string(),
  promise: z.string(),
  covers: z.array(z.string()).min(1),
  digest: z.string().regex(/^sha256:[0-9a-f]{64}$/u).describe("of the covered folders when the proof was run"),
  seed: z.int().min(0),
  minutes: z.number().positive().describe("how long it ran"),
  figures: z.record(z.string(), z.int().min(0)),
  table: z.array(z.record(z.string(), z.union([z.string(), z.int().min(0)]))).optional(),
  losses: z.array(z.string()).max(0).describe("a run with losses is no proof and is not written"),
  date: z.iso.datetime(),
});
export type ProofRecord = z.output<typeof ProofRecord>;

export function recordPath(name: string): string {
  return join(root, "docs", "proofs", `${name}.json`);
}

/** The last long run; throws when its file is not of the right shape. */
export function readRecord(name: string): ProofRecord | undefined {
  const path = recordPath(name);
  return existsSync(path) ? ProofRecord.parse(JSON.parse(readFileSync(path, "utf8"))) : undefined;
}

/** Whether what the proof covers is what it was when the proof was run. */
export function isFresh(proof: Proof, record: ProofRecord | undefined): boolean {
  return record?.digest === folderDigest(proof.covers);
}
