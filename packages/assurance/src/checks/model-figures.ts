import { z } from "zod";

/** The forms of figures that several checks share. A record is hostile until it has been through them. */
export const count = z.int().nonnegative().max(1_000_000_000);
export const name = z.string().max(500);
export const evidence = { attempted: count, assessed: count, degenerate: z.enum(["constant_predictions", "one_class"]).nullable() };
const ends = z.tuple([z.number(), z.number()]);
export const resampled = z.object({ alpha: z.number(), replicates: count, below: count, equal: count, acceleration: z.number(), lower: ends, upper: ends });
export const range = z.object({ floor: z.number(), smallest: z.number(), largest: z.number(), ceiling: z.number() });
export const meanFigure = z.object({ moments: z.object({ n: count, mean: z.number(), sd: z.number(), skewness: z.number() }), resampled: resampled.nullable(), range: range.nullable() });
export const groupMean = z.object({ name, n: count, mean: z.number(), sd: z.number(), skewness: z.number(), range: range.nullable() });
export const pairCounts = { wins: z.number().nonnegative(), ties: z.number().nonnegative(), positives: count, negatives: count };
export const namedRate = z.object({ name, events: count, n: count });
