import { z } from "zod";
import { componentName, declared, share } from "./declared.ts";

/** Reports that are counted again from their rows. */
export const importFormats = ["promptfoo", "garak", "evidently", "modelscan", "picklescan", "fickling", "deepteam", "pyrit", "aiverify", "moonshot", "great-expectations", "deepchecks", "sarif", "junit", "csv"] as const;

/** A report of another tool, declared as a data set: its rows decide, and never its words. */
export const ImportCheck = z.strictObject({
  check: z.literal("import.report"),
  ...declared,
  report: componentName,
  format: z.enum(importFormats),
  /** Largest rate of what is unwanted, in every part of the report that has counts. */
  max: share.default(0.05),
});
export type ImportCheck = z.output<typeof ImportCheck>;
