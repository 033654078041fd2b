import { AnswerGiven } from "@licet/contract";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { upsertAnswer } from "./store.ts";

const answerGiven: EntryDefinition = {
  kind: "answer.given",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = AnswerGiven.parse(entry.body);
    await upsertAnswer(tx, {
      space: entry.space,
      system: body.system,
      question: body.question,
      value: body.value,
      reason: body.reason,
      person: body.person,
      statement: JSON.stringify(body.statement),
      answered_at: entry.time,
      entry: entry.id,
    });
  },
};

export const riskEntries: readonly EntryDefinition[] = [answerGiven];
