import type { Bundle, BundlePolicy, PolicyMode } from "./bundle-form.ts";
import { createDecider } from "./decide.ts";
import { detectionChanges } from "./detection-changes.ts";
import { outcomeOf, type Outcome } from "./scenario-outcome.ts";
import type { PolicyRequest } from "./request.ts";

export interface DiffLine {
  readonly sign: "+" | "-" | " ";
  readonly text: string;
}

export type PolicyDifference =
  | { readonly kind: "added" | "removed"; readonly id: string; readonly pack: string; readonly mode: PolicyMode; readonly lines: readonly DiffLine[] }
  | { readonly kind: "changed"; readonly id: string; readonly pack: string; readonly mode: { readonly before: PolicyMode; readonly after: PolicyMode }; readonly lines: readonly DiffLine[] };

export interface DetectionDifference {
  readonly kind: "added" | "removed" | "changed";
  readonly name: string;
  readonly pack: string;
  readonly lines: readonly DiffLine[];
}

/** A question that the two bundles may answer differently. */
export interface AskedRequest {
  readonly name: string;
  readonly request: PolicyRequest;
}

export interface DecisionDifference {
  readonly name: string;
  readonly before: Outcome;
  readonly after: Outcome;
}

export interface BundleDifference {
  readonly packs: { readonly added: readonly string[]; readonly removed: readonly string[] };
  readonly schemaChanged: boolean;
  readonly policies: readonly PolicyDifference[];
  /** What is looked for in calls, and what is done about it. */
  readonly detection: readonly DetectionDifference[];
  readonly asked: number;
  readonly decisions: readonly DecisionDifference[];
}

/** What changes from one bundle to another: the texts, and what they decide on the requests given. */
export function bundleDifference(before: Bundle, after: Bundle, asked: readonly AskedRequest[]): BundleDifference {
  const names = (bundle: Bundle) => bundle.packs.map(({ name }) => name);
  return {
    packs: { added: names(after).filter((name) => !names(before).includes(name)), removed: names(before).filter((name) => !names(after).includes(name)) },
    schemaChanged: before.schema !== after.schema,
    policies: policyDifferences(before.policies, after.policies),
    detection: detectionChanges(before, after).map(({ sign, pack, name, before: was, after: is }) => ({ kind: signKinds[sign], name, pack, lines: textDiff(was, is) })),
    asked: asked.length,
    decisions: decisionDifferences(before, after, asked),
  };
}

function policyDifferences(before: readonly BundlePolicy[], after: readonly BundlePolicy[]): readonly PolicyDifference[] {
  const old = new Map(before.map((policy) => [policy.id, policy]));
  const kept = new Set(after.map(({ id }) => id));
  const now = after.flatMap((policy): readonly PolicyDifference[] => {
    const was = old.get(policy.id);
    if (was === undefined) return [whole("added", policy)];
    if (was.text === policy.text && was.mode === policy.mode && was.pack === policy.pack) return [];
    return [{ kind: "changed", id: policy.id, pack: policy.pack, mode: { before: was.mode, after: policy.mode }, lines: lineDiff(was.text, policy.text) }];
  });
  return [...now, ...before.filter(({ id }) => !kept.has(id)).map((policy) => whole("removed", policy))];
}

function whole(kind: "added" | "removed", { id, pack, mode, text }: BundlePolicy): PolicyDifference {
  const sign = kind === "added" ? "+" : "-";
  return { kind, id, pack, mode, lines: text.split("\n").map((line) => ({ sign, text: line })) };
}

const signKinds = { "+": "added", "~": "changed", "-": "removed" } as const;

function textDiff(before: string | null, after: string | null): readonly DiffLine[] {
  if (before !== null && after !== null) return lineDiff(before, after);
  return (before ?? after ?? "").split("\n").map((text) => ({ sign: before === null ? "+" : "-", text }));
}

function decisionDifferences(before: Bundle, after: Bundle, asked: readonly AskedRequest[]): readonly DecisionDifference[] {
  if (asked.length === 0) return [];
  const [old, now] = [createDecider(before), createDecider(after)];
  return asked.flatMap(({ name, request }) => {
    const pair = { name, before: outcomeOf(old.decide(request)), after: outcomeOf(now.decide(request)) };
    return JSON.stringify(pair.before) === JSON.stringify(pair.after) ? [] : [pair];
  });
}

/** Beyond this the longest common part is not looked for, and every line counts as changed. */
const cellsMax = 1_000_000;

/** The lines of both texts, those that they share once: the longest common subsequence. */
export function lineDiff(before: string, after: string): readonly DiffLine[] {
  const [old, now] = [before.split("\n"), after.split("\n")];
  if (old.length * now.length > cellsMax) return [...old.map((text) => ({ sign: "-", text }) as const), ...now.map((text) => ({ sign: "+", text }) as const)];
  const lengths = commonLengths(old, now);
  const lines: DiffLine[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const [a, b] = [old[i], now[j]];
    if (a !== undefined && a === b) {
      lines.push({ sign: " ", text: a });
      i++;
      j++;
    } else if (a !== undefined && (b === undefined || cell(lengths, i + 1, j) >= cell(lengths, i, j + 1))) {
      lines.push({ sign: "-", text: a });
      i++;
    } else {
      lines.push({ sign: "+", text: b ?? "" });
      j++;
    }
  }
  return lines;
}

function cell(lengths: readonly Uint32Array[], i: number, j: number): number {
  return lengths[i]?.[j] ?? 0;
}

/** For each pair of places, how many lines the rests have in common. */
function commonLengths(old: readonly string[], now: readonly string[]): readonly Uint32Array[] {
  const lengths = Array.from({ length: old.length + 1 }, () => new Uint32Array(now.length + 1));
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const row = lengths[i];
      if (row !== undefined) row[j] = old[i] === now[j] ? cell(lengths, i + 1, j + 1) + 1 : Math.max(cell(lengths, i + 1, j), cell(lengths, i, j + 1));
    }
  }
  return lengths;
}
