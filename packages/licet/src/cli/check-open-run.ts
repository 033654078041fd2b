import { createHash, randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { parseJson } from "@licet/evidence";
import { z } from "zod";

/** Folder below the cache: what may be thrown away at any time. */
export function cacheFolder(name: "measurements" | "runs" | "results"): string {
  return join(process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache"), "licet", name);
}

const State = z.object({ v: z.literal(1), pid: z.int(), state: z.enum(["running", "returning"]), given: z.unknown() });

const ageMsMax = 7 * 24 * 60 * 60 * 1000;
const runsMax = 100;

/**
 * A run that has begun and is not finished. States: running -> returning -> gone. A run that was killed is found by the
 * next that asks for the same, and goes on with what it was given: its seed or its ticket, and the answers that it has.
 * One that was killed while it returned its results is not taken up: whether they arrived, only the server knows.
 */
export class OpenRun<T> {
  readonly folder: string;
  readonly given: T;
  /** Whether an earlier run had begun it. */
  readonly resumed: boolean;

  private constructor(folder: string, { given, resumed }: { readonly given: T; readonly resumed: boolean }) {
    this.folder = folder;
    this.given = given;
    this.resumed = resumed;
  }

  /** `begin` is asked for what a new run is given. */
  static async open<T>(identity: readonly string[], { schema, begin, usable }: { readonly schema: z.ZodType<T>; readonly begin: () => Promise<T>; readonly usable: (given: T) => boolean }): Promise<OpenRun<T>> {
    const root = cacheFolder("runs");
    prune(root);
    const folder = join(root, createHash("sha256").update(JSON.stringify(identity)).digest("hex"));
    const before = stateIn(folder);
    // Two runs of the same at the same time share nothing.
    if (before !== undefined && before.pid !== process.pid && alive(before.pid)) return OpenRun.#begun(`${folder}-${randomUUID()}`, await begin());
    const given = before?.state === "running" ? schema.safeParse(before.given).data : undefined;
    if (given !== undefined && usable(given)) {
      write(folder, "running", given);
      return new OpenRun(folder, { given, resumed: true });
    }
    rmSync(folder, { recursive: true, force: true });
    return OpenRun.#begun(folder, await begin());
  }

  static #begun<T>(folder: string, given: T): OpenRun<T> {
    write(folder, "running", given);
    return new OpenRun(folder, { given, resumed: false });
  }

  returning(): void {
    write(this.folder, "returning", this.given);
  }

  finished(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

function stateIn(folder: string): z.infer<typeof State> | undefined {
  try {
    return State.safeParse(parseJson(readFileSync(join(folder, "run.json"), "utf8"))).data;
  } catch {
    return undefined;
  }
}

function write(folder: string, state: "running" | "returning", given: unknown): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const half = join(folder, `run.json.${process.pid}`);
  writeFileSync(half, JSON.stringify({ v: 1, pid: process.pid, state, given }), { mode: 0o600 });
  renameSync(half, join(folder, "run.json"));
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Runs that nobody took up again hold answers of models: they go after a week, and the oldest where there are many. */
function prune(root: string): void {
  const runs = names(root)
    .map((name) => ({ folder: join(root, name), at: statSync(join(root, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((a, b) => b.at - a.at);
  for (const [index, { folder, at }] of runs.entries()) {
    if (index >= runsMax || Date.now() - at > ageMsMax) rmSync(folder, { recursive: true, force: true });
  }
}

function names(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
