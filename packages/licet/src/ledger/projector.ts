import type { Database } from "../db/database.ts";
import type { LoggedEntry } from "./entry.ts";
import type { Keyring } from "./keyring.ts";
import type { EvidenceLog } from "./log.ts";
import type { Registry } from "./registry.ts";
import { replayBatch } from "./replay.ts";

export interface ProjectorOptions {
  readonly database: Database;
  readonly log: EvidenceLog;
  readonly keyring: Keyring;
  readonly registry: Registry;
  readonly now: () => number;
  readonly projectEvery?: number;
}

/** Entries that wait for their rows in memory; older ones are read from the log again. */
const recentMax = 20_000;
/** After a failure the next attempt comes later, so that a broken database is not hammered. */
const retryMilliseconds = 2000;
const failuresMax = 5;

/** Follows the log with the rows of runtime entries. Only this object changes its fields. */
export class Projector {
  readonly #options: ProjectorOptions;
  readonly #recent = new Map<number, LoggedEntry>();
  readonly #byId = new Map<string, LoggedEntry>();
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #projected: number;
  #failures = 0;
  #closed = false;

  constructor(options: ProjectorOptions) {
    this.#options = options;
    this.#projected = options.log.size - 1;
  }

  keep(entry: LoggedEntry): void {
    if (entry.index <= this.#projected) return;
    this.#recent.set(entry.index, entry);
    this.#byId.set(entry.id, entry);
    if (this.#recent.size > recentMax) {
      const [oldest] = this.#recent;
      if (oldest) this.#forget(oldest[0], oldest[1].id);
    }
  }

  schedule(): void {
    this.#schedule(this.#options.projectEvery ?? 100);
  }

  recentById(id: string): LoggedEntry | undefined {
    return this.#byId.get(id);
  }

  /** False when rows have been missing for several attempts: what the pages show is then too old to decide by. */
  healthy(): boolean {
    return this.#failures < failuresMax;
  }

  async settle(): Promise<void> {
    await this.#running?.catch(() => {});
    const target = this.#options.log.size - 1;
    while (this.#projected < target) await this.#step();
  }

  /** Stops at once: what is missing is left to the next start. */
  halt(): void {
    clearTimeout(this.#timer);
    this.#closed = true;
  }

  async close(): Promise<void> {
    this.halt();
    await this.#running?.catch(() => {});
    if (this.#options.log.healthy()) await this.settle();
  }

  #schedule(milliseconds: number): void {
    if (this.#timer || this.#closed || milliseconds === 0) return;
    this.#timer = setTimeout(() => {
      this.#running = this.#catchUp().finally(() => {
        this.#running = undefined;
        this.#timer = undefined;
        if (this.#projected < this.#options.log.size - 1) this.#schedule(this.#failures > 0 ? retryMilliseconds : milliseconds);
      });
      this.#running.catch(() => {});
    }, milliseconds).unref();
  }

  async #catchUp(): Promise<void> {
    try {
      for (let done = false; !done && !this.#closed; ) done = await this.#step();
      this.#failures = 0;
    } catch {
      this.#failures += 1;
    }
  }

  async #step(): Promise<boolean> {
    const before = this.#projected;
    const result = await replayBatch({ ...this.#options, recent: (index) => this.#recent.get(index) });
    this.#projected = result.through;
    for (let index = before + 1; index <= result.through; index += 1) {
      const entry = this.#recent.get(index);
      if (entry) this.#forget(index, entry.id);
    }
    return result.done;
  }

  #forget(index: number, id: string): void {
    this.#recent.delete(index);
    this.#byId.delete(id);
  }
}
