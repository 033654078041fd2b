import { LicetError } from "@licet/contract";

/**
 * The parser of cedar-wasm overflows its stack on text that nests or chains deeply, and the instance is lost with it
 * (brackets from 150, chained operators from 400). These bounds stand well below.
 */
export const policyTextBytesMax = 262_144;
export const policiesMax = 500;
export const nestingMax = 60;
export const operatorsPerPolicyMax = 250;

const strings = /"(?:[^"\\]|\\.)*"/gu;
const comments = /\/\/[^\n]*/gu;
const operators = /\|\||&&|[+\-*!.]|\bif\b/gu;

/** Refuses text that the parser could not survive. Strings are blanked first: what stands in them does not nest. */
export function capPolicyText(text: string): void {
  if (Buffer.byteLength(text) > policyTextBytesMax) throw tooDeep(`the text is larger than ${policyTextBytesMax} bytes`);
  const bare = text.replaceAll(strings, '""').replaceAll(comments, "");
  const policies = bare.split(";");
  if (policies.length > policiesMax + 1) throw tooDeep(`there are more than ${policiesMax} policies`);
  for (const policy of policies) {
    if (depth(policy) > nestingMax) throw tooDeep(`brackets nest more than ${nestingMax} deep`);
    if ((policy.match(operators)?.length ?? 0) > operatorsPerPolicyMax) throw tooDeep(`a policy has more than ${operatorsPerPolicyMax} operators`);
  }
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
