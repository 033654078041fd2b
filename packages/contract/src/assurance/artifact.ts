import { z } from "zod";
import { componentName, declared } from "./declared.ts";

/** What loading a declared file would do, found without loading it: nothing in it may run, and nothing may be left unread. */
export const ArtifactCheck = z.strictObject({ check: z.literal("artifact.scan"), ...declared, artifact: componentName });
export type ArtifactCheck = z.output<typeof ArtifactCheck>;
