import { z } from "zod";
import { columnList, columnName, componentName, declared, share } from "./declared.ts";

const of = {
  ...declared,
  /** Never anything else: it names rows to look at, and neither meets nor fails a requirement. */
  advisory: z.literal(true, { error: "write `advisory: true`: it says what to look at and decides nothing" }),
  /** Activations of the model under test on its training rows, or the training rows themselves. */
  dataset: componentName,
  label: columnName,
  /** Default: every column of numbers but the label. */
  columns: columnList.optional(),
  /** Each column by its standard deviation; activations of one layer are better left as they are. */
  scaled: z.boolean().default(true),
  /** Drawn where there are more. */
  rows: z.int().min(4).max(20_000).default(5000),
};

export const PoisonCheck = z.discriminatedUnion("check", [
  /** Rows that stand out along the main direction of their class. */
  z.strictObject({ check: z.literal("data.poison.spectral"), ...of, expectedShare: share.default(0.05) }),
  /** Classes that fall into a large and a small cluster. */
  z.strictObject({ check: z.literal("data.poison.clusters"), ...of }),
  /** Rows labelled unlike their surroundings. */
  z.strictObject({ check: z.literal("data.poison.neighbours"), ...of, neighbours: z.int().min(1).max(100).default(5) }),
]);
export type PoisonCheck = z.output<typeof PoisonCheck>;
