import { annexIII, LicetError, type AssessmentView, type Manifest } from "@licet/contract";
import type { z } from "zod";
import type { Assessment, ScoreLine, SignedAnswer } from "./assessment.ts";
import { highest, legalClass, openQuestions } from "./legal.ts";
import { euQuestions } from "./questions.ts";
import { scoreLines, scoreTier } from "./score.ts";

export interface AssessOptions {
  readonly manifest: Manifest;
  /** Signed statements of the system's risk owner, verified by the caller. */
  readonly answers: readonly SignedAnswer[];
  /** Milliseconds since the epoch: prohibitions bind from their day on. */
  readonly now: number;
}

/** Computes the tier from declared facts and signed answers, and shows how. The same input gives the same bytes. */
export function assess({ manifest, answers, now }: AssessOptions): Assessment {
  const options = { declared: manifest.risk?.eu ?? {}, signed: answers, acceptClaims: false, now };
  const legal = legalClass(options);
  const score = scoreLines(manifest);
  const scored = scoreTier(score);
  const tier = highest([legal.floor, scored.tier]);
  const because = legal.prohibited.length > 0 ? "prohibited" : legal.because.join("; ") || "nothing in the Act asks for more";
  return {
    tier,
    prohibited: legal.prohibited,
    floor: legal.floor,
    legal: legal.steps,
    score,
    rule: scored.rule,
    open: openQuestions(options),
    upcoming: legal.upcoming,
    arithmetic: [
      ...legal.prohibited.map((reason) => `prohibited: ${reason}`),
      ...legal.upcoming.map(({ question, from }) => `${question} is answered yes or not at all: prohibited from ${from}`),
      `legal floor: ${legal.floor} (${because})`,
      ...score.map(scoreText),
      `score: ${scored.rule}`,
      `tier = max(${legal.floor}, ${scored.tier}) = ${tier}`,
    ],
  };
}

/** The assessment as the API shows it. */
export function assessmentView(assessment: Assessment): z.output<typeof AssessmentView> {
  const { tier, prohibited, legal, score, arithmetic, open } = assessment;
  return { tier, prohibited: [...prohibited], legal: [...legal], score: [...score], arithmetic: [...arithmetic], open: [...open] };
}

function scoreText({ id, dimension, level, meaning, source }: ScoreLine): string {
  return `${id} ${dimension} = ${level} (${source === "unanswered" ? "unanswered, so the strictest" : `${meaning}, ${source}`})`;
}

const signable: ReadonlyMap<string, string> = new Map([
  ...euQuestions.map((question) => [question.id, question.text] as const),
  ...Object.entries(annexIII).map(([use, point]) => [point, `does the use fall under ${use}?`] as const),
]);

/** The text of a question that the risk owner may sign an answer to. Throws `risk_question_unknown`. */
export function questionText(id: string): string {
  const text = signable.get(id);
  if (text === undefined) throw new LicetError("risk_question_unknown", { message: `\`${id.slice(0, 40)}\` is no question of the questionnaire`, at: { question: id.slice(0, 40) } });
  return text;
}
