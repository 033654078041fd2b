import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { packPayloadType } from "@licet/evidence";
import { auditPack } from "../../../packages/licet/src/controls/audit-pack.ts";
import { beginShard } from "../../../packages/licet/src/ledger/begin-shard.ts";
import type { Draft } from "../../../packages/licet/src/ledger/entry.ts";
import { openKeyring, type Keyring } from "../../../packages/licet/src/ledger/keyring.ts";
import { openKeys, type Keys } from "../../../packages/licet/src/ledger/keys.ts";
import { openLog, type EvidenceLog } from "../../../packages/licet/src/ledger/log.ts";
import { openEntry, sealEntry } from "../../../packages/licet/src/ledger/sealing.ts";
import { packSource } from "../../../packages/licet/src/server/pack-source.ts";
import { start, type Files } from "./story.ts";

/** A log as the product writes it, with its keys and its exports, without server and database. */
export interface ProductLog {
  readonly folder: string;
  readonly keys: Keys;
  readonly keyring: Keyring;
  log: EvidenceLog;
  /** Answers the entry's number. */
  append(draft: Partial<Draft> & { readonly time?: number }): Promise<number>;
  /** As `licet restore` does with a backup of what is here now. */
  restore(notes?: readonly string[]): Promise<void>;
  trust(): string;
  export(system?: string): Promise<Files>;
  /** What is published, by C2SP path. */
  published(): Promise<Files>;
  close(): Promise<void>;
}

const plain: Draft = { kind: "note.made", space: "main", actor: "per_ada", system: "helpdesk", subject: "system:helpdesk", class: "governance", body: { text: "written" } };

/** A numbered decision of a gateway. */
export function decision(seq: number, gateway = "gw_1"): Partial<Draft> {
  return { kind: "gateway.decision", actor: "dep_1", class: "runtime", gateway, seq, body: { decision: "allow" } };
}

/** `like`: another log under the same keys, which is what a dishonest operator could show to somebody else. */
export async function productLog({ like }: { readonly like?: ProductLog } = {}): Promise<ProductLog> {
  const directory = await mkdtemp(join(tmpdir(), "licet-verified-"));
  const folder = join(directory, "log");
  const clock = { now: () => start };
  await mkdir(join(directory, "keys"), { mode: 0o700 });
  const keys = like?.keys ?? (await openKeys({ directory: join(directory, "keys"), fresh: true, now: start - 1000 }));
  const keyring = await openKeyring({ directory: join(directory, "keys"), root: keys.root, clock });
  const open = () => openLog({ folder, signer: keys.log, publishEvery: 0 });
  let made = 0;
  const self: ProductLog = {
    folder,
    keys,
    keyring,
    log: await open(),
    async append({ time, ...draft }) {
      made += 1;
      const entry = { ...plain, ...draft, id: `ent_${made}`, v: 1, time: time ?? start + made };
      return self.log.append((await sealEntry(keyring, entry)).frame);
    },
    async restore(notes = []) {
      // Copied while it is in use, as a backup is: the last entries may not be under a checkpoint yet.
      const backup = join(directory, "backup");
      await cp(folder, backup, { recursive: true, filter: (path) => !path.endsWith("lock") });
      await self.log.close();
      await rm(folder, { recursive: true });
      await rename(backup, folder);
      made += 1000;
      await beginShard({ folder, signer: keys.log, keyring, remembered: { known: undefined, notes }, now: start + made, by: "root" });
      self.log = await open();
    },
    trust: () => JSON.stringify(keys.trustFile()),
    async export(system) {
      const readAt = async (_space: string, index: number) => {
        const frame = await self.log.read(index);
        return frame === undefined ? undefined : { ...openEntry(keyring, frame), index };
      };
      const source = packSource({ log: self.log, keyring, recorder: { readAt }, signPack: (_type, payload) => keys.signEnvelope(packPayloadType, payload), signStatement: (statement) => keys.signStatement(statement) });
      const files = await auditPack(source, { space: "main", system, exportedAt: start + 3_600_000 });
      return new Map(files.map(({ path, bytes }) => [path, bytes]));
    },
    async published() {
      const found = await readdir(folder, { recursive: true, withFileTypes: true });
      const paths = found.filter((each) => each.isFile()).map((each) => relative(folder, join(each.parentPath, each.name)));
      const wanted = paths.filter((path) => !path.includes("journal") && !path.endsWith("lock"));
      return new Map(await Promise.all(wanted.map(async (path) => [path, new Uint8Array(await readFile(join(folder, path)))] as const)));
    },
    async close() {
      await self.log.close();
      await keyring.close();
      await rm(directory, { recursive: true, force: true });
    },
  };
  return self;
}
