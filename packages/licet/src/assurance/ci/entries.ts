import { CiExchanged, CiProvenance, CiRefused, CiRegistered, CiRemoved } from "@licet/contract";
import type { EntryDefinition } from "../../ledger/recorder.ts";
import { endCiRegistration, insertCiRegistration, insertCiRun, markReplayed } from "../store.ts";

const ciRegistered: EntryDefinition = {
  kind: "ci.registered",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CiRegistered.parse(entry.body);
    await insertCiRegistration(tx, {
      space: entry.space,
      id: body.registration,
      system: body.system,
      kind: body.kind,
      issuer: body.issuer,
      audience: body.audience,
      names: JSON.stringify(body.names),
      claims: JSON.stringify(body.claims),
      allow_private: body.allowPrivate ? 1 : 0,
      registered_by: body.registeredBy,
      registered_at: entry.time,
      request: body.request,
      outcome: body.outcome,
      removed_by: null,
      removed_at: null,
      removed_because: null,
      entry: entry.id,
    });
  },
};

const ciRemoved: EntryDefinition = {
  kind: "ci.removed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CiRemoved.parse(entry.body);
    await endCiRegistration(tx, entry.space, { id: body.registration, by: body.removedBy, because: body.reason, at: entry.time });
  },
};

const ciExchanged: EntryDefinition = {
  kind: "ci.exchanged",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CiExchanged.parse(entry.body);
    await insertCiRun(tx, {
      space: entry.space,
      id: body.run,
      registration: body.registration,
      system: body.system,
      token_use: body.tokenUse,
      secret_digest: body.secretDigest,
      provenance: JSON.stringify(CiProvenance.strip().parse(body)),
      authors: JSON.stringify(body.authors),
      exchanged_at: entry.time,
      expires_at: body.expiresAt,
      ticket: null,
      replayed_at: null,
      entry: entry.id,
    });
  },
};

/** That it was refused is the record; the run that used the token first remembers it, so that it is entered once. */
const ciRefused: EntryDefinition = {
  kind: "ci.refused",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CiRefused.parse(entry.body);
    await markReplayed(tx, body.run, entry.time);
  },
};

export const ciEntries: readonly EntryDefinition[] = [ciRegistered, ciRemoved, ciExchanged, ciRefused];
