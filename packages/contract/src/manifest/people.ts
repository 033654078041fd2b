import { z } from "zod";
import { Label, Prose } from "./text.ts";

const owner = (title: string, description: string) => z.email().max(254).meta({ title, description });

/** Who answers for the system. Business and technical owner must differ. */
export const Owners = z
  .strictObject({
    business: owner("Business owner", "accountable for why the system exists; e-mail address"),
    technical: owner("Technical owner", "accountable for how it works; counts as an author, so may not approve"),
    risk: owner("Risk owner", "signs the answers that only a person may give"),
  })
  .meta({ title: "Owners", description: "three accountable people; business and technical owner differ" });
export type Owners = z.output<typeof Owners>;

export const oversightModes = ["none", "spot-checks", "review-before-effect", "review-after-effect", "continuous"] as const;

export const Oversight = z
  .strictObject({
    mode: z.enum(oversightModes).meta({
      title: "Oversight mode",
      description: "how people watch: none, spot-checks, review-before-effect, review-after-effect or continuous",
    }),
    overseer: Label.optional().meta({
      title: "Overseer",
      description: "person or role with the right to stop it; needed for every mode but none",
    }),
  })
  .meta({ title: "Oversight", description: "how people watch the system and can stop it" });

/** In the order of question Q3: the position is the level. */
export const autonomyLevels = ["suggests", "acts-after-approval", "acts-with-review", "acts-alone"] as const;

export const Autonomy = z.enum(autonomyLevels).meta({
  title: "Autonomy",
  description: "suggests; acts-after-approval; acts-with-review (reviewed afterwards); acts-alone",
});

export const Rollback = z
  .strictObject({
    plan: Prose.meta({ title: "Plan", description: "what people do when the system must be taken back; immaterial prose" }),
    target: Label.optional().meta({ title: "Target", description: "release digest or name to go back to" }),
  })
  .meta({ title: "Rollback", description: "how the system is taken back" });
