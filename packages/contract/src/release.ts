import { z } from "zod";
import { Manifest, manifestBytesMax } from "./manifest.ts";
import { componentsMax, RelativePath } from "./manifest/text.ts";
import { Digest, Slug } from "./vocabulary.ts";

const bundleTextLengthMax = 1_000_000;

/**
 * What `licet push` sends: the manifest, and what it refers to. It carries no release digest: the server
 * computes the digest from the bundle alone and never trusts a typed one. Weights and data travel as digests.
 */
export const ReleaseBundle = z
  .strictObject({
    v: z.literal(1),
    manifest: Manifest.describe("as parsed from manifestText; refused when the two differ"),
    manifestText: z.string().min(1).max(manifestBytesMax).describe("licet.yaml as written"),
    prompts: z
      .array(z.strictObject({ name: Slug, text: z.string().max(bundleTextLengthMax) }))
      .max(componentsMax)
      .describe("the text of each prompt, from its file or from the manifest"),
    tools: z
      .array(z.strictObject({ name: z.string().min(1).max(64), schema: z.record(z.string(), z.json()) }))
      .max(componentsMax)
      .describe("the JSON Schema of each tool's parameters, from its file or from the manifest"),
    files: z
      .array(z.strictObject({ path: RelativePath, digest: Digest, bytes: z.int().min(0) }))
      .max(componentsMax)
      .describe("the files of models and datasets, by SHA-256 of their bytes"),
  })
  .meta({ id: "ReleaseBundle" });
export type ReleaseBundle = z.output<typeof ReleaseBundle>;
