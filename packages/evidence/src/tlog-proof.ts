import { fromBase64, toBase64 } from "./bytes.ts";
import { verifyCheckpoint, type LogTrust, type VerifiedCheckpoint } from "./checkpoint.ts";
import { verifyInclusion } from "./merkle.ts";
import { noteCharsMax, type SignatureChecks } from "./note.ts";
import { parsed, refused, type Parsed } from "./parsed.ts";
import { quorumRefused, verifyWitnesses, type WitnessVerdict } from "./witnessing.ts";
import type { WitnessPolicy } from "./witness-policy.ts";

const header = "c2sp.org/tlog-proof@v1";
const extraHead = "extra ";
/** A tree of 2^53 entries has at most 53 levels below its root. */
const hashesMax = 63;

/** A proof that an entry is in a log (C2SP tlog-proof), to be kept in a file `*.tlog-proof`. */
export interface TlogProof {
  /** Not signed by anybody: nothing in it is to be believed. */
  readonly extra?: Uint8Array;
  /** Position of the entry, from 0. */
  readonly index: number;
  /** 32 bytes each, leaf upwards. */
  readonly proof: readonly Uint8Array[];
  /** The signed note, verbatim. */
  readonly checkpoint: string;
}

/** The text of a proof file. Throws a TypeError for what `parseTlogProof` would refuse. */
export function formatTlogProof({ extra, index, proof, checkpoint }: TlogProof): string {
  const lines = [header, ...(extra === undefined ? [] : [`extra ${toBase64(extra)}`]), `index ${index}`, ...proof.map(toBase64)];
  const text = `${lines.join("\n")}\n\n${checkpoint}`;
  const again = parseTlogProof(text);
  if (!again.ok) throw new TypeError(again.message);
  return text;
}

/** Splits a proof file. Says nothing about the proof or the checkpoint in it: use `verifyTlogProof`. */
export function parseTlogProof(text: string): Parsed<TlogProof> {
  if (text.length > noteCharsMax) return refused("tlog_proof_too_large", `the proof is longer than ${noteCharsMax} characters`);
  const split = text.indexOf("\n\n");
  if (split < 0) return refused("tlog_proof_malformed", "the proof has no empty line before its checkpoint");
  const [first, ...lines] = text.slice(0, split).split("\n");
  if (first !== header) return refused("tlog_proof_malformed", `the first line is not \`${header}\``);
  const encoded = lines[0]?.startsWith(extraHead) === true ? lines[0].slice(extraHead.length) : undefined;
  const extra = encoded === undefined ? undefined : fromBase64(encoded);
  if (extra?.ok === false) return refused("tlog_proof_extra", "the extra data is not base64");
  const body = readBody(extra === undefined ? lines : lines.slice(1));
  if (!body.ok) return body;
  return parsed({ ...(extra === undefined ? {} : { extra: extra.value }), ...body.value, checkpoint: text.slice(split + 2) });
}

function readBody([first, ...lines]: readonly string[]): Parsed<Pick<TlogProof, "index" | "proof">> {
  const index = readIndex(first);
  if (index === undefined) return refused("tlog_proof_index", "the proof does not name the entry's index");
  const proof = readHashes(lines);
  return proof.ok ? parsed({ index, proof: proof.value }) : proof;
}

function readIndex(line: string | undefined): number | undefined {
  const [, decimal] = /^index (0|[1-9]\d{0,15})$/.exec(line ?? "") ?? [];
  const index = Number(decimal);
  return Number.isSafeInteger(index) ? index : undefined;
}

function readHashes(lines: readonly string[]): Parsed<readonly Uint8Array[]> {
  if (lines.length > hashesMax) return refused("tlog_proof_hashes", `the proof has more than ${hashesMax} hashes`);
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = fromBase64(line);
    if (!hash.ok || hash.value.length !== 32) return refused("tlog_proof_hashes", "a line of the proof is not a base64 sha-256 hash");
    hashes.push(hash.value);
  }
  return parsed(hashes);
}

export interface TlogProofCheck {
  /** Text of the proof file. */
  readonly proof: string;
  /** Of the entry that the proof is said to be about: see `leafHash`. */
  readonly leafHash: Uint8Array;
  /** The log that is believed; with several, the one whose origin the checkpoint names. */
  readonly trust: LogTrust;
  /** `null` judges no witness. With a policy, its quorum is a condition. */
  readonly policy: WitnessPolicy | null;
  readonly checks?: SignatureChecks;
}

export interface VerifiedTlogProof {
  readonly index: number;
  readonly checkpoint: VerifiedCheckpoint;
  /** `null` without a policy: then the proof is NOT WITNESSED. */
  readonly witnesses: WitnessVerdict | null;
  /** Not signed by anybody. */
  readonly extra?: Uint8Array;
}

/** Verifies the log's signature, the witnesses' quorum and the audit path of a proof file. */
export async function verifyTlogProof({ proof: text, leafHash, trust, policy, checks = {} }: TlogProofCheck): Promise<Parsed<VerifiedTlogProof>> {
  const file = parseTlogProof(text);
  if (!file.ok) return file;
  const { index, proof, extra } = file.value;
  const checkpoint = await verifyCheckpoint(file.value.checkpoint, trust, checks);
  if (!checkpoint.ok) return checkpoint;
  const witnesses = await judgeWitnesses(file.value.checkpoint, policy, checks);
  if (!witnesses.ok) return witnesses;
  const { size, root } = checkpoint.value;
  if (!verifyInclusion({ index, size, root, leafHash, proof })) return refused("not_included", `the proof does not show this entry as number ${index} of ${size}`);
  return parsed({ index, checkpoint: checkpoint.value, witnesses: witnesses.value, ...(extra === undefined ? {} : { extra }) });
}

async function judgeWitnesses(checkpoint: string, policy: WitnessPolicy | null, checks: SignatureChecks): Promise<Parsed<WitnessVerdict | null>> {
  if (policy === null) return parsed(null);
  const verdict = await verifyWitnesses(checkpoint, policy, checks);
  return verdict.ok && verdict.value.quorum === "not-met" ? quorumRefused(verdict.value) : verdict;
}
