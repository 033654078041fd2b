import { parseJson } from "@licet/evidence";
import { z } from "zod";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { dividedLimits, type LimitOf } from "../gateway/budgets/declared.ts";
import type { RunName } from "../gateway/budgets/lessor-space.ts";
import { ShareLessor } from "../gateway/budgets/lessor.ts";
import type { Granted } from "../gateway/budgets/share-terms.ts";
import { quantities, type ShareOwner } from "../gateway/budgets/shares.ts";
import { runOf } from "../gateway/budgets/spent.ts";
import { dayOf, monthOf, monthStart } from "../gateway/budgets/utc-day.ts";
import type { Budgets } from "../gateway/budgets/budgets.ts";
import { spentByRuns, standingVersion } from "../gateway/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { budgetShares, removeBudgetShare, saveBudgetShare, shipments, type GatewayRow, type Reader } from "./store.ts";
import type { SharesRequest } from "./wire.ts";

export interface DeskDeps {
  readonly recorder: Pick<Recorder, "onCommitted" | "now">;
  readonly read: Reader;
  readonly operational: Reader;
  readonly clock: Clock;
  readonly onFailure: (error: unknown) => void;
}

const count = z.int().nonnegative();
const Held = z.strictObject({ system: z.string().nullable(), of: z.enum(quantities), index: count, currency: z.string(), amount: count, settled: count, under: count });
/** What is written of a run: where its gateway's log stood when it began, and what it may use. */
const Terms = z.strictObject({ v: z.literal(1), log: z.string(), size: count, lost: z.boolean(), number: count, holds: z.array(Held) });

const sweepMs = 5000;

/** Where a run began in the log of its gateway. */
interface Began {
  readonly name: RunName;
  readonly log: string;
  readonly size: number;
  /** Its log was not gone on with by the next run: what it decided may never come. */
  lost: boolean;
}

/**
 * The control plane's end of shares. INVARIANT: what a run may use is written down before it is told; what an earlier run
 * of the same gateway kept is free only when a later one, which has the lock of the directory, says how long the log was
 * when it began, and all of that is in the record.
 */
export class ShareDesk {
  readonly lessor: ShareLessor;
  readonly #deps: DeskDeps;
  readonly #runs = new Map<string, Began>();
  readonly #limits = new Map<string, { readonly version: number; readonly limitOf: LimitOf }>();
  readonly #forget: () => void;
  readonly #timer: NodeJS.Timeout;
  #budgets: Budgets | undefined;
  #writing: Promise<void> = Promise.resolve();

  private constructor(deps: DeskDeps) {
    this.#deps = deps;
    this.lessor = new ShareLessor({ own: (owner, now) => this.#own(owner, now), now: () => deps.recorder.now(), elapsed: () => performance.now() });
    this.#timer = setInterval(() => void this.#sweep().catch(deps.onFailure), sweepMs).unref();
    this.#forget = deps.recorder.onCommitted((entry) => {
      const gateway = runOf(entry);
      if (gateway !== undefined) this.lessor.recorded({ ...entry, gateway });
    });
  }

  /** Called when the record is brought to the end of its log, before anything is added to it. */
  static async open(deps: DeskDeps): Promise<ShareDesk> {
    const desk = new ShareDesk(deps);
    const { lessor } = desk;
    const now = deps.recorder.now();
    for (const { run, currency, ...row } of await spentByRuns(deps.read, monthStart(monthOf(dayOf(now))))) lessor.spent(run, { ...row, currency: currency === "" ? null : currency });
    for (const { terms, space, gateway, run } of await budgetShares(deps.read)) {
      const { log, size, lost, number, holds } = Terms.parse(parseJson(terms));
      const name = { space, gateway, run };
      desk.#runs.set(run, { name, log, size, lost });
      // It may have been heard of until a moment ago: it counts as if it were now.
      lessor.restore({ ...name, number, holds });
    }
    return desk;
  }

  /** What this process counts by itself; nothing is leased before it is known. */
  counts(budgets: Budgets): void {
    this.#budgets = budgets;
  }

  close(): void {
    clearInterval(this.#timer);
    this.#forget();
  }

  async take(row: GatewayRow, request: SharesRequest): Promise<readonly Granted[]> {
    const name = { space: row.space, gateway: row.id, run: request.run };
    if (!request.run.startsWith(`${row.id}:`)) throw invalid("the run is another gateway's");
    const limitOf = await this.#limitsOf(row.space);
    await this.#begins(name, request);
    if (this.#newest(row.id)?.name.run !== request.run) throw invalid("a later run of this gateway has begun");
    const leased = this.lessor.lease({ name, asking: request, limitOf });
    if (leased === undefined) throw invalid("a later request of this run has come before");
    if (leased.changed) await this.#write(() => this.#save(name));
    await this.#settle(row.space, row.id);
    return leased.granted;
  }

  /** More of a gateway's log is in the record. */
  async taken(row: Pick<GatewayRow, "space" | "id">): Promise<void> {
    await this.#settle(row.space, row.id);
  }

  #own({ space, system }: ShareOwner, now: number): ReturnType<Budgets["account"]> {
    if (this.#budgets === undefined) throw new LicetError("gateway_request_invalid", { message: "the control plane does not count yet" });
    return this.#budgets.account(space, system, now);
  }

  /** The first request of a run: those before it have stopped. */
  async #begins(name: RunName, { log, size }: SharesRequest): Promise<void> {
    if (this.#runs.has(name.run)) return;
    const newest = this.#newest(name.gateway);
    const isLate = newest !== undefined && (newest.log === log ? size < newest.size || (size === newest.size && name.run < newest.name.run) : this.#runsOf(name.gateway).some((run) => run.log === log));
    if (isLate) throw invalid("a later run of this gateway has begun");
    const taken = await this.#taken(name.space, name.gateway);
    if (this.#runs.has(name.run)) return;
    for (const run of this.#runsOf(name.gateway)) {
      run.lost ||= run.log !== log || (taken.get(log) ?? 0) > size;
      this.lessor.stopped(run.name);
    }
    this.#runs.set(name.run, { name, log, size, lost: false });
    await this.#write(async () => {
      for (const run of this.#runsOf(name.gateway)) await this.#save(run.name);
    });
  }

  /** Ends the runs of which everything has come over; forgets those of which nothing counts any more. */
  async #settle(space: string, gateway: string): Promise<void> {
    const newest = this.#newest(gateway);
    const earlier = this.#runsOf(gateway).filter((run) => run !== newest);
    if (newest !== undefined && earlier.some(({ lost }) => !lost)) {
      const taken = await this.#taken(space, gateway);
      for (const { name, lost, log } of earlier) if (!lost && log === newest.log && (taken.get(log) ?? 0) >= newest.size) this.lessor.ended(name);
    }
    await this.#sweep();
  }

  /** Of an earlier run of which nothing counts any more nothing has to be kept. */
  async #sweep(): Promise<void> {
    this.lessor.sweep();
    const gone = [...this.#runs.values()].filter((run) => !this.lessor.isOpen(run.name) && run !== this.#newest(run.name.gateway));
    if (gone.length === 0) return;
    for (const { name } of gone) this.#runs.delete(name.run);
    await this.#write(async () => {
      for (const { name } of gone) await removeBudgetShare(this.#deps.operational, name);
    });
  }

  #runsOf(gateway: string): readonly Began[] {
    return [...this.#runs.values()].filter(({ name }) => name.gateway === gateway);
  }

  /** The last that began: each was checked to come after those before it. */
  #newest(gateway: string): Began | undefined {
    return this.#runsOf(gateway).toSorted((a, b) => a.size - b.size || (a.name.run < b.name.run ? -1 : 1)).filter(({ lost }) => !lost).at(-1);
  }

  async #taken(space: string, gateway: string): Promise<ReadonlyMap<string, number>> {
    return new Map((await shipments(this.#deps.read, space, gateway)).map(({ log, next_index }) => [log, next_index]));
  }

  async #limitsOf(space: string): Promise<LimitOf> {
    const version = await standingVersion(this.#deps.read);
    const known = this.#limits.get(space);
    if (known?.version === version) return known.limitOf;
    const limitOf = await dividedLimits(this.#deps.read, space);
    this.#limits.set(space, { version, limitOf });
    return limitOf;
  }

  async #save(name: RunName): Promise<void> {
    const began = this.#runs.get(name.run);
    if (began === undefined) return;
    const { log, size, lost } = began;
    const terms = JSON.stringify({ v: 1, log, size, lost, ...this.lessor.state(name) });
    await saveBudgetShare(this.#deps.operational, { ...name, terms, seen_at: this.#deps.recorder.now() });
  }

  /** One after the other, each with what is known when its turn comes. */
  #write(work: () => Promise<void>): Promise<void> {
    const done = this.#writing.then(work);
    this.#writing = done.catch(this.#deps.onFailure);
    return done;
  }
}

function invalid(message: string): LicetError {
  return new LicetError("gateway_request_invalid", { message });
}
