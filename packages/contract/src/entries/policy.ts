import { z } from "zod";
import { Digest, Envelope } from "../vocabulary.ts";

/** Body of `policy.published`, version 1: schema and policies in full, so that any decision can be made again. */
export const PolicyPublished = z.strictObject({
  digest: Digest,
  bundle: z.strictObject({
    v: z.literal(1),
    schema: z.string(),
    policies: z.array(z.strictObject({ id: z.string(), effect: z.enum(["permit", "forbid"]), text: z.string(), annotations: z.record(z.string(), z.string()) })),
  }),
  publishedBy: z.string(),
  statement: Envelope.optional(),
});
export type PolicyPublished = z.output<typeof PolicyPublished>;
