import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createClient, type Client } from "@licet/client";
import type { approvingRoles, RequestView, Role } from "@licet/contract";
import { licet, type Ran } from "./run.ts";
import type { Server } from "./server.ts";

const space = "main";

/** Somebody with a session of their own on the command line, and the same session for what only the page does. */
export interface Person {
  readonly email: string;
  readonly password: string;
  readonly client: Client;
  /** Runs a command as this person. */
  licet(...args: readonly string[]): Promise<Ran>;
}

interface Entering {
  readonly server: Server;
  readonly folder: string;
  readonly email: string;
  readonly password: string;
}

/** Later people hand their token over in the environment, which the command line takes as well. */
async function signedIn({ server, email, password }: Entering): Promise<Person> {
  const token = await createClient({ baseUrl: server.url }).signIn(email, password);
  const env = { LICET_URL: server.url, LICET_TOKEN: token };
  return { email, password, client: createClient({ baseUrl: server.url, token }), licet: (...args) => licet(args, { env }) };
}

async function entered({ server, folder, email, password }: Entering): Promise<Person> {
  const name = email.slice(0, email.indexOf("@"));
  const passwordFile = join(folder, `${name}.password`);
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const env = { LICET_URL: server.url, LICET_SESSION_FILE: join(folder, `${name}.session.json`) };
  const login = await licet(["login", "--email", email, "--password-file", passwordFile], { env });
  if (login.code !== 0) throw new Error(`login failed: ${login.err}`);
  const sessions = JSON.parse(readFileSync(env.LICET_SESSION_FILE, "utf8")) as Readonly<Record<string, string>>;
  return { email, password, client: createClient({ baseUrl: server.url, token: sessions[server.url] }), licet: (...args) => licet(args, { env }) };
}

/** The same person after the server has come up again. */
export function again(person: Person, server: Server, folder: string): Promise<Person> {
  return signedIn({ server, folder, email: person.email, password: person.password });
}

function newPassword(): string {
  return randomBytes(12).toString("base64url");
}

/** Uses the printed set-up link: the first account. */
export async function firstPerson(server: Server, folder: string): Promise<Person> {
  const token = /#token=(\S+)$/u.exec(server.setupUrl ?? "")?.[1] ?? "";
  const email = "ada.admin@example.com";
  const password = newPassword();
  await createClient({ baseUrl: server.url })("setUp", { body: { token, name: "Ada Administrator", email, password } });
  return entered({ server, folder, email, password });
}

export interface Joining {
  readonly server: Server;
  readonly folder: string;
  readonly admin: Person;
  readonly email: string;
  readonly role: Role | readonly Role[];
  /** Who agrees to the role, once somebody could. */
  readonly agrees?: Person;
}

/** Added on the command line; the printed invitation is used, and the role is granted by a second person where there is one. */
export async function joinAs(joining: Joining): Promise<Person> {
  const { server, folder, admin, email, role, agrees } = joining;
  const added = await admin.licet("people", "add", "--email", email, "--name", email.slice(0, email.indexOf("@")), "--role", ...[role].flat());
  if (added.code !== 0) throw new Error(`people add failed: ${added.err}`);
  for (const [, request = ""] of agrees === undefined ? [] : added.out.matchAll(/request (req_\w+)/gu)) {
    await approve(agrees ?? admin, { request, role: "risk-owner", comment: "agreed" });
  }
  const password = newPassword();
  const token = /invitation#token=(\S+)/u.exec(added.out)?.[1] ?? "";
  await createClient({ baseUrl: server.url })("acceptInvitation", { body: { token, password } });
  return signedIn({ server, folder, email, password });
}

/** Read, then sign, as on the page. */
export async function approve(person: Person, { request, role, comment }: { readonly request: string; readonly role: (typeof approvingRoles)[number]; readonly comment: string }): Promise<RequestView> {
  const params = { space, request };
  const { statement } = await person.client("draftApproval", { params, body: { role, answer: "approve", comment } });
  return person.client("giveApproval", { params, body: { role, answer: "approve", comment, statement } });
}
