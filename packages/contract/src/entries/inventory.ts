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

/** `azure` speaks OpenAI's protocol, with the key in `api-key`. */
export const ProviderKind = z.enum(["openai", "azure", "anthropic", "oip"]);
export type ProviderKind = z.output<typeof ProviderKind>;

export const ApiVersion = z.string().regex(/^[A-Za-z0-9.-]{1,40}$/u, "a version such as `2024-10-21` or `preview`");

/** Body of `provider.registered`; the key is never in an entry. */
export const ProviderRegistered = z.strictObject({
  id: Slug,
  dialect: z.enum(["openai", "anthropic"]).describe("the protocol that it speaks"),
  kind: ProviderKind.optional().describe("whose service it is, which says how keys travel; absent for `openai`"),
  apiVersion: ApiVersion.optional().describe("of Azure: the value of `api-version`; absent where the address has none"),
  baseUrl: z.string(),
  vendor: z.string(),
  region: z.string(),
  allowPrivate: z.boolean(),
  registeredBy: z.string(),
});
export type ProviderRegistered = z.output<typeof ProviderRegistered>;
