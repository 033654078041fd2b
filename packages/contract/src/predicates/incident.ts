import { z } from "zod";
import { Digest, Id, Slug, Time } from "../vocabulary.ts";

const common = { entry: Id, space: Slug, id: Id, system: Slug.nullable(), release: Digest.nullable(), by: z.string(), at: Time };

/** Predicate `https://licet.dev/predicate/incident/v1`: something went wrong; each step of its handling is a statement of its own. */
export const IncidentPredicate = z.discriminatedUnion("event", [
  z.strictObject({
    event: z.literal("opened"),
    ...common,
    severity: z.enum(["low", "moderate", "high", "serious"]).describe("serious: to be reported under Article 73 of Regulation (EU) 2024/1689"),
    summary: z.string(),
    detectedAt: Time,
    decisions: z.array(Id).describe("runtime decisions that it concerns"),
  }),
  z.strictObject({ event: z.literal("updated"), ...common, summary: z.string() }),
  z.strictObject({ event: z.literal("closed"), ...common, cause: z.string(), remedy: z.string() }),
]);
export type IncidentPredicate = z.output<typeof IncidentPredicate>;
