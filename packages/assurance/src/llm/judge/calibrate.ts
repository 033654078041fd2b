import type { Random } from "../../stats/random.ts";
import type { Chat } from "../client/chat.ts";
import { askJudge, type JudgeAnswer, type Question } from "./ask-judge.ts";

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

const parallelMax = 8;

/** Asks the judge about transcripts whose truth is known. Its failures are in no count: they are unassessed later, too. */
export async function calibrateJudge(chat: Chat, transcripts: readonly LabelledTranscript[], random: Random): Promise<Confusion> {
  const counts = { truePositives: 0, falseNegatives: 0, trueNegatives: 0, falsePositives: 0, failed: 0 };
  let next = 0;
  // Questions are drawn as they begin, in the transcripts' order, so that the same seed asks the same.
  const work = async (): Promise<void> => {
    for (let transcript = transcripts[next++]; transcript !== undefined; transcript = transcripts[next++]) counts[cellOf(transcript, await askJudge(chat, transcript, random))] += 1;
  };
  await Promise.all(Array.from({ length: parallelMax }, work));
  return counts;
}

function cellOf({ label }: LabelledTranscript, answer: JudgeAnswer): keyof Confusion {
  if (answer === "failed") return "failed";
  if (label === "event") return answer === "event" ? "truePositives" : "falseNegatives";
  return answer === "event" ? "falsePositives" : "trueNegatives";
}
