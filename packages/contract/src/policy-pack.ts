import { z } from "zod";
import { PackAuthzen } from "./authzen-mapping.ts";
import { DetectionSection } from "./detection.ts";
import { Slug } from "./vocabulary.ts";

/** Bounds of policy packs, the same on disk and over the wire. */
export const packsMax = 200;
export const packFilesMax = 200;
export const packFileBytesMax = 262_144;
export const packsBytesMax = 8_388_608;

export const packKinds = ["builtin", "baseline", "team", "application"] as const;

interface KindRule {
  readonly wrong: (manifest: { readonly kind: (typeof packKinds)[number]; readonly systems?: unknown; readonly detection?: z.output<typeof DetectionSection> | undefined; readonly authzen?: unknown }) => boolean;
  readonly path: readonly string[];
  readonly message: string;
}

/** What only some kinds of packs may and must hold. */
const rulesOfKinds: readonly KindRule[] = [
  { wrong: ({ kind, systems }) => kind === "team" && systems === undefined, path: ["systems"], message: "a team pack names the systems that it tightens" },
  { wrong: ({ kind, systems }) => kind !== "team" && systems !== undefined, path: ["systems"], message: "only a team pack names systems" },
  { wrong: ({ kind, detection }) => kind === "application" && detection !== undefined, path: ["detection"], message: "an application pack has no `detection`: put it into a baseline or a team pack" },
  {
    wrong: ({ kind, detection }) => kind === "team" && detection?.actions?.some(({ action }) => action === "flag") === true,
    path: ["detection", "actions"],
    message: "a team pack only tightens: `flag` is what holds where nobody asks for more",
  },
  { wrong: ({ kind, authzen }) => kind !== "application" && authzen !== undefined, path: ["authzen"], message: "only an application pack has `authzen`" },
];

/** `pack.yaml`: closed, so that a misspelt key is an error and not a rule that nobody applies. */
export const PackManifest = z
  .strictObject({
    v: z.literal(1).describe("version of this format: 1"),
    name: Slug.describe("the pack's name, the same as its folder's; ids of its policies begin with it"),
    title: z.string().min(1).max(120).describe("one line, as people read it"),
    description: z.string().min(1).max(2000).describe("what the pack is for"),
    kind: z.enum(packKinds).describe("builtin comes with Licet, baseline holds for every system, team only tightens for its systems, application has its own namespace"),
    order: z.int().min(0).max(9999).optional().describe("packs are read in this order, then by name; of several refusals the first read is named first; 5000 where absent"),
    enabled: z.boolean().optional().describe("false keeps the pack out of the bundle; its scenarios still run; true where absent"),
    topic: Slug.optional().describe("what it is about, such as runtime, gate or data"),
    systems: z.array(Slug).min(1).max(200).readonly().optional().describe("the systems that a team pack tightens"),
    detection: DetectionSection.optional().describe("what is done about personal data, secrets and attacks in calls to models, and what else is looked for"),
    authzen: PackAuthzen.optional().describe("how an application's AuthZEN requests are read"),
  })
  .superRefine((manifest, context) => {
    for (const { wrong, path, message } of rulesOfKinds) {
      if (wrong(manifest)) context.addIssue({ code: "custom", path: [...path], message });
    }
  })
  .meta({ id: "PackManifest" });
export type PackManifest = z.output<typeof PackManifest>;

/** A file of a pack: its path below the pack's folder, with `/`. */
function packFile(form: RegExp, shown: string) {
  return z.strictObject({ path: z.string().max(200).regex(form, shown), text: z.string().max(packFileBytesMax) });
}

/** A pack with the texts of its files: what is compiled, sent and recorded. */
export const PackSource = z
  .strictObject({
    name: Slug,
    manifest: PackManifest,
    schema: z.string().max(packFileBytesMax).optional(),
    policies: z.array(packFile(/^[a-z0-9][a-z0-9._-]*\.cedar$/u, "`name.cedar`")).max(packFilesMax).readonly(),
    scenarios: z.array(packFile(/^tests\/[a-z0-9][a-z0-9._-]*\.ya?ml$/u, "`tests/name.yaml`")).max(packFilesMax).readonly(),
  })
  .refine(({ name, manifest }) => name === manifest.name, { path: ["name"], message: "the pack's name is not that of its manifest" })
  .meta({ id: "PackSource" });
export type PackSource = z.output<typeof PackSource>;

export const PackSources = z.array(PackSource).max(packsMax).readonly();
