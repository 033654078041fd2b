import type { RouteAnswer } from "@licet/contract";
import type { Caller, Handlers, SignedIn } from "../http/handlers.ts";
import type { Identity } from "./identity.ts";
import { addPerson, assertGrantable, revokeRole } from "./people.ts";
import { findPerson, heldRoles, listPeople, passkeysOf, spacesOf, withPassword, type Person } from "./store.ts";

/** Granting a role is a gate move: the approvals feature opens it, and carries it out when it is granted. */
export interface RoleMoves {
  openRoleGrant(move: {
    readonly space: string;
    readonly caller: Caller;
    readonly person: { readonly id: string; readonly email: string };
    readonly role: Caller["roles"][number];
  }): Promise<RouteAnswer<"grantRole">>;
}

export interface IdentityRoutesOptions {
  readonly identity: Identity;
  readonly moves: RoleMoves;
  readonly probe: () => Promise<RouteAnswer<"health">>;
}

export type IdentityHandlers = Pick<Handlers, "health" | "showSession" | "setUp" | "acceptInvitation" | "listPeople" | "addPerson" | "grantRole" | "revokeRole">;

type PersonView = RouteAnswer<"revokeRole">;

async function sessionView(identity: Identity, person: SignedIn | undefined): Promise<RouteAnswer<"showSession">> {
  const setupOpen = await identity.setupOpen();
  if (person === undefined) return { setupOpen, person: null, spaces: [], authenticatedAt: null, method: null, passkeys: 0 };
  const { personId, email, name, authenticatedAt, method } = person;
  const { read, operational } = identity.database;
  const names = await spacesOf(read, personId);
  const spaces = await Promise.all(names.map(async (space) => ({ space, roles: (await heldRoles(read, space, personId)).map(({ role }) => role) })));
  return { setupOpen, person: { id: personId, email, name }, spaces, authenticatedAt, method, passkeys: (await passkeysOf(operational, personId)).length };
}

async function personView(identity: Identity, person: Person, accounts: ReadonlySet<string>): Promise<PersonView> {
  const { read } = identity.database;
  const held = await heldRoles(read, person.space, person.id);
  const roles = held.map(async ({ role, grantedBy, grantedAt }) => {
    const granter = await findPerson(read, person.space, grantedBy);
    return { role, grantedBy: granter?.email ?? grantedBy, grantedAt };
  });
  return { id: person.id, email: person.email, name: person.name, createdAt: person.created_at, invited: !accounts.has(person.id), roles: await Promise.all(roles) };
}

async function onePerson(identity: Identity, person: Person): Promise<PersonView> {
  return personView(identity, person, await withPassword(identity.database.operational, [person.id]));
}

function accountHandlers({ identity, probe }: IdentityRoutesOptions): Pick<IdentityHandlers, "health" | "showSession" | "setUp" | "acceptInvitation"> {
  return {
    health: () => probe(),
    showSession: (_request, { signedIn }) => sessionView(identity, signedIn),
    async setUp({ body }, { ip }, cookies) {
      await identity.setUp({ ...body, ip });
      const session = await identity.accounts.signIn(body.email, body.password);
      for (const cookie of session.cookies) cookies.add(cookie);
      return sessionView(identity, session.signedIn);
    },
    acceptInvitation: ({ body }) => identity.acceptInvitation(body.token, body.password),
  };
}

function peopleHandlers({ identity, moves }: IdentityRoutesOptions): Pick<IdentityHandlers, "listPeople" | "addPerson" | "grantRole" | "revokeRole"> {
  const { database, people } = identity;
  return {
    async listPeople({ params, query }) {
      const found = await listPeople(database.read, params.space, { after: query.cursor, limit: query.limit + 1 });
      const page = found.slice(0, query.limit);
      const accounts = await withPassword(database.operational, page.map(({ id }) => id));
      const items = await Promise.all(page.map((person) => personView(identity, person, accounts)));
      return { items, next: found.length > query.limit ? (page.at(-1)?.id ?? null) : null };
    },
    async addPerson({ params, body }, caller) {
      const { person, invitation, expiresAt } = await addPerson(people, { ...body, space: params.space, actor: caller.personId });
      return { person: await onePerson(identity, person), invitation, expiresAt };
    },
    async grantRole({ params, body }, caller) {
      const { id, email } = await assertGrantable(database.read, { ...params, role: body.role });
      return moves.openRoleGrant({ space: params.space, caller, person: { id, email }, role: body.role });
    },
    async revokeRole({ params }, caller) {
      const person = await revokeRole(people, { ...params, actor: caller.personId });
      return onePerson(identity, person);
    },
  };
}

export function identityHandlers(options: IdentityRoutesOptions): IdentityHandlers {
  return { ...accountHandlers(options), ...peopleHandlers(options) };
}
