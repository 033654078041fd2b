import { allows, LicetError, rolePermissions, roles, type Permission, type Role, type Route } from "@licet/contract";
import type { IncomingHttpHeaders } from "node:http";
import type { Caller, SignedIn, Visitor } from "./handlers.ts";

/** Who is asking, and what a space knows of them. Asked anew for every request, so a role taken away is gone at once. */
export interface Authenticator {
  /** The person of the session that the cookie or the bearer token names. */
  signedIn(headers: IncomingHttpHeaders): Promise<SignedIn | undefined>;
  /** `undefined` where the person is not a member, or the space does not exist. */
  rolesIn(space: string, personId: string): Promise<readonly Role[] | undefined>;
}

export interface Knock {
  readonly headers: IncomingHttpHeaders;
  readonly ip: string;
  /** The space that the path names. */
  readonly space: string | undefined;
}

function holders(permission: Permission): readonly Role[] {
  return roles.filter((role) => rolePermissions[role].includes(permission));
}

async function member(authenticator: Authenticator, knock: Knock): Promise<Caller> {
  const person = await authenticator.signedIn(knock.headers);
  if (person === undefined) throw new LicetError("not_signed_in");
  if (knock.space === undefined) throw new LicetError("not_found");
  const held = await authenticator.rolesIn(knock.space, person.personId);
  if (held === undefined) throw new LicetError("not_found");
  return { ...person, space: knock.space, roles: held, ip: knock.ip };
}

/**
 * Lets a request in or refuses it, before its body is read: 401 without a session, 404 for whoever is not a member
 * of the space (whether it exists or not), 403 with the roles that would do.
 */
export async function admit(authenticator: Authenticator, route: Route, knock: Knock): Promise<Visitor | Caller> {
  if (route.permission === "public") return { ip: knock.ip, signedIn: await authenticator.signedIn(knock.headers) };
  const caller = await member(authenticator, knock);
  if (route.permission === "signed-in" || allows(caller.roles, route.permission)) return caller;
  const needed = holders(route.permission);
  throw new LicetError("permission_denied", {
    message: `this needs the permission \`${route.permission}\`, which these roles hold: ${needed.join(", ")}`,
    at: { permission: route.permission, roles: needed, held: caller.roles },
  });
}
