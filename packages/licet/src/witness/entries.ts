import { LogUnwitnessedAccepted } from "@licet/contract";
import type { EntryDefinition, Recorder } from "../ledger/recorder.ts";
import type { Unwitnessed } from "./witnesses.ts";

/** Changes no row: that it happened is the record. */
export const witnessEntries: readonly EntryDefinition[] = [
  {
    kind: "log.unwitnessed-accepted",
    v: 1,
    mode: "governance",
    async apply(_tx, entry) {
      LogUnwitnessedAccepted.parse(entry.body);
    },
  },
];

/** Durable when it resolves; nothing was signed before. */
export async function recordUnwitnessed(recorder: Recorder, space: string, { witnesses, reason }: Unwitnessed): Promise<void> {
  await recorder.commit(async () => ({
    entry: { kind: "log.unwitnessed-accepted", space, actor: "server", subject: "space", class: "governance", body: { by: "operator", witnesses: [...witnesses], reason } },
    value: undefined,
  }));
}
