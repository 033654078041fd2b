import { LicetError } from "@licet/contract";
import type { Authenticator } from "../http/access.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { newId } from "../base/ids.ts";
import { openAccounts, type Accounts, type CredentialChange, type Method } from "./accounts.ts";
import { isLoopback, newToken, setupMinutesMax, tokenDigest } from "./one-time-token.ts";
import { addFirstAdministrator, type PeopleOptions } from "./people.ts";
import { anyAdministratorEver, dropUnusedLinks, findIdByEmail, findPerson, heldRoles, insertLink, spacesOf, spendLink, type IdentityDatabase } from "./store.ts";

export interface IdentityOptions {
  readonly database: IdentityDatabase;
  readonly recorder: Recorder;
  /** What people type, such as `http://localhost:4400`. */
  readonly baseUrl: string;
  /** From the keys directory (`session-secret`): at least 32 random bytes as text. */
  readonly secret: string;
  readonly demo: boolean;
  /** The space of the first administrator; `main` unless named. */
  readonly space?: string;
}

export interface FirstPerson {
  readonly token: string;
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly ip: string;
}

/** People, their accounts and roles. */
export interface Identity {
  readonly database: IdentityDatabase;
  readonly accounts: Accounts;
  readonly authenticator: Authenticator;
  readonly people: PeopleOptions;
  readonly now: () => number;
  setupOpen(): Promise<boolean>;
  /** A new set-up link's token, the older ones gone; `undefined` once there is an administrator. */
  newSetupToken(): Promise<{ readonly token: string; readonly expiresAt: number } | undefined>;
  setUp(first: FirstPerson): Promise<void>;
  acceptInvitation(token: string, password: string): Promise<{ readonly email: string }>;
}

type Parts = Pick<Identity, "database" | "accounts" | "people" | "now"> & { readonly space: string };

/** One entry per space, before the session exists; whoever is in no space gets none. */
function signInRecorder(options: IdentityOptions): (personId: string, method: Method) => Promise<boolean> {
  return async (person, method) => {
    const spaces = await spacesOf(options.database.read, person);
    for (const space of spaces) {
      const entry = { kind: "person.signed-in", space, actor: person, subject: `person:${person}`, class: "governance", body: { person, method } } as const;
      await options.recorder.commit(async () => ({ entry, value: undefined }));
    }
    return spaces.length > 0;
  };
}

/** The first administrator has a password before a space: theirs is recorded in the space that is being set up. */
function changeRecorder({ database, recorder, space: first = "main" }: IdentityOptions): (personId: string, changed: CredentialChange) => Promise<void> {
  return async (person, changed) => {
    const spaces = await spacesOf(database.read, person);
    for (const space of spaces.length === 0 ? [first] : spaces) {
      const entry = { kind: "person.credential-changed", space, actor: person, subject: `person:${person}`, class: "governance", body: { person, ...changed } } as const;
      await recorder.commit(async () => ({ entry, value: undefined }));
    }
  };
}

function authenticatorOver(database: IdentityDatabase, accounts: Accounts): Authenticator {
  return {
    async signedIn(incoming) {
      const headers = new Headers();
      if (incoming.cookie !== undefined) headers.set("cookie", incoming.cookie);
      if (incoming.authorization !== undefined) headers.set("authorization", incoming.authorization);
      if ([...headers.keys()].length === 0) return undefined;
      return accounts.signedIn(headers);
    },
    async rolesIn(space, personId) {
      const person = await findPerson(database.read, space, personId);
      if (person === undefined || person.disabled_at !== null) return undefined;
      return (await heldRoles(database.read, space, personId)).map(({ role }) => role);
    },
  };
}

async function newSetupToken({ database, now }: Parts): Promise<{ readonly token: string; readonly expiresAt: number } | undefined> {
  if (await anyAdministratorEver(database.read)) return undefined;
  const token = newToken();
  const created_at = now();
  const expires_at = created_at + setupMinutesMax * 60_000;
  await dropUnusedLinks(database.operational, { purpose: "setup", person: null });
  await insertLink(database.operational, { digest: tokenDigest(token), purpose: "setup", person: null, created_at, expires_at });
  return { token, expiresAt: expires_at };
}

async function setUp({ database, accounts, people, now, space }: Parts, first: FirstPerson): Promise<void> {
  if (!isLoopback(first.ip)) throw new LicetError("setup_not_local");
  if (await anyAdministratorEver(database.read)) throw new LicetError("setup_closed");
  // Spent first, so that of two callers one wins; a stop after this is mended by the next start's link.
  const spent = await spendLink(database.operational, { digest: tokenDigest(first.token), purpose: "setup", at: now() });
  if (spent === undefined) throw new LicetError("link_invalid");
  const { email, name, password } = first;
  // Password before person: an account without a person opens nothing, and the next link takes it up again.
  const id = (await findIdByEmail(database.operational, email)) ?? newId("per", now());
  await accounts.setPassword({ personId: id, email, name, password }, true);
  await addFirstAdministrator(people, { id, space, email, name });
}

async function acceptInvitation({ database, accounts, now }: Parts, token: string, password: string): Promise<{ readonly email: string }> {
  const spent = await spendLink(database.operational, { digest: tokenDigest(token), purpose: "invitation", at: now() });
  const personId = spent?.person ?? undefined;
  const [space] = personId === undefined ? [] : await spacesOf(database.read, personId);
  if (personId === undefined || space === undefined) throw new LicetError("link_invalid");
  const person = await findPerson(database.read, space, personId);
  if (person === undefined) throw new LicetError("link_invalid");
  await accounts.setPassword({ personId, email: person.email, name: person.name, password }, false);
  return { email: person.email };
}

export function openIdentity(options: IdentityOptions): Identity {
  const { database, recorder, baseUrl, secret, demo, space = "main" } = options;
  const now = (): number => recorder.now();
  const accounts = openAccounts({ database, baseUrl, secret, now, onSignIn: signInRecorder(options), onChange: changeRecorder(options) });
  const people = { database, recorder, demo };
  const parts = { database, accounts, people, now, space };
  return {
    ...parts,
    authenticator: authenticatorOver(database, accounts),
    setupOpen: async () => !(await anyAdministratorEver(database.read)),
    newSetupToken: () => newSetupToken(parts),
    setUp: (first) => setUp(parts, first),
    acceptInvitation: (token, password) => acceptInvitation(parts, token, password),
  };
}
