import { join } from "node:path";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { SignerKey } from "@licet/evidence";
import { LicetError } from "../base/errors.ts";
import { nodeFiles, replaceFile } from "../ledger/files.ts";

const Key = z.strictObject({ keyid: z.string(), publicKey: z.string() });

const Membership = z.strictObject({
  v: z.literal(1),
  gateway: z.string(),
  name: z.string(),
  space: z.string(),
  /** Origin of the control plane's data plane. */
  control: z.url(),
  /** Whose signature makes a snapshot, and an authorization in it. */
  keys: z.array(Key).min(1),
});
/** Whom a gateway belongs to. Lies with the gateway's keys, because whoever could change it could stand in for the control plane. */
export type Membership = z.output<typeof Membership>;

const fileName = "gateway.json";

export async function readMembership(keysDirectory: string): Promise<Membership | undefined> {
  const bytes = await nodeFiles.readWhole(join(keysDirectory, fileName));
  if (bytes === undefined) return undefined;
  try {
    return Membership.parse(parseJson(Buffer.from(bytes).toString("utf8")));
  } catch (cause) {
    throw new LicetError("gateway_not_joined", { message: `\`${join(keysDirectory, fileName)}\` is damaged`, cause });
  }
}

export async function writeMembership(keysDirectory: string, membership: Membership): Promise<void> {
  await replaceFile(nodeFiles, join(keysDirectory, fileName), Buffer.from(`${JSON.stringify(membership, null, 2)}\n`));
  await nodeFiles.syncDirectory(keysDirectory);
}

export function controlKeys({ keys }: Membership): readonly SignerKey[] {
  return keys.map(({ keyid, publicKey }) => ({ keyid, publicKey: Buffer.from(publicKey, "base64") }));
}

const Floor = z.strictObject({ v: z.literal(1), log: z.string(), version: z.int() });

/** The newest standing that this gateway decided on: an older one of the same log is never taken again, also after a restart. */
export class VersionFloor {
  readonly #path: string;
  readonly #onFailure: (error: unknown) => void;
  #held: z.output<typeof Floor> | undefined;
  #writing: Promise<void> | undefined;
  #stale = false;

  private constructor(path: string, onFailure: (error: unknown) => void, held: z.output<typeof Floor> | undefined) {
    this.#path = path;
    this.#onFailure = onFailure;
    this.#held = held;
  }

  static async open(keysDirectory: string, onFailure: (error: unknown) => void): Promise<VersionFloor> {
    const path = join(keysDirectory, "gateway-floor.json");
    const bytes = await nodeFiles.readWhole(path);
    const held = bytes === undefined ? undefined : Floor.parse(parseJson(Buffer.from(bytes).toString("utf8")));
    return new VersionFloor(path, onFailure, held);
  }

  /** A restored control plane goes on in a new shard of its log, so its versions begin anew. */
  isBelow(log: string, version: number): boolean {
    return this.#held?.log === log && version < this.#held.version;
  }

  /** Written beside the traffic: what a crash forgets is at most the newest commits. */
  raise(log: string, version: number): void {
    if (this.#held?.log === log && this.#held.version === version) return;
    this.#held = { v: 1, log, version };
    this.#stale = true;
    this.#writing ??= this.#write().catch(this.#onFailure).finally(() => {
      this.#writing = undefined;
    });
  }

  async close(): Promise<void> {
    await this.#writing;
  }

  async #write(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      await replaceFile(nodeFiles, this.#path, Buffer.from(JSON.stringify(this.#held)));
    }
  }
}
