import { licetVersion } from "../base/version.ts";
import { hasErrors } from "../inventory/diagnostic.ts";
import { diagnosticSarif } from "../inventory/diagnostic-sarif.ts";
import { exitCodes, UsageError, type ExitCode } from "./failure.ts";
import { checkFolder, type CheckedFolder } from "./policy-folder.ts";
import { filesReport } from "./policy-report.ts";
import { painted, type Terminal } from "./terminal.ts";

interface CheckOptions {
  readonly folder: string | undefined;
  readonly json?: boolean;
  readonly sarif?: boolean;
}

/** Everything that is wrong with policy packs, each at its place. 0: no errors; 1: errors. */
export async function runPolicyCheck(options: CheckOptions, terminal: Terminal): Promise<ExitCode> {
  if (options.json === true && options.sarif === true) throw new UsageError("give --json or --sarif, not both");
  const checked = await checkFolder(options.folder, { whole: true });
  const { diagnostics } = checked;
  if (options.sarif === true) terminal.out(JSON.stringify(diagnosticSarif(diagnostics, licetVersion), null, 2));
  else if (options.json === true) terminal.out(JSON.stringify({ ok: !hasErrors(diagnostics), digest: checked.bundle?.digest ?? null, ...counts(checked), diagnostics }, null, 2));
  else textReport(checked, terminal);
  return hasErrors(diagnostics) ? exitCodes.findings : exitCodes.fine;
}

function counts({ opened, bundle, scenarios }: CheckedFolder): { readonly packs: readonly string[]; readonly policies: number | null; readonly scenarios: number } {
  const packs = opened.packs.map(({ name }) => name);
  return { packs, policies: bundle === undefined ? null : bundle.policies.filter(({ pack }) => packs.includes(pack)).length, scenarios: scenarios.length };
}

function textReport(checked: CheckedFolder, terminal: Terminal): void {
  const { diagnostics, opened, bundle } = checked;
  if (diagnostics.length > 0) terminal.out(filesReport(diagnostics, opened.texts));
  if (bundle === undefined) return;
  const { packs, policies, scenarios } = counts(checked);
  terminal.out(`${painted(terminal, "green", "✓")} ${opened.folder}: ${packs.length === 1 ? "1 pack" : `${packs.length} packs`}, ${policies} policies, ${scenarios} scenarios`);
  terminal.out(`bundle ${bundle.digest}, ${bundle.policies.length} policies with those of the installation`);
  if (scenarios === 0) terminal.out("no scenarios: `tests/*.yaml` in a pack says what its policies must decide");
  else terminal.out("next: licet policy test");
}
