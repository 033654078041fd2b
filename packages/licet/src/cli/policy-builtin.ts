import { join } from "node:path";
import { policiesFolder } from "../policy/builtin.ts";
import { openPacks } from "../policy/pack-folder.ts";
import { readScenarios, type Scenario } from "../policy/scenario.ts";

/** The scenarios of the installation's enabled packs, under the names of their files. */
export function builtinScenarios(): { readonly scenarios: readonly Scenario[]; readonly texts: ReadonlyMap<string, string> } {
  const { packs, folders, texts, folder } = openPacks(policiesFolder());
  const enabled = packs.filter(({ manifest }) => manifest.enabled !== false);
  const scenarios = enabled.flatMap((pack) => pack.scenarios.flatMap(({ path, text }) => readScenarios(text, join(folders.get(pack.name) ?? folder, path))));
  return { scenarios, texts };
}
