import { expressionBuilder, sql, type Expression, type Kysely, type RawBuilder, type SqlBool, type Transaction } from "kysely";
import { ErasureBody, type UsageRow } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Row, Tables } from "../db/tables.ts";

export type Reader = Kysely<Tables> | Transaction<Tables>;

export interface LogLine {
  readonly id: string;
  readonly logIndex: number;
  readonly kind: string;
  readonly system: string | null;
  readonly actor: string;
  readonly time: number;
}

export interface LogPage {
  readonly before?: number | undefined;
  readonly limit: number;
  readonly kind?: string | undefined;
  readonly system?: string | undefined;
  readonly find?: string | undefined;
  /** Milliseconds since the Unix epoch; the second is exclusive. */
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

function line(row: Row<"entry">): LogLine {
  return { id: row.id, logIndex: row.log_index, kind: row.kind, system: row.system, actor: row.actor, time: row.time };
}

/** Newest first. */
export async function listEntries(db: Reader, space: string, page: LogPage): Promise<readonly LogLine[]> {
  let query = db.selectFrom("entry").selectAll().where("space", "=", space).orderBy("log_index", "desc").limit(page.limit);
  if (page.before !== undefined) query = query.where("log_index", "<", page.before);
  if (page.kind !== undefined) query = query.where("kind", "=", page.kind);
  if (page.system !== undefined) query = query.where("system", "=", page.system);
  if (page.from !== undefined) query = query.where("time", ">=", page.from);
  if (page.to !== undefined) query = query.where("time", "<", page.to);
  if (page.find !== undefined && page.find !== "") query = query.where(found(db, space, page.find));
  return (await query.execute()).map(line);
}

function pattern(text: string): string {
  return text.replaceAll(/[\\%_]/gu, (sign) => `\\${sign}`);
}

function like(column: Expression<unknown>, text: string): RawBuilder<SqlBool> {
  return sql<SqlBool>`${column} like ${text} escape '\\'`;
}

function found(db: Reader, space: string, text: string): Expression<SqlBool> {
  const eb = expressionBuilder<Tables, "entry">();
  if (/^\d{1,15}$/u.test(text)) return eb("log_index", "=", Number(text));
  const begins = `${pattern(text)}%`;
  const people = db
    .selectFrom("person")
    .select("id")
    .where("space", "=", space)
    .where((person) => person.or([like(person.fn("lower", ["name"]), `%${pattern(text.toLowerCase())}%`), like(person.fn("lower", ["email"]), `%${pattern(text.toLowerCase())}%`)]));
  return eb.or([like(eb.ref("id"), begins), like(eb.ref("kind"), begins), like(eb.ref("system"), begins), eb("actor", "in", people)]);
}

export async function entryAt(db: Reader, space: string, index: number): Promise<LogLine | undefined> {
  const row = await db.selectFrom("entry").selectAll().where("space", "=", space).where("log_index", "=", index).executeTakeFirst();
  return row === undefined ? undefined : line(row);
}

export async function findEntry(db: Reader, space: string, id: string): Promise<LogLine | undefined> {
  const row = await db.selectFrom("entry").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  return row === undefined ? undefined : line(row);
}

/** A decision is known by its own id; it stands in the log at its index. */
export async function findDecisionLine(db: Reader, space: string, id: string): Promise<LogLine | undefined> {
  const row = await db.selectFrom("decision").selectAll().where("space", "=", space).where("id", "=", id).executeTakeFirst();
  if (row === undefined) return undefined;
  return { id: row.id, logIndex: row.log_index, kind: row.kind, system: row.system, actor: row.deployment ?? "unknown", time: row.decided_at };
}

export interface UsageAsked {
  readonly engine: "sqlite" | "postgres";
  /** Milliseconds since the Unix epoch; the second is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly provider?: string | undefined;
}

/** A member of a JSON text; the engines spell it differently. */
function member<T>(engine: UsageAsked["engine"], column: "detail" | "outcome", path: readonly string[]): RawBuilder<T> {
  return engine === "sqlite" ? sql<T>`json_extract(${sql.ref(column)}, ${`$.${path.join(".")}`})` : sql<T>`(${sql.ref(column)}::jsonb #>> ${`{${path.join(",")}}`}::text[])`;
}

/** Allowed calls of a model, per UTC day, with what their outcomes say of tokens. Days and models without calls have no row. */
export async function usageByDay(db: Reader, space: string, { engine, from, to, provider }: UsageAsked): Promise<readonly UsageRow[]> {
  const calls = db
    .selectFrom("decision")
    .select([
      sql<number>`decided_at / 86400000`.as("day"),
      member<string | null>(engine, "detail", ["provider"]).as("provider"),
      sql<string>`coalesce(${member(engine, "detail", ["upstreamModel"])}, model, '')`.as("model"),
      "outcome",
      sql<number | null>`cast(${member(engine, "outcome", ["usage", "prompt"])} as bigint)`.as("input"),
      sql<number | null>`cast(${member(engine, "outcome", ["usage", "completion"])} as bigint)`.as("output"),
    ])
    .where("space", "=", space)
    .where("kind", "=", "gateway.decision")
    .where("decision", "=", "allow")
    .where("action", "=", "callModel")
    .where("decided_at", ">=", from)
    .where("decided_at", "<", to)
    .as("call");
  const total = (column: "input" | "output") => sql<number>`coalesce(sum(${sql.ref(`call.${column}`)}), 0)`;
  let query = db
    .selectFrom(calls)
    .select(["call.day", "call.provider", "call.model"])
    .select((e) => [e.fn.countAll<number>().as("calls"), e.fn.count<number>("call.outcome").as("answered"), e.fn.count<number>("call.input").as("counted"), total("input").as("inputTokens"), total("output").as("outputTokens")])
    .groupBy(["call.day", "call.provider", "call.model"])
    .orderBy("call.day")
    .orderBy("call.model");
  if (provider !== undefined) query = query.where("call.provider", "=", provider);
  const rows = await query.execute();
  return rows.map(({ day, counted, ...row }) => ({ ...row, day: day * 86_400_000, tokensUnknown: row.calls - counted }));
}

/** Erasures of runtime records that may have been made in or after `from`; their rows are gone. */
export async function erasuresSince(db: Reader, space: string, from: number): Promise<number> {
  const rows = await db.selectFrom("erasure").select("body").where("space", "=", space).execute();
  const bodies = rows.map(({ body }) => ErasureBody.parse(parseJson(body)));
  return bodies.filter((each) => (each.class === "runtime" || each.class === "all") && (each.before === null || each.before > from)).length;
}

/** Where a gateway run begins in the log: a decision comes before its outcome. */
export async function firstOfGateway(db: Reader, space: string, gateway: string): Promise<number | undefined> {
  const row = await db
    .selectFrom("decision")
    .select((e) => e.fn.min("log_index").as("first"))
    .where("space", "=", space)
    .where("gateway", "=", gateway)
    .executeTakeFirst();
  return row?.first ?? undefined;
}
