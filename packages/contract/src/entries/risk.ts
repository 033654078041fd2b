import { z } from "zod";
import { Digest, Envelope, Slug, Time } from "../vocabulary.ts";

/** Predicate of `https://licet.dev/predicate/answer/v1`: a judgement that only a person may make. */
export const AnswerPredicate = z.strictObject({
  system: Slug,
  release: Digest.describe("the release that was in the record when it was given"),
  question: z.string(),
  value: z.enum(["yes", "no"]),
  reason: z.string(),
  person: z.string(),
  email: z.string(),
  method: z.string(),
  authenticatedAt: Time,
  answeredAt: Time,
});
export type AnswerPredicate = z.output<typeof AnswerPredicate>;

/** Body of `answer.given`. */
export const AnswerGiven = z.strictObject({ system: Slug, question: z.string(), value: z.enum(["yes", "no"]), reason: z.string(), person: z.string(), statement: Envelope });
export type AnswerGiven = z.output<typeof AnswerGiven>;
