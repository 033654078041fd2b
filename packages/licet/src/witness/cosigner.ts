import { emptyRoot, equalBytes, formatNote, verifyConsistency } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { type Files, nodeFiles } from "../ledger/files.ts";
import type { WitnessKey } from "./key.ts";
import { type Cosigned, cosignedOf, originHash, readCosigned, readLog, readLogByHash, writeCosigned } from "./known-logs.ts";
import { type Held, heldSignatures, parseSubmission, type Submission } from "./submission.ts";

/** What `add-checkpoint` answers, in the terms of C2SP tlog-witness. */
export type Cosigning =
  | { readonly is: "cosigned"; readonly lines: readonly string[] }
  | { readonly is: "malformed" | "forbidden" | "inconsistent" | "unknown-log" | "busy"; readonly why: string }
  /** `size` is that of the last checkpoint that was cosigned. */
  | { readonly is: "conflict"; readonly size: number };

export interface Cosigner {
  addCheckpoint(body: Uint8Array): Promise<Cosigning>;
  /** The last cosigned checkpoint of the log whose origin has this SHA-256. */
  checkpoint(originHash: string): Promise<string | undefined>;
}

export interface CosignerOptions {
  readonly folder: string;
  readonly key: WitnessKey;
  readonly clock: Clock;
  readonly files?: Files;
}

/** Verified submissions of one log that wait for their turn; more are sent away. */
export const waitingMax = 64;

interface Turn {
  /** Resolves when the last submission in line is done, however it ends. */
  tail: Promise<unknown>;
  waiting: number;
  cosigned: Cosigned | undefined;
  /** Set once a write failed: nobody knows what the disk holds. */
  poison: unknown;
}

/**
 * INVARIANT: one process per folder (its lock), one submission per log at a time, and the new checkpoint durable
 * before its cosignature leaves: so no two cosignatures of this key are over inconsistent trees.
 */
export function openCosigner(options: CosignerOptions): Cosigner {
  const files = options.files ?? nodeFiles;
  const parts = { ...options, files };
  /** One for each log that was ever submitted with a valid signature: bounded by what the operator has added. */
  const turns = new Map<string, Promise<Turn>>();
  const turnOf = (origin: string): Promise<Turn> => {
    const found = turns.get(originHash(origin));
    if (found !== undefined) return found;
    const opening = readCosigned(parts.folder, origin, parts).then((cosigned): Turn => ({ tail: Promise.resolve(), waiting: 0, cosigned, poison: undefined }));
    turns.set(originHash(origin), opening);
    // A damaged file is read again at the next request: the operator may have put it right.
    opening.catch(() => turns.delete(originHash(origin)));
    return opening;
  };
  return {
    async addCheckpoint(body) {
      const submission = parseSubmission(body);
      if (!submission.ok) return { is: "malformed", why: submission.message };
      const { origin, size } = submission.value.checkpoint;
      const log = await readLog(parts.folder, origin, files);
      if (log === undefined || !log.active) return { is: "unknown-log", why: "this witness does not know the log" };
      const signatures = await heldSignatures(submission.value.note, log.keys);
      if (!signatures.ok) return { is: "forbidden", why: signatures.message };
      if (signatures.value.length === 0) return { is: "forbidden", why: "no key that this witness knows for the log has signed" };
      if (submission.value.oldSize > size) return { is: "malformed", why: "the old size is larger than the checkpoint's" };
      const turn = await turnOf(origin);
      if (turn.waiting >= waitingMax) return { is: "busy", why: "too many checkpoints of this log are waiting" };
      return inTurn(turn, () => cosign(parts, turn, { ...submission.value, held: signatures.value }));
    },
    checkpoint: async (hash) => (await turns.get(hash)?.catch(() => undefined))?.cosigned?.note ?? checkpointOnDisk(parts, hash),
  };
}

async function checkpointOnDisk({ folder, key, files }: CosignerOptions & { readonly files: Files }, hash: string): Promise<string | undefined> {
  const log = await readLogByHash(folder, hash, files);
  return log && (await readCosigned(folder, log.origin, { key, files }))?.note;
}

async function inTurn(turn: Turn, work: () => Promise<Cosigning>): Promise<Cosigning> {
  turn.waiting += 1;
  const done = turn.tail.then(work).finally(() => {
    turn.waiting -= 1;
  });
  turn.tail = done.catch(() => {});
  return done;
}

interface Verified extends Submission {
  readonly held: readonly Held[];
}

async function cosign(parts: CosignerOptions, turn: Turn, submission: Verified): Promise<Cosigning> {
  if (turn.poison !== undefined) throw new LicetError("witness_damaged", { message: "an earlier write failed: start the witness again", cause: turn.poison });
  const refusal = contradiction(turn.cosigned, submission);
  if (refusal !== undefined) return refusal;
  const { checkpoint, text, held } = submission;
  // Never earlier than the last: the statement is "the largest tree seen as of this time".
  const time = Math.max(Math.floor(parts.clock.now() / 1000), turn.cosigned?.time ?? 0, 1);
  const lines = await parts.key.cosign(text, time);
  const note = formatNote(text, [...held.map(({ line }) => line), ...lines]);
  try {
    await writeCosigned(parts.folder, checkpoint.origin, { note, ...(parts.files && { files: parts.files }) });
  } catch (error) {
    turn.poison = error;
    throw error;
  }
  turn.cosigned = cosignedOf({ note, text, checkpoint }, time);
  return { is: "cosigned", lines };
}

function contradiction(last: Cosigned | undefined, { oldSize, proof, checkpoint }: Submission): Cosigning | undefined {
  const size = last?.size ?? 0;
  if (oldSize !== size) return { is: "conflict", size };
  if (checkpoint.size === 0 && !equalBytes(checkpoint.root, emptyRoot())) return { is: "inconsistent", why: "the empty tree has another root" };
  const consistent = verifyConsistency({ oldSize, newSize: checkpoint.size, oldRoot: last?.root ?? emptyRoot(), newRoot: checkpoint.root, proof });
  return consistent ? undefined : { is: "inconsistent", why: "the proof does not lead from the last cosigned checkpoint to this one" };
}
