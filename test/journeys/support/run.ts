import { execFileSync, spawn } from "node:child_process";
import { join } from "node:path";

/** The repository's root: journeys drive what was built there. */
export const root = join(import.meta.dirname, "../../..");
export const launcher = join(root, "packages/licet/bin/licet.js");
export const verifier = join(root, "packages/evidence/dist/licet-verify.mjs");
export const examples = join(root, "examples");

export type Environment = Readonly<Record<string, string>>;

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
  readonly milliseconds: number;
}

export interface RunOptions {
  readonly env?: Environment;
  readonly cwd?: string;
  readonly timeoutMs?: number;
}

/** Takes no time when nothing has changed: the build keeps a digest of its inputs. */
export function buildProduct(): void {
  execFileSync(process.execPath, ["scripts/build.mjs", "libraries", "verifier", "server"], { cwd: root, env: bare({}), stdio: "inherit" });
}

/** What a child gets: nothing of ours that could change what the product does, such as conditions or another data directory. */
export function bare(env: Environment): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => name === "PATH" || name === "HOME" || name === "TMPDIR");
  return { ...Object.fromEntries(own), NO_COLOR: "1", ...env };
}

/** Runs a program to its end; one that does not end is killed and fails the test. */
export async function run(file: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const started = performance.now();
  const child = spawn(file, args, { cwd: options.cwd ?? root, env: bare(options.env ?? {}), stdio: ["ignore", "pipe", "pipe"] });
  const said = { out: "", err: "" };
  child.stdout.on("data", (chunk: Buffer) => {
    said.out += chunk.toString("utf8");
  });
  child.stderr.on("data", (chunk: Buffer) => {
    said.err += chunk.toString("utf8");
  });
  const limit = options.timeoutMs ?? 60_000;
  const timer = setTimeout(() => child.kill("SIGKILL"), limit);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  clearTimeout(timer);
  return { code, ...said, milliseconds: performance.now() - started };
}

export function node(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return run(process.execPath, args, options);
}

/** The command line as people have it: the launcher over the built bundle. */
export function licet(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return node([launcher, ...args], options);
}
