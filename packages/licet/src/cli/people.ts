import { LicetError, type RequestView, type Role } from "@licet/contract";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type Connection, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

interface GrantOptions extends ServerOptions {
  readonly email: string;
  readonly role?: readonly Role[];
}

/** How a move came about, as the record says it. */
export function outcomeOf(request: RequestView): string {
  const { outcome } = request.detail;
  return typeof outcome === "string" ? outcome : request.status;
}

async function grant({ client, space }: Connection, person: string, roles: readonly Role[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const role of roles) {
    const { done, request } = await client("grantRole", { params: { space, person }, body: { role } });
    lines.push(done ? `granted ${role} (${outcomeOf(request)})` : `${role}: waits for another person's approval (request ${request.id})`);
  }
  return lines;
}

export async function runPeopleAdd(options: GrantOptions & { readonly name: string }, terminal: Terminal): Promise<ExitCode> {
  const connection = connect(options);
  const { person, invitation, expiresAt } = await connection.client("addPerson", { params: { space: connection.space }, body: { email: options.email, name: options.name } });
  terminal.out(`added ${person.name} <${person.email}>`);
  for (const line of await grant(connection, person.id, options.role ?? [])) terminal.out(line);
  terminal.out(`invitation, once, until ${timeText(expiresAt)}:\n  ${connection.url}/invitation#token=${invitation}`);
  return exitCodes.fine;
}

export async function runPeopleGrant(options: GrantOptions, terminal: Terminal): Promise<ExitCode> {
  const connection = connect(options);
  const { items } = await connection.client("listPeople", { params: { space: connection.space }, query: { limit: 200 } });
  const person = items.find((item) => item.email.toLowerCase() === options.email.toLowerCase());
  if (person === undefined) throw new LicetError("not_found", { message: `nobody here has the address \`${options.email}\`` });
  for (const line of await grant(connection, person.id, options.role ?? [])) terminal.out(line);
  return exitCodes.fine;
}

export async function runPeopleList(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { items } = await client("listPeople", { params: { space }, query: { limit: 200 } });
  const rows = items.map((item) => [item.email, item.name, item.roles.map((held) => held.role).join(", ") || "no role", item.invited ? "invited" : "active"]);
  terminal.out(columns([["E-MAIL", "NAME", "ROLES", "STATE"], ...rows]));
  return exitCodes.fine;
}
