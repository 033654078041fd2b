import { fromUtf8, isRecord, toBase64 } from "@licet/evidence";
import type { RouteAnswer } from "@licet/contract";
import { LicetError } from "../base/errors.ts";
import type { Handlers } from "../http/handlers.ts";
import { indexCursor } from "../http/index-cursor.ts";
import { peopleNames } from "../identity/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { auditPack, checkpointSize, type PackSource } from "./audit-pack.ts";
import { findDecisionLine, findEntry, listEntries, type LogLine, type Reader } from "./store.ts";

export interface ControlsDeps {
  readonly read: Reader;
  readonly recorder: Recorder;
  readonly source: PackSource;
  readonly log: {
    readonly vkey: string;
    readonly size: number;
    publish(): Promise<string>;
    leafAt(index: number): Promise<Uint8Array | undefined>;
    entryAt(space: string, index: number): Promise<Readonly<Record<string, unknown>> | undefined>;
    proof(index: number, size: number): Promise<readonly Uint8Array[]>;
  };
  readonly trust: () => Readonly<Record<string, unknown>> & { readonly fingerprint: string };
}

const witnessNote =
  "No witness signs this log's checkpoints: rewriting is evident to anybody who kept an earlier checkpoint, and to nobody else. Rollback is not detectable by the server alone.";

type Shown = RouteAnswer<"listLog">["items"][number];

function shown(line: LogLine, names: ReadonlyMap<string, string>): Shown {
  return { id: line.id, index: line.logIndex, kind: line.kind, system: line.system, actor: names.get(line.actor) ?? line.actor, at: line.time };
}

async function entryView(deps: ControlsDeps, { space, line, names }: { readonly space: string; readonly line: LogLine; readonly names: ReadonlyMap<string, string> }): Promise<RouteAnswer<"showLogEntry">> {
  const checkpoint = await deps.log.publish();
  const size = checkpointSize(checkpoint);
  const leaf = await deps.log.leafAt(line.logIndex);
  if (leaf === undefined) throw new LicetError("not_found");
  const text = fromUtf8(leaf);
  if (!text.ok) throw new LicetError("internal", { cause: new Error(text.message) });
  const body = await deps.log.entryAt(space, line.logIndex);
  const proof = await deps.log.proof(line.logIndex, size);
  return { row: shown(line, names), leaf: text.value, proof: proof.map((hash) => toBase64(hash)), size, checkpoint, body: body ?? null };
}

export function controlsRoutes(deps: ControlsDeps): Pick<Handlers, "showLog" | "listLog" | "showLogEntry" | "exportAudit"> {
  return {
    async showLog() {
      const trust = deps.trust();
      const plain: unknown = JSON.parse(JSON.stringify(trust));
      return {
        origin: deps.source.origin,
        size: deps.log.size,
        checkpoint: await deps.log.publish(),
        vkey: deps.log.vkey,
        trustFingerprint: trust.fingerprint,
        trust: isRecord(plain) ? plain : {},
        witnesses: { configured: 0, note: witnessNote },
      };
    },
    async listLog({ params, query }) {
      const rows = await listEntries(deps.read, params.space, { before: indexCursor(query.cursor), limit: query.limit + 1, kind: query.kind, system: query.system });
      const page = rows.slice(0, query.limit);
      const names = await peopleNames(deps.read, params.space);
      const last = page.at(-1);
      return { items: page.map((line) => shown(line, names)), next: rows.length > query.limit && last !== undefined ? String(last.logIndex) : null };
    },
    async showLogEntry({ params }) {
      const line = (await findEntry(deps.read, params.space, params.entry)) ?? (await findDecisionLine(deps.read, params.space, params.entry));
      if (line === undefined) throw new LicetError("not_found", { message: `there is no entry \`${params.entry}\` in this space` });
      return entryView(deps, { space: params.space, line, names: await peopleNames(deps.read, params.space) });
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
