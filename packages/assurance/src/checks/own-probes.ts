import { LicetError, type CheckResult, type LanguageCheck } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { type ProbeSet, readProbeSet } from "../probes/probe-set.ts";
import type { Components } from "../suite/component.ts";

const bytesMax = 16 * 1024 * 1024;
/** What a record holds of the size of a set: combinations are many. */
const populationShownMax = 1_000_000_000;

export interface OwnProbes {
  readonly sets?: readonly ProbeSet[];
  readonly inputs: CheckResult["inputs"];
}

/** The probe set that a check names in place of those that come with Licet. Throws `probes_malformed` for one that is for other checks. */
export async function ownProbes({ check, probes }: Pick<LanguageCheck, "check" | "probes">, files: Components): Promise<OwnProbes> {
  if (probes === undefined) return { inputs: [] };
  const { content, ...loaded } = await files.bytes(probes, bytesMax);
  const set = readProbeSet(parsed(content));
  if (!set.file.checks.includes(check)) throw new LicetError("probes_malformed", { message: `the probe set \`${set.file.id}\` is for ${set.file.checks.join(", ")}: name \`${check}\` under its \`checks\` if it is for that too`, at: { component: probes } });
  return { sets: [set], inputs: [{ role: "prompts", id: probes, digest: loaded.digest, rows: Math.min(set.population, populationShownMax) }] };
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return parseJson(Buffer.from(bytes).toString("utf8"));
  } catch (cause) {
    throw new LicetError("probes_malformed", { message: "the probe set is no JSON", cause });
  }
}
