import { LogPruned, LogRestored } from "@licet/contract";
import type { EntryDefinition } from "./entry.ts";

/** What is done to the log itself. That it happened is the record: no rows of their own. */
export const logEntries: readonly EntryDefinition[] = [
  {
    kind: "log.restored",
    v: 1,
    mode: "governance",
    async apply(_tx, entry) {
      LogRestored.parse(entry.body);
    },
  },
  {
    kind: "log.pruned",
    v: 1,
    mode: "governance",
    async apply(_tx, entry) {
      LogPruned.parse(entry.body);
    },
  },
];
