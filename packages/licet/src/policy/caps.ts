import { LicetError, packsBytesMax, packsMax } from "@licet/contract";
import type { PackSource } from "./pack.ts";

/**
 * The parser of cedar-wasm overflows its stack on text that nests or chains deeply, and the instance is lost with it
 * (brackets from 150, chained operators from 400). These bounds stand well below.
 */
export const policyTextBytesMax = 262_144;
export const policiesMax = 2000;
export const nestingMax = 60;
export const operatorsPerPolicyMax = 250;

const strings = /"(?:[^"\\]|\\.)*"/gu;
const comments = /\/\/[^\n]*/gu;
const operators = /\|\||&&|[+\-*!.]|\bif\b/gu;

/** Refuses text that the parser could not survive. Strings are blanked first: what stands in them does not nest. */
export function capPolicyText(text: string): void {
  if (Buffer.byteLength(text) > policyTextBytesMax) throw tooDeep(`the text is larger than ${policyTextBytesMax} bytes`);
  const policies = bareText(text).split(";");
  if (policies.length > policiesMax + 1) throw tooDeep(`there are more than ${policiesMax} policies`);
  for (const policy of policies) {
    if (depth(policy) > nestingMax) throw tooDeep(`brackets nest more than ${nestingMax} deep`);
    if ((policy.match(operators)?.length ?? 0) > operatorsPerPolicyMax) throw tooDeep(`a policy has more than ${operatorsPerPolicyMax} operators`);
  }
}

/** A schema has no operators, but nests as policies do, and in the brackets of `Set<…>`. */
export function capSchemaText(text: string): void {
  if (Buffer.byteLength(text) > policyTextBytesMax) throw tooDeep(`the schema is larger than ${policyTextBytesMax} bytes`);
  if (depth(bareText(text).replaceAll("<", "(").replaceAll(">", ")")) > nestingMax) throw tooDeep(`the schema nests more than ${nestingMax} deep`);
}

/** Bounds of everything that is compiled at once. */
export function capPacks({ schema, packs }: { readonly schema: string; readonly packs: readonly PackSource[] }): void {
  if (packs.length > packsMax) throw tooDeep(`there are more than ${packsMax} packs`);
  const texts = packs.flatMap((pack) => pack.policies.map(({ text }) => text));
  const schemas = [schema, ...packs.flatMap((pack) => pack.schema ?? [])];
  const scenarios = packs.flatMap((pack) => pack.scenarios.map(({ text }) => text));
  const bytes = [...texts, ...schemas, ...scenarios].reduce((sum, text) => sum + Buffer.byteLength(text), 0);
  if (bytes > packsBytesMax) throw tooDeep(`the packs are larger than ${packsBytesMax} bytes`);
  for (const text of schemas) capSchemaText(text);
  for (const text of texts) capPolicyText(text);
}

/** A comment may hold a quote and a string two slashes, so both are taken out in one pass from the left. */
function bareText(text: string): string {
  return text.replaceAll(new RegExp(`${strings.source}|${comments.source}`, "gu"), (found) => (found.startsWith('"') ? '""' : ""));
}

function depth(policy: string): number {
  let now = 0;
  let most = 0;
  for (const sign of policy) {
    if ("([{".includes(sign)) most = Math.max(most, ++now);
    if (")]}".includes(sign)) now--;
  }
  return most;
}

function tooDeep(message: string): LicetError {
  return new LicetError("policy_too_deep", { message });
}
