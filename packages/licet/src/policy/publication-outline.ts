import type { packKinds } from "@licet/contract";
import { z } from "zod";
import { detectionChanges } from "./detection-changes.ts";

type PackKind = (typeof packKinds)[number];

/** What two recorded bundles of any version are compared by. */
export interface PolicyOutline {
  readonly id: string;
  readonly pack: string;
  readonly effect: "permit" | "forbid";
  readonly text: string;
  readonly mode: string;
  readonly annotations: Readonly<Record<string, string>>;
}

export interface ChangeCounts {
  readonly added: number;
  readonly changed: number;
  readonly removed: number;
}

/** Bundles of version 1 knew no packs and no modes: all was the installation's, and enforced. */
const Outlined = z.object({
  policies: z.array(
    z.object({
      id: z.string(),
      pack: z.string().default("installation"),
      effect: z.enum(["permit", "forbid"]),
      text: z.string(),
      mode: z.string().default("enforce"),
      annotations: z.record(z.string(), z.string()).default({}),
    }),
  ),
});

export function outlineOf(bundle: unknown): readonly PolicyOutline[] {
  return Outlined.parse(bundle).policies;
}

const Composed = z.object({ packs: z.array(z.object({ name: z.string(), kind: z.enum(["builtin", "baseline", "team", "application"]), digest: z.string() })).default([]) });

export interface ComposedPack {
  readonly name: string;
  readonly kind: PackKind;
  readonly digest: string;
}

/** Name, kind and digest of the packs that a bundle was composed from. */
export function composedPacks(bundle: unknown): readonly ComposedPack[] {
  return Composed.parse(bundle).packs;
}

/** Of policies, and of declarations about detection. */
export function countChanges(from: unknown, to: unknown): ChangeCounts {
  const policies = policyCounts(from === undefined ? [] : outlineOf(from), outlineOf(to));
  const detection = detectionChanges(from ?? {}, to);
  const count = (sign: string) => detection.filter((each) => each.sign === sign).length;
  return { added: policies.added + count("+"), changed: policies.changed + count("~"), removed: policies.removed + count("-") };
}

function policyCounts(before: readonly PolicyOutline[], after: readonly PolicyOutline[]): ChangeCounts {
  const old = new Map(before.map((policy) => [policy.id, policy]));
  const now = new Map(after.map((policy) => [policy.id, policy]));
  const changed = after.filter((policy) => {
    const same = old.get(policy.id);
    return same !== undefined && (same.text !== policy.text || same.mode !== policy.mode);
  });
  return { added: after.filter(({ id }) => !old.has(id)).length, changed: changed.length, removed: before.filter(({ id }) => !now.has(id)).length };
}
