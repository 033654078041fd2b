import { z } from "zod";
import { Digest, Time } from "../vocabulary.ts";

/** One noisy answer: `laplace` costs epsilon, `gaussian` costs rho. */
export const PrivacySpending = z.discriminatedUnion("mechanism", [
  z.strictObject({ name: z.string().min(1).max(1000), mechanism: z.literal("laplace"), epsilon: z.number().positive() }),
  z.strictObject({ name: z.string().min(1).max(1000), mechanism: z.literal("gaussian"), rho: z.number().positive() }),
]);
export type PrivacySpending = z.output<typeof PrivacySpending>;

/**
 * What has been told about the people of one table, and what may ever be told. It holds for the people and not for one
 * version of the file: a row added does not give anybody a new budget.
 */
export const PrivacyBudgetFile = z.strictObject({
  schema: z.literal("licet.assurance.privacy-budget/v1"),
  budget: z.strictObject({ epsilon: z.number().positive(), delta: z.number().min(0).lt(1) }),
  runs: z
    .array(z.strictObject({ time: Time, command: z.enum(["synthesise", "noise"]), source: Digest, output: Digest, spendings: z.array(PrivacySpending).min(1).max(10_000) }))
    .max(10_000),
});
export type PrivacyBudgetFile = z.output<typeof PrivacyBudgetFile>;

export const privacyBudgetBytesMax = 16 * 1024 * 1024;
