import type { Random } from "../../stats/random.ts";
import type { Chat } from "../client/chat.ts";
import { askJudge, type Question } from "./ask-judge.ts";

/** A transcript whose truth people have established. */
export interface LabelledTranscript extends Question {
  readonly label: "event" | "no_event";
}

/** What a judge said on labelled transcripts. `failed`: neither. */
export interface Confusion {
  readonly truePositives: number;
  readonly falseNegatives: number;
  readonly trueNegatives: number;
  readonly falsePositives: number;
  readonly failed: number;
}

/** Asks the judge about transcripts whose truth is known. Its failures are in no count: they are unassessed later, too. */
export async function calibrateJudge(chat: Chat, transcripts: readonly LabelledTranscript[], random: Random): Promise<Confusion> {
  const counts = { truePositives: 0, falseNegatives: 0, trueNegatives: 0, falsePositives: 0, failed: 0 };
  for (const transcript of transcripts) {
    const answer = await askJudge(chat, transcript, random);
    if (answer === "failed") counts.failed += 1;
    else if (transcript.label === "event") counts[answer === "event" ? "truePositives" : "falseNegatives"] += 1;
    else counts[answer === "event" ? "falsePositives" : "trueNegatives"] += 1;
  }
  return counts;
}
