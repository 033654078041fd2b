import { z } from "zod";
import { ReleaseBundle } from "../release.ts";
import { Digest, Slug } from "../vocabulary.ts";

/** Body of `release.pushed`: all that the rows of system and release need. */
export const ReleasePushed = z.strictObject({
  system: Slug,
  digest: Digest,
  fileDigest: Digest,
  materiality: Digest,
  title: z.string(),
  purpose: z.string(),
  bundle: ReleaseBundle,
  pushedBy: z.string(),
});
export type ReleasePushed = z.output<typeof ReleasePushed>;

/** Body of `provider.registered`; the key is never in an entry. */
export const ProviderRegistered = z.strictObject({
  id: Slug,
  dialect: z.literal("openai"),
  baseUrl: z.string(),
  vendor: z.string(),
  region: z.string(),
  allowPrivate: z.boolean(),
  registeredBy: z.string(),
});
export type ProviderRegistered = z.output<typeof ProviderRegistered>;
