import { CedarError, compileSchema, entityStore, type EntityJson, type Schema } from "@licet/cedar";
import { LicetError, type DataEntity, type EntityUid, type RouteAnswer, type RouteRequest } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Recorder } from "../ledger/recorder.ts";
import { bundleOf } from "../policy/publish.ts";
import { cedarRecord } from "../policy/value.ts";
import { applicationPolicies } from "./application.ts";
import { uidKey } from "./data.ts";
import { plainJson } from "./verdict.ts";
import { countEntities, hasEntity, listEntities, type Reader } from "./store.ts";

export const entitiesPerSpaceMax = 200_000;

export interface DataDeps {
  readonly recorder: Recorder;
  readonly read: Reader;
}

interface Checker {
  readonly types: ReadonlySet<string>;
  readonly schema: Schema;
}

/** Owned by `checkerOf`: schemas by the digest of their bundle. */
const checkers = new Map<string, Checker>();
const checkersMax = 16;

async function checkerOf(read: Reader, space: string): Promise<Checker> {
  const bundle = await bundleOf(read, space);
  const before = checkers.get(bundle.digest);
  if (before !== undefined) return before;
  if (checkers.size >= checkersMax) checkers.clear();
  const types = new Set(applicationPolicies(bundle).packs.flatMap((pack) => pack.entityTypes));
  const checker = { types, schema: compileSchema(bundle.schemaJson) };
  checkers.set(bundle.digest, checker);
  return checker;
}

function check({ types, schema }: Checker, entity: DataEntity): void {
  const { uid } = entity;
  const name = `\`${uid.type}::"${uid.id}"\``;
  if (!types.has(uid.type)) throw new LicetError("entity_type_unknown", { message: `${name}: no application pack of this space has the type \`${uid.type}\`` });
  try {
    entityStore([entityJson(entity)], { schema });
  } catch (error) {
    if (!(error instanceof CedarError || error instanceof TypeError)) throw error;
    throw new LicetError("entity_unfit", { message: `${name}: ${error.message}`, at: { entity: uid } });
  }
}

function entityJson({ uid, attrs, parents, tags }: DataEntity): EntityJson {
  return { uid, attrs: cedarRecord(attrs), parents, ...(tags !== undefined && { tags: cedarRecord(tags) }) };
}

/** Checks the whole batch, then enters it at once: a batch is in force whole or not at all. Throws `entity_unfit`, `entity_type_unknown`, `data_too_much`. */
export async function changeData({ recorder, read }: DataDeps, asked: { readonly space: string; readonly batch: RouteRequest<"changePolicyData">["body"]; readonly by: string }): Promise<RouteAnswer<"changePolicyData">> {
  const { space, batch, by } = asked;
  const checker = await checkerOf(read, space);
  const upsert = distinct(batch.upsert);
  for (const entity of upsert) check(checker, entity);
  const { value, entry } = await recorder.commit(async (tx) => {
    const removed: EntityUid[] = [];
    for (const uid of batch.remove) if (await hasEntity(tx, space, uid)) removed.push(uid);
    if ((await countEntities(tx, space)) + upsert.length - removed.length > entitiesPerSpaceMax) {
      throw new LicetError("data_too_much", { message: `a space may hold ${entitiesPerSpaceMax} entities` });
    }
    const body = { upsert: plainJson(upsert), remove: plainJson(batch.remove), changedBy: by };
    return { entry: { kind: "policy.data-changed", space, actor: by, subject: "space", class: "governance", body }, value: { upserted: upsert.length, removed: removed.length } };
  });
  return { ...value, entry: entry?.id ?? "" };
}

/** Of one entity that stands twice the later counts. */
function distinct(entities: readonly DataEntity[]): readonly DataEntity[] {
  return [...new Map(entities.map((entity) => [uidKey(entity.uid), entity])).values()];
}

export async function dataPage({ read }: DataDeps, space: string, { type, search, cursor, limit }: RouteRequest<"listPolicyData">["query"]): Promise<RouteAnswer<"listPolicyData">> {
  const rows = await listEntities(read, space, { type, search, after: cursor === undefined ? undefined : placeOf(cursor), limit: limit + 1 });
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const items = shown.map((row) => ({ ...parseJson<DataEntity>(row.entity), updatedAt: row.updated_at, entry: row.entry }));
  return { items, next: rows.length > limit && last !== undefined ? JSON.stringify([last.type, last.id]) : null };
}

function placeOf(cursor: string): { readonly type: string; readonly id: string } | undefined {
  try {
    const value: unknown = parseJson(cursor);
    const [type, id]: readonly unknown[] = Array.isArray(value) ? value : [];
    return typeof type === "string" && typeof id === "string" ? { type, id } : undefined;
  } catch {
    return undefined;
  }
}
