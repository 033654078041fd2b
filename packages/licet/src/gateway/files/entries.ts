import { BoundIdDetail, GatewayOutcomeBody } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import type { Entry, EntryDefinition, Recorder } from "../../ledger/recorder.ts";
import { boundIdsOf, findBoundId, insertBoundIds, newestBoundIds, type Reader } from "../store.ts";
import type { BoundId } from "./bound-id.ts";
import { BoundIds, type BoundElsewhere } from "./bound-ids.ts";

type Tx = Parameters<EntryDefinition["apply"]>[0];
type Row = Parameters<typeof insertBoundIds>[1][number];

interface Binding {
  readonly bound: readonly BoundId[];
  readonly unbound: readonly { readonly provider: string; readonly id: string }[];
}

/** What an outcome binds and lets go of; undefined for most entries. */
export function bindingOf({ kind, space, system, body }: Pick<Entry, "kind" | "space" | "system" | "body">): Binding | undefined {
  if (kind !== "gateway.outcome" || system === undefined || (body["bound"] === undefined && body["unbound"] === undefined)) return undefined;
  const { bound = [], unbound = [] } = GatewayOutcomeBody.parse(body);
  return { bound: bound.map((each) => ({ ...each, space, system })), unbound };
}

/** Rows of what a batch of entries binds, in their order. */
export async function saveBindings(tx: Tx, entries: readonly Entry[]): Promise<void> {
  for (const entry of entries) {
    const binding = bindingOf(entry);
    if (binding === undefined) continue;
    await insertBoundIds(tx, [...binding.bound.map((bound) => rowOf(entry, bound)), ...binding.unbound.map((each) => endOf(entry, each))]);
  }
}

function rowOf({ id: entry, index = -1, time, kid = "" }: Entry, { space, provider, id, object, system, deployment, release, purpose, digest, bytes, classes, endpoint, models, from }: BoundId): Row {
  const detail = { purpose, digest, bytes, classes, endpoint, models, from } satisfies BoundIdDetail;
  return { space, provider, id, entry, log_index: index, object, system, deployment, release, detail: JSON.stringify(detail), recorded_at: time, kid, ends: 0 };
}

function endOf({ id: entry, index = -1, time, kid = "", space }: Entry, { provider, id }: Binding["unbound"][number]): Row {
  return { space, provider, id, entry, log_index: index, object: "", system: "", deployment: "", release: "", detail: "", recorded_at: time, kid, ends: 1 };
}

function boundOf({ space, provider, id, object, system, deployment, release, detail }: NonNullable<Awaited<ReturnType<typeof findBoundId>>>): BoundId {
  return { space, provider, id, object: object === "batch" ? "batch" : "file", system, deployment, release, ...BoundIdDetail.parse(parseJson(detail)) };
}

const loadedMax = 100_000;

export interface OpeningBoundIds {
  /** Rows of the record, brought to the end of the log. */
  readonly read: Reader;
  readonly recorder: Pick<Recorder, "onCommitted">;
  /** Of a gateway process: what its control plane knows. */
  readonly elsewhere?: BoundElsewhere | undefined;
}

/** What the record knows, read when it is asked for: of the whole installation at a control plane. */
export function boundInRecord({ read, recorder }: { readonly read: Reader; readonly recorder: Pick<Recorder, "settle"> }): BoundElsewhere {
  return {
    find: async (place) => {
      await recorder.settle();
      const row = await findBoundId(read, place);
      return row === undefined ? undefined : boundOf(row);
    },
    list: async (of) => {
      await recorder.settle();
      return (await boundIdsOf(read, of, listedMax)).map(boundOf);
    },
  };
}

/** Of one system's files, or batches, at one provider: so many of the newest are told. */
export const listedMax = 500;

/** The ids that the record knows, and from now on those that it learns: its own gateway's, and those of others that come in. */
export async function openBoundIds({ read, recorder, elsewhere }: OpeningBoundIds): Promise<BoundIds> {
  const rows = await newestBoundIds(read, loadedMax);
  const older = async (place: Parameters<typeof findBoundId>[1]): Promise<BoundId | undefined> => {
    const row = await findBoundId(read, place);
    return row === undefined ? undefined : boundOf(row);
  };
  const ids = new BoundIds({ known: rows.toReversed().map(boundOf), partial: rows.length >= loadedMax, older, elsewhere });
  recorder.onCommitted((entry) => {
    const binding = bindingOf(entry);
    for (const each of binding?.bound ?? []) ids.add(each);
    for (const { provider, id } of binding?.unbound ?? []) ids.remove({ space: entry.space, provider, id });
  });
  return ids;
}
