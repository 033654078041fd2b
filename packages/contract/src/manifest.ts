import { z } from "zod";
import { AssuranceSection } from "./assurance.ts";
import { Slug } from "./vocabulary.ts";
import { DataBoundary } from "./manifest/boundary.ts";
import { BudgetLimits } from "./manifest/budgets.ts";
import { Components } from "./manifest/components.ts";
import { Autonomy, Oversight, Owners, Rollback } from "./manifest/people.ts";
import { RiskAnswers } from "./manifest/risk.ts";
import { Label, Prose } from "./manifest/text.ts";

export const manifestBytesMax = 1024 * 1024;
export const manifestFileName = "licet.yaml";

/**
 * The declaration of one AI system, version 1: the content of `licet.yaml`.
 * Structure only; what holds between fields (owners differ, files exist) is checked where the file is read.
 */
export const Manifest = z
  .strictObject({
    apiVersion: z.literal("licet/v1").meta({ title: "API version", description: "always licet/v1" }),
    name: Slug.meta({ title: "Name", description: "the system's name in the record; lower-case letters, digits and hyphens" }),
    title: Label.meta({ title: "Title", description: "for readers; editing it makes no new release" }),
    description: Prose.optional().meta({ title: "Description", description: "for readers; editing it makes no new release" }),
    purpose: Prose.meta({ title: "Purpose", description: "what it is for; material: another purpose is another release" }),
    owners: Owners,
    contacts: z.array(Label).max(50).optional().meta({ title: "Contacts", description: "whom to ask; immaterial" }),
    users: z.array(Label).min(1).max(100).meta({ title: "Users", description: "who uses it" }),
    affectedPeople: z.array(Label).max(100).meta({ title: "Affected people", description: "whom its outputs touch, users or not; [] for nobody else" }),
    deploymentContext: Prose.meta({ title: "Deployment context", description: "where and in which process it runs" }),
    jurisdictions: z
      .array(z.string().regex(/^[A-Z]{2}$/u, "an ISO 3166 code of two capital letters, such as `DE`"))
      .min(1)
      .max(250)
      .meta({ title: "Jurisdictions", description: "ISO 3166-1 alpha-2 codes, or EU" }),
    oversight: Oversight,
    autonomy: Autonomy,
    risk: RiskAnswers.optional(),
    components: Components,
    dataBoundary: DataBoundary,
    budgets: BudgetLimits.optional(),
    downstreamActions: z.array(Label).max(100).meta({ title: "Downstream actions", description: "what happens because of its outputs; [] for nothing" }),
    assurance: AssuranceSection.optional().meta({ title: "Assurance", description: "checks and their limits" }),
    rollback: Rollback,
    environments: z.array(Slug).min(1).max(50).meta({ title: "Environments", description: "where releases may run, such as local, staging, production" }),
  })
  .meta({ title: "Licet manifest v1", description: "declares one AI system: licet.yaml" });
export type Manifest = z.output<typeof Manifest>;

export * from "./manifest/annex-iii.ts";
export * from "./manifest/boundary.ts";
export * from "./manifest/budgets.ts";
export * from "./manifest/components.ts";
export * from "./manifest/people.ts";
export * from "./manifest/risk.ts";
export * from "./manifest/risk-eu.ts";
export * from "./manifest/scoring.ts";
export { componentsMax } from "./manifest/text.ts";
