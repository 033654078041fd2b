import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

// Not "import": vitest hands each to its workers as --conditions, and a require inside pg would then load an ES module.
const conditions = ["source", "node", "default"];
// Threads and child processes that run the sources: stripping their types anew is half of what opening a database takes.
const env = { NODE_OPTIONS: "--conditions=source", NODE_COMPILE_CACHE: fileURLToPath(new URL("node_modules/.cache/licet-compile", import.meta.url)) };

/** The files that take longest, longest first: on a clean clone nothing else knows, and one that began last would be waited for alone. */
const longest = [
  "test/journeys/faults.test.ts",
  "test/journeys/story.test.ts",
  "test/journeys/start.test.ts",
  "test/journeys/documented.test.ts",
  "test/api/identity.test.ts",
  "test/api/gateway-matrix.test.ts",
  "test/api/access.test.ts",
  "test/unit/proofs.test.ts",
  "ledger/kill-steps.test.ts",
  "server/restore.test.ts",
  "server/gateway-role.test.ts",
  "ledger/kill.test.ts",
  "cli/policy.test.ts",
];

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const place = ({ moduleId }: TestSpecification): number => (longest.findIndex((name) => moduleId.endsWith(name)) + longest.length + 1) % (longest.length + 1);
    return (await super.sort(files)).toSorted((one, other) => place(one) - place(other));
  }
}

/** `unit` runs beside the code; `journeys` drive the built product as a separate process. */
export default defineConfig({
  resolve: { conditions, alias: [{ find: /^fast-check$/u, replacement: fileURLToPath(new URL("test/unit/support/seeded-fast-check.ts", import.meta.url)) }] },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    env,
    sequence: { sequencer: LongestFirst },
    expect: { requireAssertions: true },
    restoreMocks: true,
    // No test is one of speed: a busy machine may take long.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    projects: [
      { extends: true, test: { name: "unit", isolate: false, maxWorkers: 2, include: ["packages/*/src/**/*.test.ts", "packages/*/src/**/*.test.tsx", "test/unit/**/*.test.ts"] } },
      // A dependency of `ai` has a condition of the same name: read by node itself, it would be its TypeScript that is run.
      { extends: true, test: { name: "api", include: ["test/api/**/*.test.ts"], server: { deps: { inline: [/\/node_modules\/(?:@ai-sdk\/|ai\/|eventsource-parser\/)/u] } } } },
      {
        extends: true,
        test: { name: "journeys", include: ["test/journeys/**/*.test.ts"], testTimeout: 180_000, hookTimeout: 180_000, maxWorkers: 2 },
      },
    ],
  },
});
