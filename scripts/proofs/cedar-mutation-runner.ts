/**
 * A test runner for Stryker without a framework: tests are runs of recorded answers of cedar-wasm, killed by the first
 * answer that is not the recorded one, and the unit tests of @licet/cedar. All mutants are in the same instrumented
 * sources; this process switches one on, so that most of them cost milliseconds.
 */
import { readdirSync, readFileSync } from "node:fs";
import { registerHooks } from "node:module";
import path from "node:path";
import { pathToFileURL } from "node:url";
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
  readonly activeMutant: { readonly id: string };
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

class CedarReplayRunner {
  #tests: readonly Test[] | undefined;

  capabilities() {
    return { reloadEnvironment: false };
  }

  async dryRun() {
    const instrumentation = (globalThis.__stryker__ ??= {});
    const results = [];
    for (const { id, run } of await this.#load()) {
      instrumentation.currentTestId = id;
      const started = performance.now();
      const failure = await outcomeOf(run);
      const result = { id, name: id, timeSpentMs: performance.now() - started };
      results.push(failure === undefined ? { ...result, status: statusSuccess } : { ...result, status: statusFailed, failureMessage: failure });
    }
    instrumentation.currentTestId = undefined;
    return { status: "complete", tests: results, mutantCoverage: instrumentation.mutantCoverage };
  }

  async mutantRun({ activeMutant, testFilter, hitLimit, mutantActivation }: MutantRun) {
    const instrumentation = (globalThis.__stryker__ ??= {});
    instrumentation.hitCount = 0;
    instrumentation.hitLimit = hitLimit;
    // A mutant in what a module does when it is loaded must be on by then.
    if (mutantActivation === "static") instrumentation.activeMutant = activeMutant.id;
    try {
      const tests = await this.#load();
      instrumentation.activeMutant = activeMutant.id;
      return await verdict(tests.filter(({ id }) => testFilter === undefined || testFilter.includes(id)));
    } catch (error) {
      return { status: "killed", killedBy: [], failureMessage: String(error), nrOfTests: 0 };
    } finally {
      instrumentation.activeMutant = undefined;
    }
  }

  async #load(): Promise<readonly Test[]> {
    if (this.#tests !== undefined) return this.#tests;
    const module = pathToFileURL(path.resolve("scripts/oracles/cedar-replay.ts")).href;
    const { readRuns, replay }: typeof Replay = await import(module);
    const runs = readRuns(readFileSync(vectors, "utf8")).map(({ steps }, index) => ({ id: `run ${index + 1}`, run: () => replay(steps()) }));
    this.#tests = [...(await unitTests()), ...runs];
    return this.#tests;
  }
}

async function unitTests(): Promise<readonly Test[]> {
  const shim = pathToFileURL(path.resolve("scripts/proofs/cedar-mutation-vitest.ts")).href;
  registerHooks({ resolve: (specifier, context, next) => (specifier === "vitest" ? { url: shim, shortCircuit: true } : next(specifier, context)) });
  const { takeTests }: typeof Vitest = await import(shim);
  const folder = path.resolve("packages/cedar/src");
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".test.ts") && !otherTests.test(path.basename(name)));
  // What test files build when they are loaded is built without a mutant: not the code's own loading, nor a test of it.
  const tests: Test[] = [{ id: fixtures, run: () => undefined }];
  const instrumentation = (globalThis.__stryker__ ??= {});
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

async function verdict(tests: readonly Test[]) {
  for (const [index, { id, run }] of tests.entries()) {
    const failure = await outcomeOf(run);
    if (failure === undefined) continue;
    if (failure.includes("Hit limit reached")) return { status: "timeout", reason: failure };
    return { status: "killed", killedBy: [id], failureMessage: failure.slice(0, 500), nrOfTests: index + 1 };
  }
  return { status: "survived", nrOfTests: tests.length };
}

export const strykerPlugins = [{ kind: "TestRunner", name: "cedar-replay", factory: () => new CedarReplayRunner() }];
