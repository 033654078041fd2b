import { PolicyBacktested, PolicyPublished } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { digestSubject, publishedStatement } from "../ledger/entry-statement.ts";
import type { EntryDefinition, JsonObject } from "../ledger/recorder.ts";
import { policyMismatched } from "./mismatch.ts";
import { composedPacks, countChanges, outlineOf } from "./publication-outline.ts";
import { activateBundle, activeBundle, endBacktest, insertPublication } from "./store.ts";

const policyPublished: EntryDefinition = {
  kind: "policy.published",
  v: 2,
  mode: "governance",
  async apply(tx, entry) {
    const { digest, bundle, packs, occasion, comment, request, outcome, approvals, publishedBy, compiledBy } = PolicyPublished.parse(entry.body);
    const { space, id, time } = entry;
    const before = await activeBundle(tx, space);
    const changed = countChanges(before === undefined ? undefined : parseJson(before.bundle), bundle);
    await activateBundle(tx, { space, digest, bundle: JSON.stringify(bundle), published_by: publishedBy, published_at: time, active: 1, entry: id });
    await insertPublication(tx, {
      space,
      id,
      digest,
      previous: before?.digest ?? null,
      occasion,
      request,
      outcome,
      approvals: JSON.stringify(approvals),
      packs: JSON.stringify(packs),
      composed: JSON.stringify(composedPacks(bundle)),
      changed: JSON.stringify(changed),
      comment,
      compiled_by: compiledBy,
      published_by: publishedBy,
      published_at: time,
      entry: id,
    });
  },
  statement(entry) {
    const { digest, bundle, publishedBy } = PolicyPublished.parse(entry.body);
    const policies = outlineOf(bundle).map(({ id, effect }) => ({ id, effect }));
    return publishedStatement("policy-publication", digestSubject("policy-bundle", digest), { entry: entry.id, space: entry.space, digest, policies, by: publishedBy, at: entry.time });
  },
  /** In version 1 only the server published, and only what came with the installation. */
  upcast: (body: JsonObject): JsonObject => ({ ...body, packs: [], occasion: "installation", comment: "", request: null, outcome: "", approvals: [], compiledBy: "" }),
};

/** The report lies in the row of the backtest, which is operational: replaying the log puts it there again. */
const policyBacktested: EntryDefinition = {
  kind: "policy.backtested",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { backtest, report } = PolicyBacktested.parse(entry.body);
    await endBacktest(tx, entry.space, { id: backtest, state: "done", report: JSON.stringify(report), entry: entry.id });
  },
};

export const policyEntries: readonly EntryDefinition[] = [policyPublished, policyBacktested, policyMismatched];
