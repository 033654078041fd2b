import { statSync } from "node:fs";
import type { Bundle } from "../policy/bundle-form.ts";
import { builtinBundle } from "../policy/builtin.ts";
import { bundleDifference, type AskedRequest, type BundleDifference, type DecisionDifference, type DetectionDifference, type DiffLine, type PolicyDifference } from "../policy/bundle-diff.ts";
import type { Outcome } from "../policy/scenario-outcome.ts";
import { exitCodes, type ExitCode } from "./failure.ts";
import { checkFolder, readBundleFile, soundBundle } from "./policy-folder.ts";
import { painted, type Terminal } from "./terminal.ts";

interface DiffOptions {
  readonly before: string;
  readonly after: string;
  readonly json?: boolean;
}

interface Side {
  readonly bundle: Bundle;
  /** Null for a folder: it was published nowhere. */
  readonly digest: string | null;
  readonly asked: readonly AskedRequest[];
}

/** 0: the same policies and decisions; 1: something differs. */
export async function runPolicyDiff({ before, after, json }: DiffOptions, terminal: Terminal): Promise<ExitCode> {
  const [old, now] = [await side(before), await side(after)];
  const difference = { before: old.digest, after: now.digest, ...bundleDifference(old.bundle, now.bundle, distinct([...old.asked, ...now.asked])) };
  terminal.out(json === true ? JSON.stringify(difference, null, 2) : differenceText(difference, terminal));
  return isNothing(difference) ? exitCodes.fine : exitCodes.findings;
}

function isNothing({ packs, policies, detection, decisions, schemaChanged }: BundleDifference): boolean {
  return packs.added.length === 0 && packs.removed.length === 0 && policies.length === 0 && detection.length === 0 && decisions.length === 0 && !schemaChanged;
}

/** A folder is asked with its scenarios; a saved bundle, which holds none, with its golden decisions. */
async function side(given: string): Promise<Side> {
  if (given === "builtin") return goldenSide(builtinBundle());
  if (statSync(given, { throwIfNoEntry: false })?.isFile() === true) return goldenSide(readBundleFile(given));
  const checked = await checkFolder(given, { whole: false });
  // Scenarios that fail are what a comparison is for.
  return { bundle: checked.testable ?? soundBundle(checked), digest: null, asked: checked.scenarios.map(({ name, request }) => ({ name, request })) };
}

function goldenSide(bundle: Bundle): Side {
  return { bundle, digest: bundle.digest, asked: bundle.golden.map(({ request }, index) => ({ name: `golden decision ${index + 1}: ${request.principal.id} ${request.action.id} ${request.resource.id}`, request })) };
}

/** Both sides mostly hold the same scenarios. */
function distinct(asked: readonly AskedRequest[]): readonly AskedRequest[] {
  return [...new Map(asked.map((each) => [JSON.stringify(each), each])).values()];
}

function differenceText(difference: BundleDifference, terminal: Terminal): string {
  const { policies, detection, decisions, packs } = difference;
  if (isNothing(difference)) return `no difference in policies; ${difference.asked} decisions are the same`;
  const lines = [
    ...packs.added.map((name) => painted(terminal, "green", `+ pack ${name}`)),
    ...packs.removed.map((name) => painted(terminal, "red", `- pack ${name}`)),
    ...(difference.schemaChanged ? ["~ the schema"] : []),
    ...detection.map((each) => detectionText(each, terminal)),
    ...policies.map((each) => policyText(each, terminal)),
    `${policies.length === 1 ? "1 policy differs" : `${policies.length} policies differ`}; ${decisions.length} of ${difference.asked} decisions change`,
    ...decisions.map((each) => decisionText(each, terminal)),
  ];
  return lines.join("\n");
}

function detectionText({ kind, name, pack, lines }: DetectionDifference, terminal: Terminal): string {
  return [painted(terminal, "bold", `${signs[kind]} detection: ${name} (${pack})`), ...lines.map((line) => lineText(line, terminal))].join("\n");
}

const signs = { added: "+", removed: "-", changed: "~" } as const;

function policyText(each: PolicyDifference, terminal: Terminal): string {
  const sign = signs[each.kind];
  const mode = each.kind !== "changed" ? (each.mode === "enforce" ? "" : `, ${each.mode}`) : each.mode.before === each.mode.after ? "" : `, mode ${each.mode.before} -> ${each.mode.after}`;
  return [painted(terminal, "bold", `${sign} ${each.id} (${each.pack}${mode})`), ...each.lines.map((line) => lineText(line, terminal))].join("\n");
}

function lineText({ sign, text }: DiffLine, terminal: Terminal): string {
  const line = `    ${sign} ${text}`.trimEnd();
  if (sign === " ") return line;
  return painted(terminal, sign === "+" ? "green" : "red", line);
}

function decisionText({ name, before, after }: DecisionDifference, terminal: Terminal): string {
  const style = before.decision === after.decision ? "yellow" : "red";
  return `${painted(terminal, style, "!")} ${name}: ${outcomeText(before)} -> ${outcomeText(after)}`;
}

function outcomeText({ decision, reasons, warnings, shadowed, errors }: Outcome): string {
  const parts: readonly (readonly [string, readonly string[]])[] = [["by", reasons], ["warns", warnings], ["shadow", shadowed], ["errors", errors]];
  const said = parts.filter(([, ids]) => ids.length > 0).map(([word, ids]) => `${word} ${ids.join(", ")}`);
  return said.length === 0 ? decision : `${decision} (${said.join("; ")})`;
}
