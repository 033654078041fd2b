import { componentsOf } from "@licet/assurance";
import type { AssuranceCheck, ReleaseBundle } from "@licet/contract";
import { releaseOf } from "../inventory/release.ts";
import { declaredFiles } from "./declared-check.ts";
import type { UnderTest } from "./runner-asks.ts";
import type { RunnerLanguage } from "./runner-language.ts";

/** Whether a check asks models that the server may ask, and reads nothing but declared files beside. */
export function asksOnServer(check: AssuranceCheck, bundle: ReleaseBundle, underTest: UnderTest | undefined): boolean {
  if (underTest === undefined || !check.check.startsWith("llm.") || !("model" in check) || check.model === undefined) return false;
  const asked = [check.model, ...("judge" in check ? [check.judge] : [])];
  const files = declaredFiles(bundle);
  return asked.every((name) => underTest.models.has(name)) && componentsOf(check).every((name) => asked.includes(name) || files.has(name));
}

/** What the runner's worker is told of the models that it may ask. */
export function languageOf(bundle: ReleaseBundle, { models, notes }: Pick<UnderTest, "models" | "notes">, { until, budget }: Pick<RunnerLanguage, "until" | "budget">): RunnerLanguage {
  const digests = new Map(releaseOf(bundle).components.flatMap((each) => (each.kind === "model" ? [[each.name, each.digest] as const] : [])));
  const texts = new Map(bundle.prompts.map(({ name, text }) => [name, text]));
  const prompts = (bundle.manifest.components.prompts ?? []).filter(({ role }) => role === "system");
  return {
    models: Object.fromEntries([...models].map(([name, model]) => [name, { ...model, digest: digests.get(name) ?? "" }])),
    prompts: prompts.map(({ name, template }) => ({ name, text: texts.get(name) ?? "", holes: Object.keys(template?.holes ?? {}) })),
    notes: [...notes],
    until,
    budget,
  };
}
