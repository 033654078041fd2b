import { allows, LicetError, rolePermissions, roles, type Permission, type Role, type Route } from "@licet/contract";
import type { IncomingHttpHeaders } from "node:http";
import type { Caller, RunCaller, SignedIn, Visitor } from "./handlers.ts";

/** Who is asking, and what a space knows of them. Asked anew for every request, so a role taken away is gone at once. */
export interface Authenticator {
  /** The person of the session that the cookie or the bearer token names. */
  signedIn(headers: IncomingHttpHeaders): Promise<SignedIn | undefined>;
  /** `undefined` where the person is not a member, or the space does not exist. */
  rolesIn(space: string, personId: string): Promise<readonly Role[] | undefined>;
}

/** Who else than a person may ask on a route that takes one-run credentials. */
export interface RunAuthenticator {
  /** Whether a bearer token has the form of a one-run credential. */
  isRun(bearer: string): boolean;
  /** `undefined` where it is unknown in this space, spent or over. */
  runOf(space: string, bearer: string): Promise<Omit<RunCaller, "ip"> | undefined>;
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

function bearerOf({ authorization = "" }: IncomingHttpHeaders): string {
  return /^bearer (\S+)$/iu.exec(authorization)?.[1] ?? "";
}

/** `undefined` where the request brings no one-run credential, or the route takes none. */
async function admitRun(runs: RunAuthenticator, route: Route, knock: Knock): Promise<RunCaller | undefined> {
  const bearer = bearerOf(knock.headers);
  if (route.run !== true || !runs.isRun(bearer)) return undefined;
  const run = knock.space === undefined ? undefined : await runs.runOf(knock.space, bearer);
  if (run === undefined) throw new LicetError("ci_run_over");
  return { ...run, ip: knock.ip };
}

/**
 * Lets a request in or refuses it, before its body is read: 401 without a session, 404 for whoever is not a member
 * of the space (whether it exists or not), 403 with the roles that would do.
 */
export async function admit(authenticator: Authenticator & RunAuthenticator, route: Route, knock: Knock): Promise<Visitor | Caller | RunCaller> {
  if (route.permission === "public") return { ip: knock.ip, signedIn: await authenticator.signedIn(knock.headers) };
  const run = await admitRun(authenticator, route, knock);
  if (run !== undefined) return run;
  const caller = await member(authenticator, knock);
  if (route.permission === "signed-in" || allows(caller.roles, route.permission)) return caller;
  const needed = holders(route.permission);
  throw new LicetError("permission_denied", {
    message: `this needs the permission \`${route.permission}\`, which these roles hold: ${needed.join(", ")}`,
    at: { permission: route.permission, roles: needed, held: caller.roles },
  });
}
