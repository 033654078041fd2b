import type { Checkpoint } from "../checkpoint.ts";
import { leafBytes } from "../leaf.ts";
import { leafHash } from "../merkle.ts";
import type { PackManifest } from "../pack.ts";
import { parseTrust, type Trust } from "../trust.ts";
import { checkApprovals, checkFacts, checkRelease, checkResults, checkSpentOnce, readAtos, type Proved } from "./ato.ts";
import { checkGivenApprovals } from "./approvals.ts";
import { checkConsistency, readCheckpoint } from "./checkpoints.ts";
import { checkDecisions } from "./decisions.ts";
import { checkCopies, checkEntries, checkPayloads, checkStatements, type ProvedEntry } from "./entries.ts";
import { checkFiles, readManifest } from "./manifest.ts";
import { fail, pass, type Finding, type Report } from "./report.ts";
import type { PackSource } from "./source.ts";
import { checkStanding } from "./standing.ts";

export interface PackVerification {
  readonly source: PackSource;
  /** Text of the trust file. */
  readonly trust: string;
  /** A signed checkpoint kept from before. */
  readonly old?: Uint8Array;
}

/**
 * Verifies an export without network or server. What it finds are lines; nothing in an export makes it throw.
 * A check that later ones stand on ends the verification when it fails.
 */
export async function verifyPack({ source, trust: trustText, old }: PackVerification): Promise<Report> {
  const trust = parseTrust(trustText);
  if (!trust.ok) return { verified: false, fingerprint: null, findings: [fail("trust", trust.code, trust.message)] };
  const findings = await judge(source, trust.value, old);
  return { verified: findings.every(({ status }) => status !== "fail"), fingerprint: trust.value.fingerprint, findings };
}

async function judge(source: PackSource, trust: Trust, old: Uint8Array | undefined): Promise<readonly Finding[]> {
  const fingerprint = pass("trust", `trust file ${trust.fingerprint}: compare this fingerprint with one from another channel`);
  const manifest = await readManifest(source, trust);
  if (!manifest.ok) return [fingerprint, fail("pack", manifest.code, manifest.message)];
  const { space, systems, exportedAt } = manifest.value;
  const signed = pass("pack", `pack.json is signed; space \`${space}\`, systems ${systems.map((system) => `\`${system}\``).join(", ")}, exported ${new Date(exportedAt).toISOString()}`);
  const files = await checkFiles(source, manifest.value);
  const checkpoint = await readCheckpoint(source, manifest.value, trust);
  if (!checkpoint.ok) return [fingerprint, signed, ...files, fail("checkpoint", checkpoint.code, checkpoint.message)];
  const named = pass("checkpoint", `the log \`${trust.origin}\` signed its state of ${checkpoint.value.size} entries`);
  const entries = await checkEntries(source, { manifest: manifest.value, checkpoint: checkpoint.value });
  const leafHashes = new Map(entries.value.map((entry) => [entry.index, leafHash(leafBytes(entry.leaf))]));
  const continued = old === undefined ? [] : [await checkConsistency(source, { manifest: manifest.value, trust, checkpoint: checkpoint.value, old, leafHashes })];
  const content = await judgeContent(source, { manifest: manifest.value, checkpoint: checkpoint.value, trust, entries: entries.value });
  return [fingerprint, signed, ...files, named, ...continued, ...entries.findings, ...content, notWitnessed];
}

/** A trust file with a witness policy is refused, so there is none here. */
const notWitnessed: Finding = {
  status: "not_witnessed",
  check: "witness",
  code: "not_witnessed",
  sentence: "the trust file names no witness: whoever holds the log's key could show somebody else another log; a checkpoint kept from before shows whether the past was changed",
};

interface Pack {
  readonly manifest: PackManifest;
  readonly checkpoint: Checkpoint;
  readonly trust: Trust;
  readonly entries: readonly ProvedEntry[];
}

async function judgeContent(source: PackSource, pack: Pack): Promise<readonly Finding[]> {
  const opened = await checkPayloads(pack.entries);
  const statements = await checkStatements(opened.value, pack.trust);
  const copies = await checkCopies(source, { manifest: pack.manifest, statements: statements.value });
  const approvals = await checkGivenApprovals(opened.value);
  const atos = judgeAtos({ entries: opened.value, statements: statements.value, approvals: approvals.value }, pack);
  const decisions = checkDecisions(pack.entries, pack.manifest);
  return [...opened.findings, ...statements.findings, ...copies, ...approvals.findings, ...atos, ...decisions];
}

function judgeAtos(proved: Proved, pack: Pack): readonly Finding[] {
  const atos = readAtos(proved);
  const each = atos.value.flatMap((read) => [
    ...checkRelease(read, proved),
    ...checkFacts(read),
    ...checkResults(read, proved),
    ...checkApprovals(read, proved),
    checkStanding(read, proved, pack),
  ]);
  const none = atos.value.length + atos.findings.length === 0 ? [pass("ato", "the export holds no authorization to operate")] : [];
  return [...atos.findings, ...each, ...checkSpentOnce(atos.value), ...none];
}
