import { AccessSearchBody, PolicyClientIssued, PolicyClientRevoked, PolicyDataChanged, SpaceOpened } from "@licet/contract";
import { insertPerson, upsertGrant } from "../identity/store.ts";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { endClient, insertClient, insertSpace, putEntity, removeEntity } from "./store.ts";

/** Space, person and role in one, so that a space without an administrator cannot be. */
const spaceOpened: EntryDefinition = {
  kind: "space.opened",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { name, title, administrator } = SpaceOpened.parse(entry.body);
    const { person, email, name: called } = administrator;
    const { actor, time, id, space } = entry;
    await insertSpace(tx, { name, title, created_by: actor, created_at: time, entry: id });
    await insertPerson(tx, { space, id: person, email, name: called, created_by: actor, created_at: time, disabled_at: null, entry: id });
    await upsertGrant(tx, { space, person, role: "administrator", granted_by: actor, granted_at: time, early: 0, revoked_at: null, entry: id });
  },
};

const dataChanged: EntryDefinition = {
  kind: "policy.data-changed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { upsert, remove } = PolicyDataChanged.parse(entry.body);
    const { space, time, id } = entry;
    for (const uid of remove) await removeEntity(tx, space, uid);
    for (const entity of upsert) await putEntity(tx, { space, ...entity.uid, entity: JSON.stringify(entity), entry: id, updated_at: time });
  },
};

const clientIssued: EntryDefinition = {
  kind: "policy.client-issued",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { client, name, digest, expiresAt } = PolicyClientIssued.parse(entry.body);
    await insertClient(tx, { space: entry.space, id: client, name, digest, created_by: entry.actor, created_at: entry.time, expires_at: expiresAt, revoked_at: null, entry: entry.id });
  },
};

const clientRevoked: EntryDefinition = {
  kind: "policy.client-revoked",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const { client } = PolicyClientRevoked.parse(entry.body);
    await endClient(tx, entry.space, { id: client, at: entry.time, entry: entry.id });
  },
};

/** Changes no row: what was searched for and found stands in the log. */
const accessSearch: EntryDefinition = {
  kind: "access.search",
  v: 1,
  mode: "runtime",
  async apply(_tx, entry) {
    AccessSearchBody.parse(entry.body);
  },
};

export const decisionEntries: readonly EntryDefinition[] = [spaceOpened, dataChanged, clientIssued, clientRevoked, accessSearch];
