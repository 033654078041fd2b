import { checkNote, fromBase64, fromUtf8, hashBytes, parseCheckpoint, parsed, parseNote, refused, toBase64, type Checkpoint, type Parsed, type Vkey } from "@licet/evidence";

/** C2SP tlog-witness: more would prove nothing about a tree of fewer than 2^63 entries. */
export const proofHashesMax = 63;

/** The body of `add-checkpoint`, parsed; nothing in it is verified. */
export interface Submission {
  readonly oldSize: number;
  readonly proof: readonly Uint8Array[];
  /** The signed note as it came. */
  readonly note: string;
  /** What its signatures sign. */
  readonly text: string;
  readonly checkpoint: Checkpoint;
}

/** `old SIZE`, the proof's hashes, an empty line, the checkpoint; every line ends in a newline. */
export function parseSubmission(body: Uint8Array): Parsed<Submission> {
  const text = fromUtf8(body);
  if (!text.ok) return text;
  const end = text.value.indexOf("\n\n");
  if (end < 0) return refused("submission_malformed", "there is no empty line before the checkpoint");
  const [first = "", ...lines] = text.value.slice(0, end).split("\n");
  const oldSize = parseOldSize(first);
  if (oldSize === undefined) return refused("submission_old_size", "the first line is not `old` and a tree size");
  const proof = parseProof(lines);
  if (!proof.ok) return proof;
  const signed = parseSigned(text.value.slice(end + 2));
  return signed.ok ? parsed({ oldSize, proof: proof.value, ...signed.value }) : signed;
}

function parseOldSize(line: string): number | undefined {
  const [, decimal = ""] = /^old (0|[1-9]\d{0,15})$/u.exec(line) ?? [];
  const size = Number(decimal);
  return decimal !== "" && Number.isSafeInteger(size) ? size : undefined;
}

function parseProof(lines: readonly string[]): Parsed<readonly Uint8Array[]> {
  if (lines.length > proofHashesMax) return refused("submission_proof_long", `the proof has more than ${proofHashesMax} hashes`);
  const hashes: Uint8Array[] = [];
  for (const line of lines) {
    const hash = fromBase64(line);
    if (!hash.ok || hash.value.length !== hashBytes) return refused("submission_proof", "a line of the proof is not the base64 of a sha-256 hash");
    hashes.push(hash.value);
  }
  return parsed(hashes);
}

export type SignedCheckpoint = Omit<Submission, "oldSize" | "proof">;

export function parseSigned(note: string): Parsed<SignedCheckpoint> {
  const opened = parseNote(note);
  if (!opened.ok) return opened;
  const { text } = opened.value;
  const checkpoint = parseCheckpoint(text);
  return checkpoint.ok ? parsed({ note, text, checkpoint: checkpoint.value }) : checkpoint;
}

/** A signature by a known key that holds. */
export interface Held {
  readonly key: Vkey;
  /** As it stands in the note, with its newline. */
  readonly line: string;
  /** Seconds since the Unix epoch, of cosignatures. */
  readonly time: number | undefined;
}

/** The signatures by the keys given, unknown ones ignored; refused when one by a known key does not hold (signed-note). */
export async function heldSignatures(note: string, keys: readonly Vkey[]): Promise<Parsed<readonly Held[]>> {
  const [lines, checked] = [parseNote(note), await checkNote(note, keys)];
  if (!lines.ok) return lines;
  if (!checked.ok) return checked;
  const held = checked.value.signatures.flatMap(({ key, timestamp }) =>
    lines.value.signatures
      .filter((line) => line.name === key.name && line.keyHash === key.keyHash)
      .map((line) => ({ key, time: timestamp, line: `— ${line.name} ${toBase64(Buffer.concat([Buffer.from(line.keyHash, "hex"), line.signature]))}\n` })),
  );
  return parsed(held);
}
