import { cpSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { RouteAnswer } from "@licet/contract";
import { firstPerson, joinAs, type Person } from "./people.ts";
import { buildProduct, examples } from "./run.ts";
import { newPlace, startServer, startSimulator, temporaryFolder, type Server, type Simulator } from "./server.ts";

export interface Cast {
  readonly admin: Person;
  readonly risk: Person;
  readonly tumourRisk: Person;
  readonly developer: Person;
  readonly platform: Person;
  readonly security: Person;
  readonly official: Person;
  readonly auditor: Person;
}

export interface Stage {
  readonly folder: string;
  readonly simulator: Simulator;
  readonly server: Server;
  readonly cast: Cast;
  close(): Promise<void>;
}

/** A working copy: the repository stays as it is. */
export function workingCopy(folder: string, example: string): string {
  const copy = join(folder, example);
  cpSync(join(examples, example), copy, { recursive: true, filter: (path) => !path.includes("node_modules") });
  return copy;
}

/** The provider is registered while there is one person; everybody after the first role needs a second one. */
async function castOf(server: Server, folder: string, simulator: Simulator): Promise<Cast> {
  const admin = await firstPerson(server, folder);
  const provider = await admin.licet("provider", "add", "simulator", "--base-url", simulator.baseUrl, "--vendor", "Licet example", "--region", "eu", "--key-file", join(folder, "ada.admin.password"));
  if (provider.code !== 0) throw new Error(`provider add failed: ${provider.err}`);
  const start = { server, folder, admin };
  const risk = await joinAs({ ...start, email: "rita.risk@example.com", role: "risk-owner" });
  const agreed = { ...start, agrees: risk };
  return {
    admin,
    risk,
    tumourRisk: await joinAs({ ...agreed, email: "rolf.risk@example.com", role: "risk-owner" }),
    developer: await joinAs({ ...agreed, email: "dana.data@example.com", role: "developer" }),
    platform: await joinAs({ ...agreed, email: "piet.platform@example.com", role: "platform-engineer" }),
    security: await joinAs({ ...agreed, email: "sven.security@example.com", role: "security-engineer" }),
    official: await joinAs({ ...agreed, email: "olga.official@example.com", role: "authorizing-official" }),
    auditor: await joinAs({ ...agreed, email: "aziz.auditor@example.com", role: "auditor" }),
  };
}

export interface SmallCast {
  readonly admin: Person;
  readonly risk: Person;
  /** Develops, deploys and reads the record: enough for what is not about separation of duties. */
  readonly team: Person;
}

export async function smallCast(server: Server, folder: string, simulator: Simulator): Promise<SmallCast> {
  const admin = await firstPerson(server, folder);
  const provider = await admin.licet("provider", "add", "simulator", "--base-url", simulator.baseUrl, "--vendor", "Licet example", "--region", "eu");
  if (provider.code !== 0) throw new Error(`provider add failed: ${provider.err}`);
  const risk = await joinAs({ server, folder, admin, email: "rita.risk@example.com", role: "risk-owner" });
  const team = await joinAs({ server, folder, admin, agrees: risk, email: "dana.data@example.com", role: ["developer", "platform-engineer", "auditor"] });
  return { admin, risk, team };
}

type Decision = RouteAnswer<"listDecisions">["items"][number];

/** Every page of them. */
export async function allDecisions(cast: SmallCast): Promise<readonly Decision[]> {
  const params = { space: "main", system: "helpdesk-assistant" };
  const found: Decision[] = [];
  let cursor: string | undefined;
  do {
    const page = await cast.team.client("listDecisions", { params, query: { limit: 200, ...(cursor !== undefined && { cursor }) } });
    found.push(...page.items);
    cursor = page.next ?? undefined;
  } while (cursor !== undefined);
  return found;
}

/** The example in pilot; answers its credential. */
export async function pilotOf(team: Person, folder: string): Promise<string> {
  const file = join(folder, "credential");
  const commands = [["push"], ["promote", "--to", "experiment"], ["promote", "--to", "pilot"], ["deploy", "record", "--environment", "local", "--stage", "pilot", "--credential-file", file]];
  for (const command of commands) {
    const ran = await team.licet(...command, "--dir", folder);
    if (ran.code !== 0) throw new Error(`${command.join(" ")}: ${ran.out}${ran.err}`);
  }
  return readFileSync(file, "utf8").trim();
}

/** Built product, simulator, server and everybody who takes part. */
export async function openStage(): Promise<Stage> {
  buildProduct();
  const temporary = temporaryFolder();
  const folder = temporary.path;
  mkdirSync(join(folder, "people"));
  const simulator = await startSimulator();
  const server = await startServer(await newPlace(folder));
  const close = async (): Promise<void> => {
    await server.signal("SIGTERM");
    await simulator.signal("SIGTERM");
    temporary.remove();
  };
  try {
    return { folder, simulator, server, cast: await castOf(server, join(folder, "people"), simulator), close };
  } catch (error) {
    await close();
    throw error;
  }
}
