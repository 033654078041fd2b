import { randomBytes } from "node:crypto";
import { createClient, type Client } from "@licet/client";
import type { RequestView, Role } from "@licet/contract";
import type { RunningServer } from "../../server/start.ts";
import type { Narrator } from "./narrator.ts";

export interface Player {
  readonly name: string;
  readonly email: string;
  readonly password: string;
  readonly roles: readonly Role[];
  readonly client: Client;
}

export interface Cast {
  readonly people: readonly Player[];
  readonly admin: Player;
  readonly data: Player;
  readonly platform: Player;
  readonly security: Player;
  readonly helpdeskRisk: Player;
  readonly tumourRisk: Player;
  readonly official: Player;
  readonly auditor: Player;
}

export const space = "main";

interface Part {
  readonly name: string;
  readonly email: string;
  readonly roles: readonly Role[];
}

const parts = {
  data: { name: "Dana Data", email: "dana.data@example.com", roles: ["developer"] },
  platform: { name: "Piet Platform", email: "piet.platform@example.com", roles: ["platform-engineer"] },
  security: { name: "Sven Security", email: "sven.security@example.com", roles: ["security-engineer"] },
  helpdeskRisk: { name: "Rita Risk", email: "rita.risk@example.com", roles: ["risk-owner"] },
  tumourRisk: { name: "Rolf Risk", email: "rolf.risk@example.com", roles: ["risk-owner"] },
  official: { name: "Olga Official", email: "olga.official@example.com", roles: ["authorizing-official"] },
  auditor: { name: "Aziz Auditor", email: "aziz.auditor@example.com", roles: ["auditor"] },
} as const satisfies Readonly<Record<string, Part>>;

function newPassword(): string {
  return randomBytes(12).toString("base64url");
}

async function signedIn(server: RunningServer, part: Part, password: string): Promise<Player> {
  const token = await createClient({ baseUrl: server.consoleUrl }).signIn(part.email, password);
  return { ...part, password, client: createClient({ baseUrl: server.consoleUrl, token }) };
}

async function firstAccount(server: RunningServer): Promise<Player> {
  const part = { name: "Ada Administrator", email: "ada.admin@example.com", roles: ["administrator"] } as const;
  const password = newPassword();
  const token = server.setup?.token ?? "";
  await createClient({ baseUrl: server.consoleUrl })("setUp", { body: { token, name: part.name, email: part.email, password } });
  return signedIn(server, part, password);
}

interface Joining {
  readonly server: RunningServer;
  readonly admin: Player;
  /** Who agrees to the role; nobody while nobody could. */
  readonly agrees?: Player;
}

async function join({ server, admin, agrees }: Joining, part: Part): Promise<Player> {
  const { person, invitation } = await admin.client("addPerson", { params: { space }, body: { email: part.email, name: part.name } });
  for (const role of part.roles) await grant({ admin, agrees }, person.id, role);
  const password = newPassword();
  await createClient({ baseUrl: server.consoleUrl })("acceptInvitation", { body: { token: invitation, password } });
  return signedIn(server, part, password);
}

/** A gate move: the administrator asks, somebody else agrees. */
async function grant({ admin, agrees }: { readonly admin: Player; readonly agrees: Player | undefined }, person: string, role: Role): Promise<void> {
  const { done, request } = await admin.client("grantRole", { params: { space, person }, body: { role } });
  if (done) return;
  const answered = agrees === undefined ? request : await approve(agrees, request.id, "risk-owner", `${role}: agreed`);
  if (answered.status !== "granted") throw new Error(`the role ${role} was not granted`);
}

/** Draft, read, sign: without a passkey the record and every verifier say `server-asserted`. */
export async function approve(player: Player, request: string, role: "risk-owner" | "authorizing-official" | "security-engineer", comment: string): Promise<RequestView> {
  const params = { space, request };
  const draft = await player.client("draftApproval", { params, body: { role, answer: "approve", comment } });
  return player.client("giveApproval", { params, body: { role, answer: "approve", comment, statement: draft.statement } });
}

/** The one-time link makes the administrator, who invites the others. Nobody gets in by another way. */
export async function meetTheCast(server: RunningServer, providerUrl: string, say: Narrator): Promise<Cast> {
  say.title("Who takes part");
  const admin = await firstAccount(server);
  say.good("the one-time set-up link made the first account: an administrator, who approves nothing");
  const { done } = await admin.client("registerProvider", { params: { space }, body: { id: "simulator", baseUrl: providerUrl, vendor: "Licet example (a labelled simulator)", region: "eu", key: "simulator-key", allowPrivate: false } });
  say.command(`licet provider add simulator --base-url ${providerUrl} --vendor "Licet example" --region eu`);
  say.good(done ? "registered; the record says: sole operator, since nobody else is here yet" : "waits for approval");
  const first = await join({ server, admin }, parts.helpdeskRisk);
  say.good(`${first.name}: ${first.roles.join(", ")}; from now on every role needs somebody's approval, and hers is the first`);
  const together = { server, admin, agrees: first };
  const joined: Record<keyof typeof parts, Player> = {
    helpdeskRisk: first,
    tumourRisk: await join(together, parts.tumourRisk),
    data: await join(together, parts.data),
    platform: await join(together, parts.platform),
    security: await join(together, parts.security),
    official: await join(together, parts.official),
    auditor: await join(together, parts.auditor),
  };
  for (const player of Object.values(joined).slice(1)) say.good(`${player.name}: ${player.roles.join(", ")}`);
  return { ...joined, admin, people: [admin, ...Object.values(joined)] };
}
