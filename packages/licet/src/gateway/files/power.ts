import type { ModelView } from "../snapshot.ts";

/** The power to store files at a provider and name them in calls; the power to have it answer files of calls later. */
export type StorePower = "files" | "batches";

export function permits({ permissions = [] }: ModelView, power: StorePower): boolean {
  return permissions.includes(power);
}
