import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Bundle } from "./bundle-form.ts";
import type { Candidate, GivenPacks } from "./publication.ts";
import { bundleChanges } from "./publication-changes.ts";

const Detail = z.record(z.string(), z.json());
export type PublicationDetail = z.output<typeof Detail>;

const listedChangesMax = 50;

export interface OpeningPublication {
  readonly given: GivenPacks;
  readonly comment: string;
  readonly active: Bundle;
  readonly candidate: Candidate;
}

/** The detail of the gate move: approvals bind its digest, and with it every character of the packs. */
export function openedPublication({ given, comment, active, candidate }: OpeningPublication): PublicationDetail {
  const changes = bundleChanges(active, candidate.bundle)
    .slice(0, listedChangesMax)
    .map(({ sign, pack, policy, what, part }) => ({ sign, pack, policy, what, ...(part !== undefined && { part }) }));
  return Detail.parse(parseJson(JSON.stringify({ digest: candidate.bundle.digest, base: candidate.base, packs: given.packs, remove: given.remove, comment, changes })));
}
