import type { BoundIdBody } from "@licet/contract";
import type { JsonObject } from "../../ledger/recorder.ts";

/**
 * An id that a provider gave out, bound to what went there under it. INVARIANT: an id means anything here only by an
 * outcome in the log that bound it; nothing else makes one known.
 */
export interface BoundId extends BoundIdBody {
  readonly space: string;
  readonly system: string;
}

export interface IdPlace {
  readonly space: string;
  readonly provider: string;
  readonly id: string;
}

/** As it stands in the outcome that binds it; space and system are the entry's. */
export function boundJson({ object, id, provider, deployment, release, purpose, digest, bytes, classes, endpoint, models, from }: BoundId): JsonObject {
  return { object, id, provider, deployment, release, purpose, digest, bytes, classes, endpoint, models, from };
}
