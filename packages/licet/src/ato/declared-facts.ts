import type { GateFacts, Manifest, ReleaseBundle, Tier, TrafficStage } from "@licet/contract";
import type { Assessment } from "../risk/assessment.ts";

/** The provider of a model that the system runs itself. */
export const ownProvider = "local";

type DeclaredFacts = Pick<GateFacts, "environment" | "declaredEnvironment" | "tier" | "prohibited" | "tierReasons" | "openQuestions" | "owners" | "declared" | "declaredChecks" | "advisoryChecks">;

export interface Destination {
  readonly to: TrafficStage;
  /** The manifest's first where none is named. */
  readonly environment?: string | undefined;
}

/** What manifest and assessment say; the same on the server and offline. */
export function declaredFacts(bundle: ReleaseBundle, assessment: Assessment, destination: Destination): DeclaredFacts {
  const { manifest } = bundle;
  const environment = destination.environment ?? manifest.environments[0] ?? "";
  const checks = manifest.assurance?.checks ?? [];
  return {
    environment,
    declaredEnvironment: manifest.environments.includes(environment),
    tier: assessment.tier,
    prohibited: assessment.prohibited.length > 0,
    tierReasons: [...assessment.arithmetic],
    openQuestions: assessment.open.map((each) => each.question),
    owners: { business: manifest.owners.business, technical: manifest.owners.technical, risk: manifest.owners.risk },
    declared: declaredParts(manifest),
    declaredChecks: checks.filter((check) => check.advisory !== true).map((check) => check.id),
    advisoryChecks: checks.filter((check) => check.advisory === true).map((check) => check.id),
  };
}

/**
 * Names of the declared parts. What would spare a requirement ("no language model in here") is named only when it is
 * known: leaving a name out can add requirements and never remove one.
 */
function declaredParts(manifest: Manifest): string[] {
  const { models, services = [] } = manifest.components;
  const parts: readonly (readonly [string, boolean])[] = [
    ["owner.business", manifest.owners.business !== ""],
    ["owner.technical", manifest.owners.technical !== ""],
    ["owner.risk", manifest.owners.risk !== ""],
    ["purpose", manifest.purpose.trim() !== ""],
    ["users", manifest.users.length > 0],
    // An empty list is a declaration too: nobody else is touched.
    ["affectedPeople", Array.isArray(manifest.affectedPeople)],
    ["deploymentContext", manifest.deploymentContext.trim() !== ""],
    ["dataBoundary", manifest.dataBoundary.classes.length > 0 && manifest.dataBoundary.regions.length > 0],
    ["rollback", manifest.rollback.plan.trim() !== ""],
    ["rollbackTarget", (manifest.rollback.target ?? "").trim() !== ""],
    ["overseer", manifest.oversight.mode !== "none" && (manifest.oversight.overseer ?? "").trim() !== ""],
    // A served model that is declared to score is never asked in words: the gateway refuses that.
    ["llm:none", models.every((model) => model.scoring !== undefined || (model.provider === ownProvider && isClassical(model.file)))],
    ["classical:none", models.every((model) => model.provider !== ownProvider && model.scoring === undefined)],
    ["vendors:none", services.length === 0 && models.every((model) => model.provider === ownProvider)],
  ];
  return parts.filter(([, present]) => present).map(([name]) => name).sort();
}

/** Files that the checks of this version read are classical models; any other local file may be a language model. */
function isClassical(file: string | undefined): boolean {
  return file?.toLowerCase().endsWith(".onnx") === true;
}

/** Longest an ATO may last, in days. A pilot's is never renewed without a new gate. */
export const pilotDaysMax = 90;
export const reauthoriseDays: Readonly<Record<Tier, number>> = { minimal: 730, limited: 365, high: 180, critical: 90 };

export function daysMax(tier: Tier, stage: TrafficStage): number {
  return stage === "pilot" ? Math.min(pilotDaysMax, reauthoriseDays[tier]) : reauthoriseDays[tier];
}
