import type { PlanLine, ReleaseBundle } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import type { z } from "zod";
import { quoted } from "./diagnostic.ts";
import { isMaterial } from "./materiality.ts";
import { releaseOf } from "./release.ts";

export type Line = z.output<typeof PlanLine>;

export interface ReleasePlan {
  /** `same-release`: only immaterial text differs. */
  readonly outcome: "new-system" | "new-release" | "same-release" | "no-change";
  readonly lines: readonly Line[];
}

/** What a push would change, line by line: `+` added, `~` changed, `-` removed. */
export function planRelease(previous: ReleaseBundle | null, next: ReleaseBundle): ReleasePlan {
  const lines = difference(previous === null ? new Map() : leavesOf(previous), leavesOf(next));
  if (previous === null) return { outcome: "new-system", lines };
  const before = releaseOf(previous);
  const after = releaseOf(next);
  if (before.digest !== after.digest) return { outcome: "new-release", lines };
  return { outcome: before.fileDigest === after.fileDigest ? "no-change" : "same-release", lines };
}

interface Leaf {
  readonly text: string;
  readonly material: boolean;
}

function leavesOf(bundle: ReleaseBundle): ReadonlyMap<string, Leaf> {
  const leaves = new Map<string, Leaf>();
  collect({ value: bundle.manifest, shown: "", path: [] }, leaves);
  for (const component of releaseOf(bundle).components) {
    leaves.set(`content of ${component.kind} ${component.name}`, { text: component.digest, material: true });
  }
  return leaves;
}

interface Spot {
  readonly value: unknown;
  /** The place for people: lists of named things show the name, which survives an insertion above. */
  readonly shown: string;
  readonly path: readonly string[];
}

function collect({ value, shown, path }: Spot, leaves: Map<string, Leaf>): void {
  if (isRecord(value) && Object.keys(value).length > 0) {
    for (const [key, inner] of Object.entries(value)) collect({ value: inner, shown: shown === "" ? key : `${shown}.${key}`, path: [...path, key] }, leaves);
  } else if (Array.isArray(value) && value.length > 0) {
    const labels = value.map((item: unknown, index) => labelOf(item) ?? String(index));
    if (labels.length > 1 && value.every((item) => labelOf(item) !== undefined)) leaves.set(`${shown} (order)`, { text: labels.join(", "), material: isMaterial(path) });
    value.forEach((inner: unknown, index) => collect({ value: inner, shown: `${shown}[${labels[index] ?? index}]`, path: [...path, String(index)] }, leaves));
  } else if (value !== undefined) {
    leaves.set(shown, { text: typeof value === "string" ? value : (JSON.stringify(value) ?? ""), material: isMaterial(path) });
  }
}

function labelOf(item: unknown): string | undefined {
  if (!isRecord(item)) return undefined;
  const label = item["name"] ?? item["id"];
  return typeof label === "string" ? label : undefined;
}

function difference(before: ReadonlyMap<string, Leaf>, after: ReadonlyMap<string, Leaf>): readonly Line[] {
  const removed = [...before].flatMap(([path, leaf]) => (after.has(path) || isOrder(path) ? [] : [line("-", path, { before: leaf })]));
  const rest = [...after].flatMap(([path, leaf]) => addedOrChanged(path, before.get(path), leaf));
  return [...rest, ...removed];
}

/** Order is worth a line only where nothing was added or removed: `+` and `-` lines say the rest. */
function addedOrChanged(path: string, before: Leaf | undefined, after: Leaf): readonly Line[] {
  if (before?.text === after.text) return [];
  if (before === undefined) return isOrder(path) ? [] : [line("+", path, { after })];
  return isOrder(path) && !sameMembers(before.text, after.text) ? [] : [line("~", path, { before, after })];
}

function line(sign: Line["sign"], path: string, leaves: { readonly before?: Leaf; readonly after?: Leaf }): Line {
  const { before, after } = leaves;
  return { sign, path, before: before?.text ?? null, after: after?.text ?? null, material: [before, after].some((leaf) => leaf?.material) };
}

function isOrder(path: string): boolean {
  return path.endsWith(" (order)");
}

function sameMembers(a: string, b: string): boolean {
  return a.split(", ").sort().join(", ") === b.split(", ").sort().join(", ");
}

/** The plan as `licet push` prints it. */
export function planText(plan: ReleasePlan): string {
  return plan.lines
    .map((line) => {
      const values = line.sign === "~" ? `${quoted(line.before)} → ${quoted(line.after)}` : quoted(line.after ?? line.before);
      return `${line.sign} ${line.path}: ${values}${line.material ? "" : "  (immaterial)"}`;
    })
    .join("\n");
}
