import { PolicyPublished } from "@licet/contract";
import { digestSubject, publishedStatement } from "../ledger/entry-statement.ts";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { activateBundle } from "./store.ts";

const policyPublished: EntryDefinition = {
  kind: "policy.published",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = PolicyPublished.parse(entry.body);
    await activateBundle(tx, {
      space: entry.space,
      digest: body.digest,
      bundle: JSON.stringify(body.bundle),
      published_by: body.publishedBy,
      published_at: entry.time,
      active: 1,
      entry: entry.id,
    });
  },
  statement(entry) {
    const { digest, bundle, publishedBy } = PolicyPublished.parse(entry.body);
    const policies = bundle.policies.map(({ id, effect }) => ({ id, effect }));
    return publishedStatement("policy-publication", digestSubject("policy-bundle", digest), { entry: entry.id, space: entry.space, digest, policies, by: publishedBy, at: entry.time });
  },
};

export const policyEntries: readonly EntryDefinition[] = [policyPublished];
