import { PolicyMismatched } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Draft, EntryDefinition, JsonObject } from "../ledger/recorder.ts";
import type { PolicyMismatch } from "./sampling.ts";
import { insertMismatch } from "./store.ts";

/** An alert that stays: the bundle is decided by cedar-wasm until another is published. */
export const policyMismatched: EntryDefinition = {
  kind: "policy.mismatch",
  v: 1,
  mode: "governance",
  async apply(tx, { body, space, id }) {
    const { policyDigest, request, ours, theirs, at } = PolicyMismatched.parse(body);
    await insertMismatch(tx, { space, id, bundle: policyDigest, ours: JSON.stringify(ours), reference: JSON.stringify(theirs), request, found_at: at, entry: id });
  },
};

export function mismatchDraft({ space, policyDigest, requestDigest, ours, theirs, at }: PolicyMismatch): Draft {
  const body: JsonObject = parseJson(JSON.stringify({ policyDigest, request: requestDigest, ours, theirs, at }));
  return { kind: "policy.mismatch", space, actor: "server", subject: "space", class: "governance", body };
}
