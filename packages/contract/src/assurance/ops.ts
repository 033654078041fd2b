import { z } from "zod";
import { columnName, componentName, declared, scored } from "./declared.ts";

/** Milliseconds until an endpoint has answered one row, at a quantile of all calls. */
export const LatencyCheck = z.strictObject({
  check: z.literal("ops.latency"),
  ...declared,
  model: componentName,
  /** Rows to ask with, one in each call. */
  dataset: componentName,
  target: columnName.optional(),
  features: scored.features,
  calls: z.int().min(1).max(100_000).default(400),
  /** Calls before the first that counts. */
  warmUp: z.int().min(0).max(1000).default(5),
  /** Calls under way at once, as in operation. */
  inFlight: z.int().min(1).max(64).default(1),
  quantile: z.number().min(0.5).max(0.999).default(0.95),
  max: z.number().positive().max(3_600_000),
});
export type LatencyCheck = z.output<typeof LatencyCheck>;
