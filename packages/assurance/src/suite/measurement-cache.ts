import { createHash, randomUUID } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { type AssuranceCheck, CheckBasis, CheckResult } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { CheckDefinition, Measured } from "../checks/definition.ts";
import { engine } from "../engine.ts";
import type { PeerRuntime } from "../onnx/peer-runtime.ts";

/** Measurements that were made before, by everything that they depend on. Verdicts are never kept: they are derived again. */
export interface MeasurementCache {
  read(key: string): Promise<Measured | undefined>;
  /** Never rejects: what cannot be kept is measured again. */
  write(key: string, measured: Measured): Promise<void>;
}

interface KeyParts {
  readonly check: AssuranceCheck;
  readonly definition: CheckDefinition;
  /** Of the components that the check reads, in its order. */
  readonly digests: readonly string[];
  readonly seed: string;
  /** The interpreter that ours is compared with. */
  readonly peer?: PeerRuntime | undefined;
}

/** What a measurement depends on: engine, check, files, and the seed where the check draws anything. */
export function measurementKey({ check, definition, digests, seed, peer }: KeyParts): string {
  const { id: _, label: __, advisory: ___, ...asked } = check;
  const parts = [engine.digest, definition.version, Object.entries(asked).toSorted(([a], [b]) => (a < b ? -1 : 1)), digests, definition.exact === true ? "" : seed, ...(peer === undefined ? [] : [peer.name, peer.version])];
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

const { shape } = CheckResult;

/** What lies on the disk is read as if a stranger had put it there. */
const Stored: z.ZodType<Measured> = z.object({
  measurement: z.object({
    basis: CheckBasis,
    counts: shape.counts,
    unit: shape.unit,
    limit: shape.limit.pick({ op: true, value: true }),
    notes: shape.notes,
    queries: z.int().nonnegative(),
  }),
  subject: shape.subject,
  inputs: shape.inputs,
  group: z.string().exactOptional(),
  origin: shape.origin.exactOptional(),
});

const filesMax = 1000;

/** One file for each measurement, in a folder that may be deleted at any time. The oldest go when there are too many. */
export function fileCache(folder: string): MeasurementCache {
  const fileOf = (key: string) => path.join(folder, `${key}.json`);
  return {
    read: async (key) => {
      try {
        const parsed = Stored.safeParse(parseJson(await readFile(fileOf(key), "utf8")));
        return parsed.success ? parsed.data : undefined;
      } catch {
        return undefined;
      }
    },
    write: async (key, measured) => {
      try {
        await mkdir(folder, { recursive: true });
        const half = path.join(folder, `${randomUUID()}.part`);
        await writeFile(half, JSON.stringify(measured));
        // Whole or not at all: a run that is broken off leaves no half measurement.
        await rename(half, fileOf(key));
        await prune(folder);
      } catch {
        // The run goes on without: it only has to measure again next time.
      }
    },
  };
}

async function prune(folder: string): Promise<void> {
  const names = await readdir(folder);
  if (names.length <= filesMax) return;
  const aged = await Promise.all(names.map(async (name) => ({ name, at: (await stat(path.join(folder, name))).mtimeMs })));
  const oldest = aged.toSorted((a, b) => a.at - b.at).slice(0, names.length - filesMax / 2);
  await Promise.all(oldest.map(({ name }) => rm(path.join(folder, name), { force: true })));
}
