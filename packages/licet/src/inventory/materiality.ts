import { digestOf, isRecord } from "@licet/evidence";

/**
 * The paths of a manifest that describe a release without being part of it, `*` for any one step. A path covers what
 * lies below it. What is not listed is material, so a field added later binds approvals until somebody decides
 * otherwise. A change here is a new version: releases name the digest of the one that they were computed with.
 */
export const materiality = {
  v: 1,
  immaterial: [
    "/title",
    "/description",
    "/contacts",
    "/rollback/plan",
    "/components/models/*/description",
    "/components/prompts/*/description",
    "/components/datasets/*/description",
    "/components/services/*/description",
  ],
} as const;

export const materialityDigest = digestOf(materiality);

const patterns = materiality.immaterial.map((pattern) => pattern.slice(1).split("/"));

/** Whether a change at this place, given by keys and indices, makes a new release. */
export function isMaterial(path: readonly string[]): boolean {
  return !patterns.some((pattern) => pattern.length <= path.length && pattern.every((part, index) => part === "*" || part === path[index]));
}

/** The manifest without what is immaterial. Takes any plain data, so that nothing unknown can slip out of a release. */
export function materialFacts(manifest: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(kept(manifest, []));
}

function kept(record: Readonly<Record<string, unknown>>, path: readonly string[]): (readonly [string, unknown])[] {
  return Object.entries(record).flatMap(([key, value]) => (isMaterial([...path, key]) ? [[key, pruned(value, [...path, key])] as const] : []));
}

function pruned(value: unknown, path: readonly string[]): unknown {
  if (Array.isArray(value)) return value.map((item, index) => pruned(item, [...path, String(index)]));
  return isRecord(value) ? Object.fromEntries(kept(value, path)) : value;
}
