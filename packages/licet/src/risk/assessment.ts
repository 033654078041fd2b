import type { Tier } from "@licet/contract";

/** A statement by the risk owner. The caller has verified signature, role, and that it is about this system. */
export interface SignedAnswer {
  readonly question: string;
  readonly value: boolean;
  /** Who signed. */
  readonly by: string;
  /** Milliseconds since the epoch; of two answers to one question the later holds. */
  readonly at: number;
  /** The statement's entry in the log. */
  readonly entry: string;
}

export type AnswerSource = "declared" | "derived" | "signed" | "unanswered";

/** One step of the legal classification, as it was taken. */
export interface LegalStep {
  readonly id: string;
  readonly question: string;
  readonly answer: string;
  readonly source: AnswerSource;
  readonly outcome: string;
  readonly ref: string;
}

export interface ScoreLine {
  readonly id: string;
  readonly dimension: string;
  readonly level: number;
  readonly meaning: string;
  readonly source: AnswerSource;
}

/** A question that only a person may answer, because the answer could lower the class. */
export interface OpenQuestion {
  readonly question: string;
  readonly text: string;
  readonly turn: "risk-owner";
}

/** A prohibition that will bind on a later day, if the answer stays. */
export interface UpcomingProhibition {
  readonly question: string;
  readonly from: string;
}

export interface Assessment {
  readonly tier: Tier;
  /** Reasons of Article 5. Not empty: every gate refuses, whatever the tier says. */
  readonly prohibited: readonly string[];
  /** The least tier that the law leads to. */
  readonly floor: Tier;
  readonly legal: readonly LegalStep[];
  readonly score: readonly ScoreLine[];
  /** The rule of the score that fired. */
  readonly rule: string;
  /** The whole computation as text, one line each. */
  readonly arithmetic: readonly string[];
  readonly open: readonly OpenQuestion[];
  readonly upcoming: readonly UpcomingProhibition[];
}
