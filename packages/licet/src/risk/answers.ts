import type { EuAnswers } from "@licet/contract";
import type { AnswerSource, SignedAnswer } from "./assessment.ts";
import type { EuQuestion } from "./questions.ts";

export interface Answer {
  readonly value: boolean;
  readonly source: AnswerSource;
  /** The manifest claims the milder answer, and nobody has signed it: it does not hold. */
  readonly claimed: boolean;
}

/** Answers as they hold: signed before declared, the stricter one where there is none. */
export interface AnswerSheet {
  of(question: EuQuestion): Answer;
  signed(question: string): boolean | undefined;
}

export interface SheetOptions {
  readonly declared: EuAnswers;
  readonly signed: readonly SignedAnswer[];
  /** Take claims as if they were signed, to see whether a signature would change anything. */
  readonly acceptClaims: boolean;
}

export function answerSheet({ declared, signed, acceptClaims }: SheetOptions): AnswerSheet {
  const latest = latestAnswers(signed);
  return {
    signed: (question) => latest.get(question),
    of: (question) => {
      const signedValue = latest.get(question.id);
      if (signedValue !== undefined) return { value: signedValue, source: "signed", claimed: false };
      const value = declaredAnswer(declared, question);
      if (value === undefined) return { value: question.strict, source: "unanswered", claimed: false };
      const claimed = question.judged && value !== question.strict;
      if (claimed && !acceptClaims) return { value: question.strict, source: "unanswered", claimed };
      return { value, source: "declared", claimed };
    },
  };
}

/** Of two signed at the same moment the later in the list holds. */
function latestAnswers(signed: readonly SignedAnswer[]): ReadonlyMap<string, boolean> {
  const latest = new Map<string, SignedAnswer>();
  for (const each of signed) {
    if (each.at >= (latest.get(each.question)?.at ?? -Infinity)) latest.set(each.question, each);
  }
  return new Map([...latest].map(([question, each]) => [question, each.value]));
}

function declaredAnswer(declared: EuAnswers, question: EuQuestion): boolean | undefined {
  const section: Readonly<Record<string, boolean | undefined>> | undefined = declared[question.section];
  return section?.[question.key];
}
