import { ErasureBody, ErasureDone, PrivacySet, type ErasurePredicate } from "@licet/contract";
import { digestOf } from "@licet/evidence";
import { namedSubject, publishedStatement } from "../ledger/entry-statement.ts";
import type { Entry, EntryDefinition } from "../ledger/recorder.ts";
import { buryPerson, endErasure, eraseRows, insertErasure, savePrivacy } from "./store.ts";

const privacySet: EntryDefinition = {
  kind: "privacy.set",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { contentModes, retentionDays, setBy } = PrivacySet.parse(entry.body);
    await savePrivacy(tx, { space: entry.space, content_modes: JSON.stringify(contentModes), retention_days: JSON.stringify(retentionDays), set_by: setBy, set_at: entry.time, entry: entry.id });
  },
};

/** Names the keys before the first of them is destroyed: whoever finds this without its end finishes it. */
const erasureIntended: EntryDefinition = {
  kind: "erasure.intended",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = ErasureBody.parse(entry.body);
    const { space, time, id } = entry;
    await insertErasure(tx, { space, id: body.erasure, occasion: body.occasion, state: "intended", body: JSON.stringify(body), intended_at: time, done_at: null, entry: id });
  },
};

function statement(entry: Entry) {
  const { erasure, occasion, keys, requestedBy } = ErasureDone.parse(entry.body);
  const predicate: ErasurePredicate = { entry: entry.id, space: entry.space, occasion, keys: { count: keys.length, digest: digestOf(keys) }, by: requestedBy, at: entry.time };
  return publishedStatement("erasure", namedSubject({ kind: "erasure", space: entry.space, name: erasure }), predicate);
}

function erasureDone(kind: "payload.erased" | "retention.applied"): EntryDefinition {
  return {
    kind,
    v: 1,
    mode: "governance",
    statement,
    async apply(tx, entry) {
      const { statement: _, ...body } = ErasureDone.parse(entry.body);
      const { space, time, id } = entry;
      await endErasure(tx, { space, id: body.erasure, occasion: body.occasion, state: "done", body: JSON.stringify(body), intended_at: time, done_at: time, entry: id });
      await eraseRows(tx, space, body.keys);
      if (body.tombstone !== null) await buryPerson(tx, space, body.tombstone, time);
    },
  };
}

export const privacyEntries: readonly EntryDefinition[] = [privacySet, erasureIntended, erasureDone("payload.erased"), erasureDone("retention.applied")];
