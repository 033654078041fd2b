import type { AssuranceCheck } from "@licet/contract";
import { artifactScan } from "./artifact.ts";
import { dataLabelChecks } from "./data-labels.ts";
import { poisonChecks } from "./data-poison.ts";
import { dataMissing } from "./data-missing.ts";
import { personalDataChecks } from "./data-personal.ts";
import { dataSchema } from "./data-schema.ts";
import { dataTableChecks } from "./data-tables.ts";
import { corruption } from "./corruption.ts";
import type { CheckDefinition, DeclaredLimit } from "./definition.ts";
import { answerDriftChecks } from "./drift-answers.ts";
import { performanceEstimate } from "./drift-performance.ts";
import { driftChecks } from "./drift.ts";
import { fairnessChecks } from "./fairness.ts";
import { importedReport } from "./import.ts";
import { languageChecks } from "./language.ts";
import { defenceReplay } from "./language-defence.ts";
import { languageFigureChecks } from "./language-figures.ts";
import { harm } from "./language-judged.ts";
import { modelChecks } from "./models.ts";
import { latency } from "./ops.ts";
import { performanceMetric } from "./performance.ts";
import { privacyAnswerChecks } from "./privacy-answers.ts";
import { privacyChecks } from "./privacy.ts";
import { probingChecks } from "./probing.ts";
import { regressionChecks } from "./regression.ts";
import { resampledChecks } from "./resampled-figures.ts";
import { robustnessChecks } from "./robustness.ts";

/** Every check that the engine has. The order is part of the engine's digest. */
export const catalogue: readonly CheckDefinition[] = [dataSchema, dataMissing, performanceMetric, ...resampledChecks, ...fairnessChecks, ...dataTableChecks, ...dataLabelChecks, ...personalDataChecks, ...poisonChecks, ...driftChecks, ...answerDriftChecks, performanceEstimate, ...modelChecks, ...privacyChecks, ...privacyAnswerChecks, ...regressionChecks, ...robustnessChecks, corruption, ...probingChecks, latency, artifactScan, ...languageChecks, ...languageFigureChecks, harm, defenceReplay, importedReport];

const byName: ReadonlyMap<string, CheckDefinition> = new Map(catalogue.map((definition) => [definition.check, definition]));

export function definitionOf(check: string): CheckDefinition | undefined {
  return byName.get(check);
}

/** The definition of a declared check: the manifest's schema lets no other through. */
export function definitionFor(check: AssuranceCheck): CheckDefinition {
  const definition = byName.get(check.check);
  if (definition === undefined) throw new TypeError(`the engine has no check ${check.check}`);
  return definition;
}

/** The limit that a declared check is judged by. */
export function declaredLimit(check: AssuranceCheck): DeclaredLimit {
  const definition = definitionFor(check);
  return { op: definition.op, value: definition.limitValue(check) };
}

/** Names of the components that a declared check reads. */
export function componentsOf(check: AssuranceCheck): readonly string[] {
  return definitionFor(check).components(check);
}
