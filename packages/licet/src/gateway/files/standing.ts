import { refuse, type Refusal } from "../refusal.ts";
import { standingRefusal, type Standing } from "../standing.ts";
import type { BoundId } from "./bound-id.ts";
import type { BoundIds } from "./bound-ids.ts";

export type FoundId = { readonly bound: BoundId } | { readonly refusal: Refusal };

export interface IdAsk {
  readonly object: BoundId["object"];
  readonly id: string;
  /** Ids of providers that it may be of. */
  readonly providers: readonly string[];
  readonly param?: string;
}

/** An id of the caller's own system; for all others there is one answer, so that nobody learns what is another's. */
export async function ownId(ids: BoundIds, { credential }: Standing, { object, id, providers, param }: IdAsk): Promise<FoundId> {
  for (const provider of new Set(providers)) {
    const bound = await ids.find({ space: credential.space, provider, id });
    if (bound?.object === object && bound.system === credential.deployment.system) return { bound };
  }
  return { refusal: refuse("file_unknown", { ...(param !== undefined && { param }) }) };
}

/** What was stored was scanned for the release that stored it: it is used while that, or the caller's own same one, is authorised. */
export function staleRefusal(asking: Standing, { release, system }: BoundId, param?: string): Refusal | undefined {
  const { snapshot, credential, now } = asking;
  if (release === credential.deployment.release) return undefined;
  const others = [...snapshot.byCredentialDigest.values()].filter(({ space, deployment }) => space === credential.space && deployment.system === system && deployment.release === release);
  const authorised = others.some((other) => other.revokedAt === null && now < other.expiresAt && standingRefusal({ snapshot, credential: other, now }) === undefined);
  return authorised ? undefined : refuse("file_stale", { ...(param !== undefined && { param }) });
}
