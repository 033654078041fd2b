import type { PolicyChange } from "@licet/contract";
import { detectionChanges } from "./detection-changes.ts";
import { outlineOf, type PolicyOutline } from "./publication-outline.ts";

export const changesMax = 200;
const shownCharactersMax = 4000;

/** What `outlineOf` and `detectionChanges` read, and the schema. */
interface Recorded {
  readonly schema: string;
  readonly policies: readonly unknown[];
  readonly detection?: readonly unknown[] | undefined;
}

/** How one bundle differs from another, in the order of the new one, what went last. */
export function bundleChanges(before: Recorded, after: Recorded): readonly PolicyChange[] {
  const old = new Map(outlineOf(before).map((policy) => [policy.id, policy]));
  const now = outlineOf(after);
  const ids = new Set(now.map(({ id }) => id));
  const gone = [...old.values()].filter(({ id }) => !ids.has(id));
  return [...schemaChange(before, after), ...detectionOf(before, after), ...now.flatMap((policy) => policyChanges(old.get(policy.id), policy)), ...gone.map((policy) => change("-", policy, { what: "policy", before: policy.text, after: null }))];
}

function schemaChange(before: Recorded, after: Recorded): readonly PolicyChange[] {
  if (before.schema === after.schema) return [];
  return [{ sign: "~", pack: "", policy: null, what: "schema", before: `${before.schema.length} characters`, after: `${after.schema.length} characters` }];
}

function detectionOf(before: Recorded, after: Recorded): readonly PolicyChange[] {
  return detectionChanges(before, after).map(({ sign, pack, name, before: was, after: is }) => ({ sign, pack, policy: null, what: "detection", part: name, before: bounded(was), after: bounded(is) }));
}

function policyChanges(before: PolicyOutline | undefined, after: PolicyOutline): readonly PolicyChange[] {
  if (before === undefined) return [change("+", after, { what: "policy", before: null, after: after.text })];
  const text = before.text === after.text ? [] : [change("~", after, { what: "text", before: before.text, after: after.text })];
  const mode = before.mode === after.mode ? [] : [change("~", after, { what: "mode", before: before.mode, after: after.mode })];
  return [...text, ...mode];
}

function change(sign: PolicyChange["sign"], { id, pack }: PolicyOutline, of: Pick<PolicyChange, "what" | "before" | "after">): PolicyChange {
  return { sign, pack, policy: id, what: of.what, before: bounded(of.before), after: bounded(of.after) };
}

function bounded(text: string | null): string | null {
  return text === null || text.length <= shownCharactersMax ? text : `${text.slice(0, shownCharactersMax)}…`;
}
