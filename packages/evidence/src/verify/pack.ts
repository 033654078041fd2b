import type { Checkpoint } from "../checkpoint.ts";
import { leafBytes } from "../leaf.ts";
import { leafHash } from "../merkle.ts";
import type { PackManifest } from "../pack.ts";
import { parseTrust, type Trust } from "../trust.ts";
import { checkApprovals, checkFacts, checkRelease, checkResults, checkSpentOnce, readAtos, type Proved } from "./ato.ts";
import { checkGivenApprovals } from "./approvals.ts";
import { checkBatches } from "./batches.ts";
import { checkDecisions } from "./decisions.ts";
import { checkCopies, checkEntries, checkPayloads, checkStatements, type ProvedEntry } from "./entries.ts";
import { checkGrowth } from "./growth.ts";
import { checkKeyHistory, readKeyHistory, type KnownKeys } from "./key-history.ts";
import { checkFiles, readManifest } from "./manifest.ts";
import { checkTiles } from "./pack-tiles.ts";
import { fail, pass, type Finding, type Report } from "./report.ts";
import type { PackSource } from "./source.ts";
import { checkSaid } from "./said.ts";
import { checkStanding } from "./standing.ts";
import { readTrees, treesFailure, type Tree } from "./trees.ts";
import { checkWitnesses } from "./witnesses.ts";

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

async function judge(source: PackSource, listed: Trust, old: Uint8Array | undefined): Promise<readonly Finding[]> {
  const fingerprint = pass("trust", `trust file ${listed.fingerprint}: compare this fingerprint with one from another channel`);
  const known = await readKeyHistory(source, listed);
  if (!known.ok) return [fingerprint, fail("keys", known.code, known.message)];
  const { trust } = known.value;
  const manifest = await readManifest(source, trust);
  if (!manifest.ok) return [fingerprint, fail("pack", manifest.code, manifest.message)];
  const files = await checkFiles(source, manifest.value);
  const begun = [fingerprint, signedSentence(manifest.value), ...files];
  const trees = await readTrees({ source, manifest: manifest.value, trust });
  if (!trees.ok) return [...begun, treesFailure(trees.code, trees.message)];
  const tiles = await checkTiles(source, manifest.value, trees.value.trees);
  const of = { manifest: manifest.value, trust, trees: trees.value.trees, tiles: tiles.value };
  const entries = await checkEntries(source, of);
  const leafHashes = new Map(entries.value.map((entry) => [entry.index, leafHash(leafBytes(entry.leaf))]));
  const continued = old === undefined ? [] : [await checkGrowth(source, { ...of, old, leafHashes })];
  const content = await judgeContent(source, { ...of, checkpoint: stateOf(manifest.value, trees.value.trees), entries: entries.value, listed, known: known.value });
  const witnessed = await checkWitnesses(trees.value.trees.at(-1)?.note ?? "", trust);
  return [...begun, ...trees.value.findings, ...tiles.findings, ...continued, ...entries.findings, ...content, witnessed];
}

function signedSentence({ space, systems, exportedAt }: PackManifest): Finding {
  return pass("pack", `pack.json is signed; space \`${space}\`, systems ${systems.map((system) => `\`${system}\``).join(", ")}, exported ${new Date(exportedAt).toISOString()}`);
}

/** The whole log, over all its shards, as far as it was signed. */
function stateOf({ origin, treeSize }: PackManifest, trees: readonly Tree[]): Checkpoint {
  return { origin, size: treeSize, root: trees.at(-1)?.root ?? new Uint8Array(0), extensions: [] };
}

interface Pack {
  readonly manifest: PackManifest;
  readonly checkpoint: Checkpoint;
  readonly trust: Trust;
  readonly entries: readonly ProvedEntry[];
  /** As the trust file says, and with the keys that its own lead to. */
  readonly listed: Trust;
  readonly known: KnownKeys;
}

async function judgeContent(source: PackSource, pack: Pack): Promise<readonly Finding[]> {
  const opened = await checkPayloads(pack.entries);
  const statements = await checkStatements(opened.value, pack.trust);
  const copies = await checkCopies(source, { manifest: pack.manifest, statements: statements.value });
  const approvals = await checkGivenApprovals(opened.value);
  const atos = judgeAtos({ entries: opened.value, statements: statements.value, approvals: approvals.value }, pack);
  const decisions = checkDecisions(pack.entries, pack.manifest);
  const batches = await checkBatches(source, { ...pack, opened: opened.value });
  const keys = checkKeyHistory(pack.listed, pack.known, opened.value);
  return [...keys, ...opened.findings, ...statements.findings, ...checkSaid(statements.value), ...copies, ...approvals.findings, ...atos, ...decisions, ...batches];
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
