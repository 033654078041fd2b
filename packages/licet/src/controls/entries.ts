import type { EntryDefinition } from "../ledger/recorder.ts";

/** An export discloses: it is recorded before the first file is written. It has no rows of its own. */
export const controlsEntries: readonly EntryDefinition[] = [{ kind: "audit.exported", v: 1, mode: "governance", apply: async () => {} }];
