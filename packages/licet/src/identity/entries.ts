import { PersonAdded, PersonCredentialChanged, PersonSignedIn, RoleGranted, RoleRevoked } from "@licet/contract";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { endGrant, insertPerson, upsertGrant } from "./store.ts";

const personAdded: EntryDefinition = {
  kind: "person.added",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = PersonAdded.parse(entry.body);
    const row = { id: body.person, email: body.email, name: body.name };
    await insertPerson(tx, { ...row, space: entry.space, created_by: entry.actor, created_at: entry.time, disabled_at: null, entry: entry.id });
  },
};

const roleGranted: EntryDefinition = {
  kind: "role.granted",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = RoleGranted.parse(entry.body);
    await upsertGrant(tx, {
      space: entry.space,
      person: body.person,
      role: body.role,
      granted_by: entry.actor,
      granted_at: entry.time,
      early: body.early ? 1 : 0,
      revoked_at: null,
      entry: entry.id,
    });
  },
};

const roleRevoked: EntryDefinition = {
  kind: "role.revoked",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = RoleRevoked.parse(entry.body);
    await endGrant(tx, { space: entry.space, person: body.person, role: body.role, at: entry.time, entry: entry.id });
  },
};

/** Changes no row: that it happened is the record. */
const personSignedIn: EntryDefinition = {
  kind: "person.signed-in",
  v: 1,
  mode: "governance",
  async apply(_tx, entry) {
    PersonSignedIn.parse(entry.body);
  },
};

/** Password hashes and passkeys are operational: of them too only the event is the record's. */
const personCredentialChanged: EntryDefinition = {
  kind: "person.credential-changed",
  v: 1,
  mode: "governance",
  async apply(_tx, entry) {
    PersonCredentialChanged.parse(entry.body);
  },
};

export const identityEntries: readonly EntryDefinition[] = [personAdded, roleGranted, roleRevoked, personSignedIn, personCredentialChanged];
