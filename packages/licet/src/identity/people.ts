import { approvingRoles, LicetError, type Role } from "@licet/contract";
import { newId } from "../base/ids.ts";
import type { Recorder } from "../ledger/recorder.ts";
import {
  anyAdministratorEver,
  dropUnusedLinks,
  findIdByEmail,
  findPerson,
  findPersonByEmail,
  firstSpaceOf,
  heldRoles,
  holdersOf,
  insertLink,
  installedAt,
  withPassword,
  type IdentityDatabase,
  type Person,
  type Reader,
} from "./store.ts";
import { invitationDaysMax, newToken, tokenDigest } from "./one-time-token.ts";

const earlyMilliseconds = 3_600_000;
const invitationMilliseconds = invitationDaysMax * 86_400_000;

export interface PeopleOptions {
  readonly database: IdentityDatabase;
  readonly recorder: Recorder;
  /** The demo marks every role as early, so that its story does not take a day. */
  readonly demo: boolean;
}

export interface NewPerson {
  readonly space: string;
  readonly email: string;
  readonly name: string;
  /** The id of the administrator who adds them. */
  readonly actor: string;
}

export interface Invited {
  readonly person: Person;
  /** The one-time token; empty where the person belongs to another space already, which has made one. */
  readonly invitation: string;
  readonly expiresAt: number;
}

export interface RoleChange {
  readonly space: string;
  readonly person: string;
  readonly role: Role;
  readonly actor: string;
}

async function needPerson(db: Reader, space: string, id: string): Promise<Person> {
  const found = await findPerson(db, space, id);
  if (found === undefined) throw new LicetError("not_found", { message: `there is no person \`${id}\` in this space` });
  return found;
}

async function invite({ database, recorder }: PeopleOptions, space: string, person: string): Promise<Omit<Invited, "person">> {
  const time = recorder.now();
  // Whoever sets the first password acts in every space of the person: only the first space may hand out that chance.
  const foreign = (await firstSpaceOf(database.read, person)) !== space;
  if (foreign || (await withPassword(database.operational, [person])).has(person)) return { invitation: "", expiresAt: time };
  const invitation = newToken();
  const expiresAt = time + invitationMilliseconds;
  await dropUnusedLinks(database.operational, { purpose: "invitation", person });
  await insertLink(database.operational, { digest: tokenDigest(invitation), purpose: "invitation", person, created_at: time, expires_at: expiresAt });
  return { invitation, expiresAt };
}

/** Adds a person to a space and makes their invitation. Asked again before it is accepted, it makes a new one. Throws `person_exists`. */
export async function addPerson(options: PeopleOptions, added: NewPerson): Promise<Invited> {
  const { space, actor, name } = added;
  const email = added.email.toLowerCase();
  const { value: id } = await options.recorder.commit(async (tx, time) => {
    const known = await findPersonByEmail(tx, space, email);
    if (known !== undefined) {
      if ((await withPassword(tx, [known.id])).has(known.id)) throw new LicetError("person_exists", { message: `\`${email}\` is already in this space` });
      return { nothing: known.id };
    }
    const person = (await findIdByEmail(tx, email)) ?? newId("per", time);
    const body = { person, email, name, by: "administrator" };
    return { entry: { kind: "person.added", space, actor, subject: `person:${person}`, class: "governance", body }, value: person };
  });
  return { person: await needPerson(options.database.read, space, id), ...(await invite(options, space, id)) };
}

/** Whether a grant made now counts at once: the first hour of the installation, or the demo. */
async function isEarly(options: PeopleOptions, tx: Reader, time: number): Promise<boolean> {
  const start = await installedAt(tx);
  return options.demo || (start !== undefined && time - start < earlyMilliseconds);
}

/**
 * Grants a role that a gate move has allowed: `request` names it. Throws `not_found`, `role_held_already`, `role_conflict`.
 * Whoever asks for the move calls {@link assertGrantable} first.
 */
export async function grantRole(options: PeopleOptions, change: RoleChange & { readonly request: string }): Promise<void> {
  const { space, person, role, actor, request } = change;
  await options.recorder.commit(async (tx, time) => {
    await assertGrantable(tx, change);
    const body = { person, role, early: await isEarly(options, tx, time), request };
    return { entry: { kind: "role.granted", space, actor, subject: `person:${person}`, class: "governance", body }, value: undefined };
  });
}

/** Who hands out roles does not approve: neither may be added to the other. */
function conflict(one: Role, other: Role): boolean {
  const approving: readonly Role[] = approvingRoles;
  return (one === "administrator" && approving.includes(other)) || (other === "administrator" && approving.includes(one));
}

export async function assertGrantable(db: Reader, change: Omit<RoleChange, "actor">): Promise<Person> {
  const person = await needPerson(db, change.space, change.person);
  const roles = await heldRoles(db, change.space, change.person);
  if (roles.some(({ role }) => role === change.role)) {
    throw new LicetError("role_held_already", { message: `\`${person.email}\` already holds the role \`${change.role}\`` });
  }
  const hers = roles.map(({ role }) => role).find((role) => conflict(role, change.role));
  if (hers !== undefined) throw new LicetError("role_conflict", { message: `\`${person.email}\` holds the role \`${hers}\`, which goes with no \`${change.role}\`` });
  return person;
}

/** Takes a role away, at once. Throws `not_found`, `role_not_held`, `last_administrator`. */
export async function revokeRole(options: PeopleOptions, change: RoleChange): Promise<Person> {
  const { space, person, role, actor } = change;
  const { value } = await options.recorder.commit(async (tx) => {
    const found = await needPerson(tx, space, person);
    const roles = await heldRoles(tx, space, person);
    if (!roles.some((held) => held.role === role)) throw new LicetError("role_not_held", { message: `\`${found.email}\` does not hold the role \`${role}\`` });
    if (role === "administrator" && (await holdersOf(tx, space, role)).length <= 1) throw new LicetError("last_administrator");
    return { entry: { kind: "role.revoked", space, actor, subject: `person:${person}`, class: "governance", body: { person, role } }, value: found };
  });
  return value;
}

/** The first person and their role: two entries, so that a stop between them is finished by using a new link. */
export async function addFirstAdministrator(options: PeopleOptions, first: Omit<NewPerson, "actor"> & { readonly id: string }): Promise<void> {
  const { space, id, name } = first;
  const email = first.email.toLowerCase();
  const draft = { space, actor: "server", subject: `person:${id}`, class: "governance" } as const;
  await options.recorder.commit(async (tx) => {
    if (await anyAdministratorEver(tx)) throw new LicetError("setup_closed");
    if ((await findPerson(tx, space, id)) !== undefined) return { nothing: undefined };
    return { entry: { ...draft, kind: "person.added", body: { person: id, email, name, by: "setup" } }, value: undefined };
  });
  await options.recorder.commit(async (tx, time) => {
    if (await anyAdministratorEver(tx)) throw new LicetError("setup_closed");
    const body = { person: id, role: "administrator", early: await isEarly(options, tx, time), request: null };
    return { entry: { ...draft, kind: "role.granted", body }, value: undefined };
  });
}
