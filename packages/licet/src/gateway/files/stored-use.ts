import type { PipelineParts } from "../admission.ts";
import { registered, type Asking } from "../judge.ts";
import { protocolOf } from "../provider.ts";
import { refuse, type Refusal } from "../refusal.ts";
import type { BoundId } from "./bound-id.ts";
import type { Operation, StoreAsk } from "./operation.ts";
import { permits, type StorePower } from "./power.ts";
import { storeScan } from "./scan-file.ts";
import { unpermitted, type Served } from "./served.ts";
import { ownId, staleRefusal } from "./standing.ts";

/** One stored thing of the caller's own, and the model for whose sake it is there. */
export interface StoredUse {
  readonly bound: BoundId;
  readonly served: Served;
}

export interface UseAsk {
  readonly object: BoundId["object"];
  readonly id: string;
  readonly param?: string;
}

/** Looks an id up. */
export async function storedUse({ boundIds }: PipelineParts, asking: Asking, asked: UseAsk): Promise<StoredUse | { readonly refusal: Refusal }> {
  const { models } = asking.credential.deployment;
  const found = await ownId(boundIds, asking, { ...asked, providers: models.map(({ provider }) => provider) });
  if ("refusal" in found) return found;
  const { bound } = found;
  const power = powerOver(bound);
  const model = models.find((each) => each.provider === bound.provider && permits(each, power));
  if (model === undefined) return { refusal: unpermitted(power, undefined) };
  const provider = registered(asking, model);
  if (provider === undefined || protocolOf(provider) !== "openai") return { refusal: refuse(provider === undefined ? "provider_unknown" : "provider_mismatch") };
  return { bound, served: { model, provider } };
}

export function powerOver({ object, purpose }: BoundId): StorePower {
  return object === "batch" || purpose.startsWith("batch") ? "batches" : "files";
}

/** What only asks or ends: nothing of the caller's leaves but an id that the provider gave out. */
export function useOperation(ask: StoreAsk, { bound, served }: StoredUse): Operation {
  return {
    ...ask,
    served,
    refusals: [staleRefusal(ask.admission, bound)],
    classes: bound.classes,
    scan: storeScan(ask.admission),
    requestBytes: 0,
    stored: { object: bound.object, id: bound.id, purpose: bound.purpose, digest: bound.digest, lines: null },
  };
}

/** Ending what was stored is never refused for its age: less is kept afterwards. */
export function endOperation(ask: StoreAsk, use: StoredUse): Operation {
  return { ...useOperation(ask, use), refusals: [], classes: [] };
}
