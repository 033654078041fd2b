import { readFileSync } from "node:fs";
import { DataEntity, dataEntitiesMax, LicetError } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { exitCodes, type ExitCode } from "./failure.ts";
import { connect, type ServerOptions } from "./session.ts";
import { columns, timeText, type Terminal } from "./terminal.ts";

export async function runClientIssue(name: string, options: ServerOptions & { readonly days: number }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const issued = await client("issueDecisionClient", { params: { space }, body: { name, days: options.days } });
  terminal.out(`issued ${issued.client.id} for ${name}, until ${timeText(issued.client.expiresAt)}; the token, once:\n  ${issued.token}`);
  return exitCodes.fine;
}

export async function runClientList(options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { items } = await client("listDecisionClients", { params: { space }, query: { limit: 200 } });
  const rows = items.map((each) => [each.id, each.name, each.issuedBy, timeText(each.expiresAt), each.revokedAt === null ? "in force" : `revoked ${timeText(each.revokedAt)}`]);
  terminal.out(columns([["ID", "NAME", "ISSUED BY", "EXPIRES", "STATE"], ...rows]));
  return exitCodes.fine;
}

export async function runClientRevoke(id: string, options: ServerOptions & { readonly reason: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const revoked = await client("revokeDecisionClient", { params: { space, client: id }, query: { reason: options.reason } });
  terminal.out(`revoked ${revoked.id} (${revoked.name})`);
  return exitCodes.fine;
}

function entitiesIn(file: string): readonly DataEntity[] {
  const text = readFileSync(file === "-" ? 0 : file, "utf8");
  const parsed = z.array(DataEntity).safeParse(json(text));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new LicetError("entity_unfit", { message: `\`${file}\` is no list of entities: ${issue?.path.join(".") ?? ""} ${issue?.message ?? ""}`.trimEnd() });
}

function json(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

/** In batches: each is one entry, in force whole or not at all. */
export async function runDataPut(file: string, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const entities = entitiesIn(file);
  for (let at = 0; at < entities.length; at += dataEntitiesMax) {
    const { upserted, entry } = await client("changePolicyData", { params: { space }, body: { upsert: entities.slice(at, at + dataEntitiesMax), remove: [] } });
    terminal.out(`put ${upserted} ${upserted === 1 ? "entity" : "entities"} (entry ${entry})`);
  }
  return exitCodes.fine;
}

export async function runDataRemove(uid: { readonly type: string; readonly id: string }, options: ServerOptions, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const { removed } = await client("changePolicyData", { params: { space }, body: { upsert: [], remove: [uid] } });
  terminal.out(removed === 0 ? `there was no ${uid.type}::"${uid.id}"` : `removed ${uid.type}::"${uid.id}"`);
  return removed === 0 ? exitCodes.findings : exitCodes.fine;
}

export async function runDataList(options: ServerOptions & { readonly type?: string; readonly search?: string }, terminal: Terminal): Promise<ExitCode> {
  const { client, space } = connect(options);
  const query = { limit: 200, ...(options.type !== undefined && { type: options.type }), ...(options.search !== undefined && { search: options.search }) };
  const { items, next } = await client("listPolicyData", { params: { space }, query });
  const rows = items.map(({ uid, attrs, parents }) => [uid.type, uid.id, JSON.stringify(attrs), parents.map((parent) => `${parent.type}::"${parent.id}"`).join(", ")]);
  terminal.out(columns([["TYPE", "ID", "ATTRIBUTES", "PARENTS"], ...rows]));
  if (next !== null) terminal.out("there are more; narrow them with --type or --search");
  return exitCodes.fine;
}
