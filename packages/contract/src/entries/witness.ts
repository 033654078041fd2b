import { z } from "zod";

/** Entry `log.unwitnessed-accepted`, version 1: no witness answered at the start, and the operator let the log be signed all the same. */
export const LogUnwitnessedAccepted = z.strictObject({
  by: z.literal("operator"),
  witnesses: z.array(z.string()).describe("the configured witnesses, by their names in the policy"),
  reason: z.string().min(1).max(2000),
});
export type LogUnwitnessedAccepted = z.output<typeof LogUnwitnessedAccepted>;
