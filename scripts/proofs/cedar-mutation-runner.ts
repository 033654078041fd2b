/**
 * A test runner for Stryker without a framework: tests are runs of recorded answers of cedar-wasm, killed by the first
 * answer that is not the recorded one, and the unit tests of @licet/cedar. All mutants are in the same instrumented
 * sources; this process switches one on, so that most of them cost milliseconds. Where a mutant is in what a module does
 * when it is loaded, all modules are loaded anew in the same process.
 */
import { readdirSync, readFileSync } from "node:fs";
import { registerHooks, stripTypeScriptTypes } from "node:module";
import path from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type * as Replay from "../oracles/cedar-replay.ts";
import type * as Vitest from "./cedar-mutation-vitest.ts";

const vectors = process.env["LICET_CEDAR_VECTORS"] ?? "";

/** What Stryker's instrumented code reads and writes. */
interface Instrumentation {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  mutantCoverage?: unknown;
}

declare global {
  var __stryker__: Instrumentation | undefined;
}

interface MutantRun {
  readonly activeMutant: { readonly id: string; readonly fileName: string };
  readonly testFilter?: readonly string[];
  readonly hitLimit?: number;
  readonly mutantActivation: "runtime" | "static";
}

interface Test {
  readonly id: string;
  /** Why it fails, in words. */
  readonly run: () => unknown;
}

/** What is not about decisions, or takes a process or the corpus. */
const otherTests = /^(?:format|residual|readme|corpus)/u;

/** They take seconds each, to hold what time and stack cost; a mutant's answers are looked at elsewhere. */
const slow = /stack|quadratic|deeper|long chain/u;

const fixtures = "fixtures";

const statusSuccess = 0;
const statusFailed = 1;

/** What is loaded anew for a mutant of the loading: the sources, their tests, and what replays the recorded answers. */
const reloaded = /\/(?:packages\/cedar\/src|scripts\/oracles)\/[^?]+\.ts$/u;
const stripped = new Map<string, string>();
const inPlaceOf: ReadonlyMap<string, string> = new Map([
  ["vitest", "cedar-mutation-vitest.ts"],
  ["@cedar-policy/cedar-wasm/nodejs", "cedar-mutation-wasm.ts"],
]);
let loadings = 0;

function hookLoading(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const other = inPlaceOf.get(specifier);
      if (other !== undefined && context.parentURL?.includes("/packages/cedar/src/") === true) return { url: proofUrl(other), shortCircuit: true };
      const found = next(specifier, context);
      return reloaded.test(found.url) ? { ...found, url: `${found.url}?${loadings}` } : found;
    },
    load(url, context, next) {
      const at = url.indexOf("?");
      if (at < 0 || !reloaded.test(url.slice(0, at))) return next(url, context);
      const file = fileURLToPath(url.slice(0, at));
      const source = stripped.get(file) ?? stripTypeScriptTypes(readFileSync(file, "utf8"));
      stripped.set(file, source);
      return { format: "module", source, shortCircuit: true };
    },
  });
}

function proofUrl(name: string): string {
  return pathToFileURL(path.resolve("scripts/proofs", name)).href;
}

class CedarReplayRunner {
  #tests: readonly Test[] | undefined;
  /** The mutant that was on when the modules were loaded. */
  #loadedWith: string | undefined;
  /** What a test took without a mutant. */
  readonly #costs = new Map<string, number>();
  /** How many mutants of a file a test has found. */
  readonly #found = new Map<string, Map<string, number>>();

  capabilities() {
    return { reloadEnvironment: true };
  }

  async dryRun() {
    const instrumentation = (globalThis.__stryker__ ??= {});
    const results = [];
    for (const { id, run } of await this.#load()) {
      instrumentation.currentTestId = id;
      const started = performance.now();
      const failure = await outcomeOf(run);
      const result = { id, name: id, timeSpentMs: performance.now() - started };
      this.#costs.set(id, result.timeSpentMs);
      results.push(failure === undefined ? { ...result, status: statusSuccess } : { ...result, status: statusFailed, failureMessage: failure });
    }
    instrumentation.currentTestId = undefined;
    return { status: "complete", tests: results, mutantCoverage: instrumentation.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }: MutantRun) {
    const instrumentation = (globalThis.__stryker__ ??= {});
    instrumentation.hitCount = 0;
    instrumentation.hitLimit = hitLimit;
    // A mutant in what a module does when it is loaded must be on by then, and off again for the next one.
    const loadedWith = mutantActivation === "static" ? activeMutant.id : undefined;
    if (loadedWith !== undefined || this.#loadedWith !== undefined) this.#tests = undefined;
    this.#loadedWith = loadedWith;
    instrumentation.activeMutant = loadedWith;
    try {
      const tests = await this.#load();
      instrumentation.activeMutant = activeMutant.id;
      const filter = testFilter && new Set(testFilter);
      return await this.#verdict(tests.filter(({ id }) => filter?.has(id) !== false), activeMutant.fileName);
    } catch (error) {
      return { status: "killed", killedBy: [], failureMessage: String(error), nrOfTests: 0 };
    } finally {
      instrumentation.activeMutant = undefined;
    }
  }

  async #verdict(tests: readonly Test[], file: string) {
    const found = this.#found.get(file) ?? new Map<string, number>();
    this.#found.set(file, found);
    for (const [index, { id, run }] of this.#bestFirst(tests, found).entries()) {
      const failure = await outcomeOf(run);
      if (failure === undefined) continue;
      if (failure.includes("Hit limit reached")) return { status: "timeout", reason: failure };
      found.set(id, (found.get(id) ?? 0) + 1);
      return { status: "killed", killedBy: [id], failureMessage: failure.slice(0, 500), nrOfTests: index + 1 };
    }
    return { status: "survived", nrOfTests: tests.length };
  }

  /** What finds most mutants of the file comes first, and then what costs least: one test that fails is enough. */
  #bestFirst(tests: readonly Test[], found: ReadonlyMap<string, number>): readonly Test[] {
    const rank = ({ id }: Test) => [-(found.get(id) ?? 0), this.#costs.get(id) ?? 0] as const;
    const ranked = tests.map((test) => ({ test, rank: rank(test) }));
    return ranked.sort(({ rank: [a, cost] }, { rank: [b, other] }) => a - b || cost - other).map(({ test }) => test);
  }

  async #load(): Promise<readonly Test[]> {
    if (this.#tests !== undefined) return this.#tests;
    if (loadings === 0) hookLoading();
    loadings += 1;
    const module = pathToFileURL(path.resolve("scripts/oracles/cedar-replay.ts")).href;
    const { readRuns, replay }: typeof Replay = await import(module);
    const runs = readRuns(readFileSync(vectors, "utf8")).map(({ steps }, index) => ({ id: `run ${index + 1}`, run: () => replay(steps()) }));
    this.#tests = [...(await unitTests()), ...runs];
    return this.#tests;
  }
}

async function unitTests(): Promise<readonly Test[]> {
  const { takeTests }: typeof Vitest = await import(proofUrl("cedar-mutation-vitest.ts"));
  const folder = path.resolve("packages/cedar/src");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.ts") && !otherTests.test(path.basename(name)));
  // What test files build when they are loaded is built without a mutant: not the code's own loading, nor a test of it.
  const tests: Test[] = [{ id: fixtures, run: () => undefined }];
  const instrumentation = (globalThis.__stryker__ ??= {});
  takeTests();
  for (const name of names.toSorted()) {
    instrumentation.currentTestId = fixtures;
    await import(pathToFileURL(path.join(folder, name)).href);
    for (const [index, { name: title, run }] of takeTests().entries()) if (!slow.test(title)) tests.push({ id: `${name} ${index} ${title}`, run });
  }
  instrumentation.currentTestId = undefined;
  return tests;
}

/** What a test gives back when it fails, or throws. */
async function outcomeOf(run: () => unknown): Promise<string | undefined> {
  try {
    const told = await run();
    return typeof told === "string" ? told : undefined;
  } catch (error) {
    return error instanceof Error ? error.message || error.name : String(error);
  }
}

export const strykerPlugins = [{ kind: "TestRunner", name: "cedar-replay", factory: () => new CedarReplayRunner() }];
