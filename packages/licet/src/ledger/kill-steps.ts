import type { KyselyPlugin } from "kysely";
import type { Clock } from "../base/clock.ts";
import type { Database } from "../db/database.ts";
import { complaints } from "./log-fixture.ts";
import type { EvidenceLog } from "./log.ts";
import { decisionDraft, dump, holdDraft, install, type Installation, liftDraft, toyKinds } from "./recorder-fixture.ts";
import { registryOf } from "./registry.ts";
import { rebuildDatabase } from "./replay.ts";

/** Dies at one step of the work on database and log, and stays dead: nothing that comes after it happens. */
class Mortal {
  readonly #dieAt: number;
  #counting = false;
  #steps = 0;
  #diedAt: string | undefined;

  constructor(dieAt: number) {
    this.#dieAt = dieAt;
  }

  /** Where it died; undefined while it lives. */
  get diedAt(): string | undefined {
    return this.#diedAt;
  }

  /** Steps count from here: what a start does is what mends the others. */
  begin(): void {
    this.#counting = true;
  }

  step(name: string): void {
    if (this.#counting && this.#diedAt === undefined) this.#steps += 1;
    if (this.#steps === this.#dieAt) this.#diedAt ??= name;
    if (this.#diedAt !== undefined) throw new Error(`the process died at ${this.#diedAt}`);
  }

  database(real: Database): Database {
    const plugin: KyselyPlugin = {
      transformQuery: ({ node }) => {
        this.step(`before ${node.kind}`);
        return node;
      },
      transformResult: async ({ result }) => {
        this.step("after a statement");
        return result;
      },
    };
    const write: Database["write"] = async (work) => {
      this.step("before the transaction");
      const value = await real.write(async (tx) => {
        const answer = await work(tx.withPlugin(plugin));
        this.step("before the commit");
        return answer;
      });
      this.step("after the commit");
      return value;
    };
    return replacing(real, { write });
  }

  log(real: EvidenceLog): EvidenceLog {
    const append: EvidenceLog["append"] = async (frame) => {
      this.step("before the append");
      const index = await real.append(frame);
      this.step("after the append");
      return index;
    };
    return replacing(real, { append });
  }
}

function replacing<T extends object>(of: T, changes: Partial<T>): T {
  return new Proxy(of, {
    get: (target, key) => {
      const value: unknown = Reflect.get(changes, key) ?? Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

/** Id by index. */
type Acknowledged = Map<number, string>;

async function work(at: Installation, round: number, seen: Acknowledged): Promise<void> {
  const commit = async (draft: ReturnType<typeof holdDraft>) => {
    const { entry } = await at.recorder.commit(async () => ({ entry: draft, value: 0 }));
    if (entry) seen.set(entry.index, entry.id);
  };
  await commit(holdDraft(`h${round}`));
  await Promise.all([0, 1].map(async (n) => {
    const entry = await at.recorder.append(decisionDraft(round * 10 + n));
    seen.set(entry.index, entry.id);
  }));
  await commit(liftDraft());
  await at.recorder.settle();
}

export interface KillSteps {
  readonly directory: string;
  readonly clock: Clock;
}

export interface KillStepsResult {
  /** The steps, in order, at each of which one process died. */
  readonly steps: readonly string[];
  readonly acknowledged: number;
  readonly losses: readonly string[];
}

/** A process for each step, all on one directory: it dies there, and the next start has to make everything right. */
export async function killSteps({ directory, clock }: KillSteps): Promise<KillStepsResult> {
  const [steps, losses, checkpoints]: [string[], string[], string[]] = [[], [], []];
  const seen: Acknowledged = new Map();
  for (let alive = false; !alive && losses.length === 0; ) {
    const mortal = new Mortal(steps.length + 1);
    const at = await install({ directory, clock, wrapDatabase: (real) => mortal.database(real), wrapLog: (real) => mortal.log(real) });
    losses.push(...(await found(at, seen, checkpoints)).map((loss) => `after step ${steps.length}, ${steps.at(-1)}: ${loss}`));
    mortal.begin();
    await work(at, steps.length, seen).catch(() => 0);
    await at.crash();
    alive = mortal.diedAt === undefined;
    steps.push(...(mortal.diedAt === undefined ? [] : [mortal.diedAt]));
  }
  return { steps, acknowledged: seen.size, losses };
}

async function found(at: Installation, seen: Acknowledged, checkpoints: string[]): Promise<readonly string[]> {
  const losses: string[] = [];
  await at.recorder.settle();
  for (const [index, id] of seen) {
    if ((await at.recorder.readAt("main", index))?.id !== id) losses.push(`entry ${index} (${id}) was acknowledged and is gone`);
  }
  losses.push(...(await complaints(at.log, checkpoints)));
  checkpoints.push(await at.log.publish());
  const { database, log, keyring } = at;
  const live = JSON.stringify(await dump(database));
  await rebuildDatabase({ database, log, keyring, registry: registryOf(toyKinds), now: () => 0 });
  if (JSON.stringify(await dump(database)) !== live) losses.push("the rebuilt tables differ from the live ones");
  return losses;
}
