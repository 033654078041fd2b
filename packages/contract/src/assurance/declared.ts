import { z } from "zod";

/** Of a declared component. */
export const componentName = z.string().min(1).max(200);
export const columnName = z.string().min(1).max(500);
export const share = z.number().min(0).max(1);
export const columnList = z.array(columnName).min(1).max(4096);

/** What every declared check has. */
export const declared = {
  /** Unique within the section; results and requirements refer to it. */
  id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/u),
  label: z.string().max(200).optional(),
  /** Reported with its verdict, and not demanded by the gate. Editing it makes a new release. */
  advisory: z.boolean().optional(),
};

/** A model that scores the rows of a data set with a known answer. */
export const scored = {
  model: componentName,
  dataset: componentName,
  /** Column with the true class. */
  target: columnName,
  /** The class, as written in the target column, that scores and rates are about. */
  positive: z.union([z.string(), z.number()]).optional(),
  /** Predicted positive when score >= threshold. Default 0.5; with more than two classes the largest score wins. */
  threshold: z.number().optional(),
  /** Feature columns in the model's order. Default: every column but the target. */
  features: z.array(columnName).min(1).optional(),
};
