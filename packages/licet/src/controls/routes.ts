import { isRecord, parseJson, toBase64 } from "@licet/evidence";
import type { RouteAnswer } from "@licet/contract";
import type { Handlers } from "../http/handlers.ts";
import { indexCursor } from "../http/index-cursor.ts";
import { peopleNames } from "../identity/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import type { WitnessesStatus } from "../witness/witnesses.ts";
import { auditPack, type PackSource } from "./audit-pack.ts";
import { entryView, type LogReading } from "./entry-view.ts";
import type { Storage } from "./storage.ts";
import { listEntries, type LogLine, type Reader } from "./store.ts";

export interface ControlsDeps {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly source: PackSource;
  readonly log: LogReading;
  readonly storage: () => Promise<Storage>;
  readonly trust: () => Readonly<Record<string, unknown>> & { readonly fingerprint: string };
  /** Absent when no witness is configured. */
  readonly witnesses: ((checkpoint: string) => Promise<WitnessesStatus>) | undefined;
}

const witnessNote =
  "No witness signs this log's checkpoints: rewriting is evident to anybody who kept an earlier checkpoint, and to nobody else. Rollback is not detectable by the server alone.";

async function witnessView(status: ControlsDeps["witnesses"], checkpoint: string): Promise<RouteAnswer<"showLog">["witnesses"]> {
  const found = await status?.(checkpoint);
  if (found === undefined || found.configured === 0) return { configured: 0, note: witnessNote, quorum: false, items: [] };
  const note = found.quorum
    ? "The policy's quorum of witnesses has signed this checkpoint: the log cannot be rolled back or forked without one of them noticing."
    : "Fewer witnesses have signed this checkpoint than the policy asks for; verifiers will not accept it before they have.";
  return { configured: found.configured, note, quorum: found.quorum, items: found.items.map((item) => ({ ...item })) };
}

type Shown = RouteAnswer<"listLog">["items"][number];

function shown(line: LogLine, names: ReadonlyMap<string, string>): Shown {
  return { id: line.id, index: line.logIndex, kind: line.kind, system: line.system, actor: names.get(line.actor) ?? line.actor, at: line.time };
}

export function controlsRoutes(deps: ControlsDeps): Pick<Handlers, "showLog" | "listLog" | "showLogEntry" | "exportAudit"> {
  return {
    async showLog() {
      const trust = deps.trust();
      const checkpoint = await deps.log.publish();
      const plain: unknown = parseJson(JSON.stringify(trust));
      return {
        origin: deps.source.origin,
        size: deps.log.size,
        checkpoint,
        vkey: deps.log.vkey,
        trustFingerprint: trust.fingerprint,
        trust: isRecord(plain) ? plain : {},
        shards: deps.log.shards.map(({ name, origin, base, size, frozen }) => ({ name, origin, base, size, frozen })),
        storage: await deps.storage(),
        witnesses: await witnessView(deps.witnesses, checkpoint),
      };
    },
    async listLog({ params, query }) {
      const rows = await listEntries(deps.read, params.space, { before: indexCursor(query.cursor), limit: query.limit + 1, kind: query.kind, system: query.system, find: query.find, from: query.from, to: query.to });
      const page = rows.slice(0, query.limit);
      const names = await peopleNames(deps.read, params.space);
      const last = page.at(-1);
      return { items: page.map((line) => shown(line, names)), next: rows.length > query.limit && last !== undefined ? String(last.logIndex) : null };
    },
    async showLogEntry({ params }, caller) {
      return entryView(deps, { ...params, roles: caller.roles, names: await peopleNames(deps.read, params.space) });
    },
    async exportAudit({ params, body }, caller) {
      const exportedAt = deps.recorder.now();
      await deps.recorder.commit(async () => ({
        entry: { kind: "audit.exported", space: params.space, actor: caller.personId, subject: "space", class: "governance", body: { system: body.system ?? null, by: caller.personId }, ...(body.system === undefined ? {} : { system: body.system }) },
        value: undefined,
      }));
      const files = await auditPack(deps.source, { space: params.space, system: body.system, exportedAt });
      return { files: files.map(({ path, bytes }) => ({ path, content: toBase64(bytes) })) };
    },
  };
}
