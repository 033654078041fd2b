import { fromHex, fromUtf8 } from "../bytes.ts";
import { parseLeaf } from "../leaf.ts";
import { leafHash } from "../merkle.ts";
import { parsed, refused, type Parsed } from "../parsed.ts";
import { parseTlogProof, verifyTlogProof } from "../tlog-proof.ts";
import { parseTrust, type Trust } from "../trust.ts";
import { signedSentence } from "./log.ts";
import { trustOfShard } from "./log-shards.ts";
import { fail, pass, type Finding, type Report } from "./report.ts";
import { checkWitnesses } from "./witnesses.ts";

export interface ProofVerification {
  /** Bytes of a `.tlog-proof` file. */
  readonly proof: Uint8Array;
  /** The entry exactly as logged, or the 64 hex digits of its leaf hash. */
  readonly entry: Uint8Array | string;
  /** Text of the trust file. */
  readonly trust: string;
}

/** Verifies a C2SP tlog-proof offline: signature of the checkpoint, place of the entry, witnesses. Never throws. */
export async function verifyProofFile({ proof, entry, trust: trustText }: ProofVerification): Promise<Report> {
  const trust = parseTrust(trustText);
  if (!trust.ok) return { verified: false, fingerprint: null, findings: [fail("trust", trust.code, trust.message)] };
  const { fingerprint } = trust.value;
  const text = fromUtf8(proof);
  const judged = text.ok ? await judgeProof(text.value, entry, trust.value) : [fail("proof", text.code, text.message)];
  const findings = [pass("trust", `trust file ${fingerprint}: compare this fingerprint with one from another channel`), ...judged];
  return { verified: findings.every(({ status }) => status !== "fail"), fingerprint, findings };
}

/** The lines about one proof, for an entry that is known by its bytes or its hash. */
export async function judgeProof(text: string, entry: Uint8Array | string, trust: Trust): Promise<readonly Finding[]> {
  const proof = parseTlogProof(text);
  if (!proof.ok) return [fail("proof", proof.code, proof.message)];
  const hash = hashOf(entry);
  if (!hash.ok) return [fail("proof", hash.code, hash.message)];
  const origin = proof.value.checkpoint.split("\n", 1)[0] ?? "";
  const signers = trustOfShard(trust, origin);
  if (signers === undefined) return [fail("checkpoint", "checkpoint_origin", `the proof is of the log \`${origin}\`, not of \`${trust.origin}\``)];
  // The witnesses are judged on a line of their own, with the same rule as everywhere.
  const verified = await verifyTlogProof({ proof: text, leafHash: hash.value, trust: signers, policy: null });
  if (!verified.ok) return [fail(verified.code === "not_included" ? "proof" : "checkpoint", verified.code, verified.message)];
  const { checkpoint, index } = verified.value;
  const included = pass("proof", `${described(entry)} stands as entry ${index} in the log of ${checkpoint.size} entries`);
  return [...signedSentence(checkpoint), included, await checkWitnesses(proof.value.checkpoint, trust)];
}

function hashOf(entry: Uint8Array | string): Parsed<Uint8Array> {
  if (typeof entry !== "string") return parsed(leafHash(entry));
  const hash = fromHex(entry);
  return hash.ok && hash.value.length === 32 ? hash : refused("leaf_hash_malformed", "a leaf hash has 64 lower-case hex digits");
}

function described(entry: Uint8Array | string): string {
  const leaf = typeof entry === "string" ? undefined : parseLeaf(entry);
  return leaf?.ok === true ? `\`${leaf.value.kind}\` of ${new Date(leaf.value.time).toISOString()} (\`${leaf.value.id}\`)` : "the given entry";
}
