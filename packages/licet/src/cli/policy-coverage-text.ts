import type { PackCoverage, PolicyCoverage } from "../policy/coverage.ts";
import { columns, painted, type Terminal } from "./terminal.ts";

/** Whole percent, rounded down; packs without policies are covered. */
export function percentCovered(packs: readonly PackCoverage[]): number {
  const all = packs.reduce((sum, { policies }) => sum + policies.length, 0);
  const covered = packs.reduce((sum, pack) => sum + pack.covered, 0);
  return all === 0 ? 100 : Math.floor((100 * covered) / all);
}

/** A line for each pack, and under it what no scenario determines. */
export function coverageText(packs: readonly PackCoverage[], terminal: Terminal): string {
  const open = packs.flatMap(({ pack, policies }) => policies.filter(({ covered }) => !covered).map((each) => [`  ${painted(terminal, "red", each.policy)}`, lacking(each), pack]));
  const rows = packs.map(({ pack, policies, covered }) => [pack, `${covered} of ${policies.length} policies covered`]);
  return [`coverage: ${percentCovered(packs)} %`, ...(rows.length === 0 ? [] : [columns(rows)]), ...(open.length === 0 ? [] : ["not covered:", columns(open.map(([policy = "", why = "", pack = ""]) => [policy, pack, why]))])].join("\n");
}

function lacking({ fired, passed }: PolicyCoverage): string {
  if (fired === 0) return passed === 0 ? "no scenario is about it" : "no scenario in which it decides";
  return "no scenario in which it does not refuse";
}
