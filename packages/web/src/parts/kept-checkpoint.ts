import { decodeProof, parseTrust, verifyConsistency, verifyTrustedCheckpoint, type Checkpoint, type Trust } from "@licet/evidence";
import { client, space } from "../api.ts";

/** What this browser remembers of a log: the newest checkpoint that it has verified, and since when it follows. */
export interface Kept {
  readonly note: string;
  readonly since: number;
}

export type Continuity =
  | { readonly kind: "first"; readonly size: number }
  | { readonly kind: "continues"; readonly from: number; readonly size: number; readonly since: number }
  | { readonly kind: "broken"; readonly code: string; readonly message: string; readonly kept: string | null };

const place = (origin: string): string => `licet checkpoint ${origin}`;

function recall(origin: string): Kept | undefined {
  try {
    const kept: unknown = JSON.parse(localStorage.getItem(place(origin)) ?? "null");
    if (typeof kept !== "object" || kept === null || !("note" in kept) || !("since" in kept)) return undefined;
    return typeof kept.note === "string" && typeof kept.since === "number" ? { note: kept.note, since: kept.since } : undefined;
  } catch {
    return undefined;
  }
}

/** A browser that keeps nothing, as in a private window, verifies each visit by itself. */
function remember(origin: string, kept: Kept): void {
  try {
    localStorage.setItem(place(origin), JSON.stringify(kept));
  } catch {
    return;
  }
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, at) => byte === b[at]);
}

async function continues(from: Checkpoint, to: Checkpoint): Promise<boolean> {
  if (from.size === to.size) return sameBytes(from.root, to.root);
  const answer = await client("proveConsistency", { params: { space }, query: { from: from.size, to: to.size, origin: to.origin } });
  const proof = decodeProof(answer.proof);
  return proof.ok && verifyConsistency({ oldSize: from.size, newSize: to.size, oldRoot: from.root, newRoot: to.root, proof: proof.value });
}

/** Verifies the checkpoint, and that it continues the one this browser saw before; only then it takes its place. */
export async function follow(note: string, trustText: string, now: number): Promise<Continuity> {
  const trust = parseTrust(trustText);
  if (!trust.ok) return { kind: "broken", code: trust.code, message: trust.message, kept: null };
  const checkpoint = await verifyTrustedCheckpoint(note, trust.value);
  if (!checkpoint.ok) return { kind: "broken", code: checkpoint.code, message: checkpoint.message, kept: null };
  return compare({ note, checkpoint: checkpoint.value, trust: trust.value, now });
}

interface Seen {
  readonly note: string;
  readonly checkpoint: Checkpoint;
  readonly trust: Trust;
  readonly now: number;
}

async function compare({ note, checkpoint, trust, now }: Seen): Promise<Continuity> {
  const { origin, size } = checkpoint;
  const kept = recall(origin);
  const before = kept === undefined ? undefined : await verifyTrustedCheckpoint(kept.note, trust);
  if (kept === undefined || before?.ok !== true) {
    remember(origin, { note, since: now });
    return { kind: "first", size };
  }
  const from = before.value.size;
  if (from > size) return { kind: "broken", code: "rollback", message: `this browser has seen a signed checkpoint over ${from} entries, and is now shown one over ${size}`, kept: kept.note };
  if (!(await continues(before.value, checkpoint))) return { kind: "broken", code: "fork", message: `the log over ${size} entries does not continue the one over ${from} that this browser has seen`, kept: kept.note };
  remember(origin, { note, since: kept.since });
  return { kind: "continues", from, size, since: kept.since };
}
