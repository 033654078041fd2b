import type { BudgetLimits } from "@licet/contract";
import type { Clock } from "../../base/clock.ts";
import type { ModelView, ProviderView } from "../snapshot.ts";
import { createBudgets, type BudgetAsk, type Budgets, type Reservation } from "./budgets.ts";
import { ShareHolder } from "./holder.ts";
import type { Held, RunName } from "./lessor-space.ts";
import { ShareLessor } from "./lessor.ts";
import { priceBook } from "./price-tables.ts";
import type { Granted, ShareAsking } from "./share-terms.ts";
import type { Counter } from "./shares.ts";
import { spentBy, summed, type SpendingEntry } from "./spent.ts";
import { dayFrom } from "./utc-day.ts";

const space = "main";
const model: ModelView = { name: "chat", provider: "sim", model: "sim-1", bounds: {} };
const price = { from: "2026-01-01", currency: "EUR", input: 1_000_000, output: 1_000_000 };
const provider: ProviderView = { id: "sim", baseUrl: "", region: "eu", vendor: "v", keyRef: "", prices: { "sim-1": { prices: [price] } } };
const plain: BudgetAsk["credential"]["deployment"] = { id: "dep_1", space, system: "s", environment: "local", stage: "pilot", active: true, release: `sha256:${"a".repeat(64)}`, tier: "minimal", models: [], prompts: [], tools: [], boundary: { classes: [], regions: [] } };
const totalMs = 600_000;

/** Limits by system; those of the space under the empty name. */
export type Limits = Readonly<Record<string, BudgetLimits>>;

interface Open {
  readonly reservation: Reservation;
  readonly decision: SpendingEntry;
  readonly at: number;
}

/** One process: its log outlives it. */
export interface Process {
  readonly budgets: Budgets;
  readonly run: string;
  readonly start: number;
  readonly holder: ShareHolder | undefined;
  readonly open: Open[];
}

/** A gateway over all its runs. */
export interface Place {
  readonly name: string;
  readonly log: { readonly run: string; readonly entry: SpendingEntry }[];
  offset: number;
  shipped: number;
  runs: number;
  alive: Process | undefined;
}

interface Message {
  readonly place: Place;
  readonly process: Process;
  readonly asking: ShareAsking;
}

interface Reply extends Message {
  readonly granted: readonly Granted[];
}

/**
 * A control plane and gateways on a network that loses, delays and reorders, with real lessor, holders and budgets. What is
 * true is what stands in the logs: a decision spends what it reserved until its outcome says less.
 */
export class ShareWorld {
  limits: Limits;
  now: number;
  readonly control: Place;
  readonly places: readonly Place[];
  readonly requests: Message[] = [];
  replies: Reply[] = [];
  /** When calls were admitted, by whomever. */
  admitted: { readonly at: number; readonly place: Place }[] = [];
  lessor: ShareLessor;
  readonly #written = new Map<string, { readonly name: RunName; readonly number: number; readonly holds: readonly Held[] }>();
  readonly #begun = new Map<string, { readonly place: Place; readonly start: number; readonly name: RunName }>();

  constructor({ limits, gateways, now }: { readonly limits: Limits; readonly gateways: number; readonly now: number }) {
    this.limits = limits;
    this.now = now;
    const place = (name: string): Place => ({ name, log: [], offset: 0, shipped: 0, runs: 0, alive: undefined });
    this.control = place("control");
    this.places = Array.from({ length: gateways }, (_, n) => place(`g${n}`));
    this.lessor = this.#startControl();
    for (const each of this.places) this.start(each);
  }

  get all(): readonly Place[] {
    return [this.control, ...this.places];
  }

  /** What is spent and reserved, by what the logs say. */
  truth(counter: (entry: ReturnType<typeof spentBy>[number]) => number): number {
    return this.all.flatMap(({ log }) => log.flatMap(({ entry }) => spentBy(entry))).reduce((sum, spent) => sum + counter(spent), 0);
  }

  get inFlight(): number {
    return this.all.reduce((sum, { alive }) => sum + (alive?.open.length ?? 0), 0);
  }

  advance(milliseconds: number): void {
    this.now += milliseconds;
    for (const place of this.all) while ((place.alive?.open[0]?.at ?? Infinity) <= this.now - totalMs) this.end(place, 0, 1);
  }

  call(place: Place, { system, tokens }: { readonly system: string; readonly tokens: number }): "admitted" | "refused" | "pending" | "down" {
    const { alive } = place;
    if (alive === undefined) return "down";
    const answer = alive.budgets.reserve(this.ask(system, tokens, this.now + place.offset));
    if ("refusal" in answer) return answer.pending === true ? "pending" : "refused";
    const { facts } = answer.reservation;
    const decision = { kind: "gateway.decision", space, system, body: { decision: "allow", budget: { ...facts } } };
    place.log.push({ run: alive.run, entry: decision });
    alive.open.push({ reservation: answer.reservation, decision, at: this.now });
    this.admitted.push({ at: this.now, place });
    return "admitted";
  }

  end(place: Place, which: number, used: number): void {
    const { alive } = place;
    const [open] = alive?.open.splice(which, 1) ?? [];
    if (alive === undefined || open === undefined) return;
    const cost = open.reservation.settle({ prompt: Math.floor(open.reservation.facts.tokens * used), completion: 0, total: 0 }, this.now);
    place.log.push({ run: alive.run, entry: { ...open.decision, kind: "gateway.outcome", body: { cost: { ...cost } } } });
  }

  ask(system: string, tokens: number, now: number): BudgetAsk {
    const { [system]: release, "": whole } = this.limits;
    const deployment = { space, system, budgets: { ...(release && { release }), ...(whole && { space: whole }) } };
    return { credential: { space, deployment: { ...plain, ...deployment } }, model, provider, promptTokensAtMost: tokens, answerTokensMax: 0, now };
  }

  start(place: Place): void {
    if (place.alive !== undefined) return;
    const clock: Clock = { now: () => this.now + place.offset };
    const holder: ShareHolder = new ShareHolder({ clock, elapsed: () => this.now, space, account: ({ system }) => budgets.account(space, system, clock.now()), onWant: () => undefined });
    const budgets = createBudgets({ prices: priceBook([]), shares: holder, now: clock.now() });
    const run = `${place.name}:${++place.runs}`;
    place.alive = { budgets, run, start: place.log.length, holder, open: [] };
  }

  kill(place: Place): void {
    place.alive = undefined;
  }

  /** Its own calls in flight are lost with it, and so is what is not written down; it counts the calls of its own minute anew. */
  restartControl(): void {
    this.admitted = this.admitted.filter(({ place }) => place !== this.control);
    this.lessor = this.#startControl();
  }

  send(place: Place): void {
    const { alive } = place;
    const asking = alive?.holder?.request(this.#begun.get(alive.run) === undefined);
    if (alive !== undefined && asking !== undefined) this.requests.push({ place, process: alive, asking });
  }

  /** No answer came in time; the request may still arrive. */
  fail(place: Place): void {
    for (const { process, asking } of [...this.requests, ...this.replies, ...this.#lost]) if (process === place.alive) process.holder?.failed(asking.number);
  }

  readonly #lost: Message[] = [];

  lose(which: number): void {
    this.#lost.push(...this.requests.splice(which % Math.max(1, this.requests.length), 1));
  }

  deliver(which: number): void {
    const [message] = this.requests.splice(which % Math.max(1, this.requests.length), 1);
    if (message === undefined) return;
    const { place, process, asking } = message;
    const name = { space, gateway: place.name, run: process.run };
    if (!this.#begins(place, process, name)) return void this.#lost.push(message);
    const leased = this.lessor.lease({ name, asking, limitOf: (counter) => this.#limitOf(counter) });
    if (leased === undefined) return void this.#lost.push(message);
    if (leased.changed) this.#written.set(name.run, { name, ...this.lessor.state(name) });
    this.#settle(place);
    this.replies.push({ ...message, granted: leased.granted });
  }

  answer(which: number): void {
    const [reply] = this.replies.splice(which % Math.max(1, this.replies.length), 1);
    if (reply !== undefined && reply.process === reply.place.alive) reply.process.holder?.answered(reply.asking.number, reply.granted);
  }

  ship(place: Place, count: number): void {
    for (const { run, entry } of place.log.slice(place.shipped, place.shipped + count)) this.lessor.recorded({ ...entry, gateway: run });
    place.shipped = Math.min(place.log.length, place.shipped + count);
    this.#settle(place);
  }

  #startControl(): ShareLessor {
    const own = this.control;
    const lessor: ShareLessor = new ShareLessor({ own: ({ system }, now) => budgets.account(space, system, now), now: () => this.now, elapsed: () => this.now });
    const spent = summed(own.log.flatMap(({ entry }) => spentBy(entry))).filter(({ day }) => day >= dayFrom(new Date(this.now).toISOString().slice(0, 8).concat("01")));
    const budgets = createBudgets({ prices: priceBook([]), spent, shares: lessor, now: this.now });
    for (const { log, shipped } of this.places) for (const { run, entry } of log.slice(0, shipped)) lessor.recorded({ ...entry, gateway: run });
    for (const { name, ...kept } of this.#written.values()) lessor.restore({ ...name, ...kept });
    own.alive = { budgets, run: `control:${++own.runs}`, start: own.log.length, holder: undefined, open: [] };
    return lessor;
  }

  #begins(place: Place, process: Process, name: RunName): boolean {
    const before = [...this.#begun.values()].filter((each) => each.place === place && each.name.run !== name.run);
    if (before.some(({ name: { run } }) => Number(run.split(":")[1]) > Number(name.run.split(":")[1]))) return false;
    if (!this.#begun.has(name.run)) for (const each of before) this.lessor.stopped(each.name);
    this.#begun.set(name.run, { place, start: process.start, name });
    return true;
  }

  #settle(place: Place): void {
    const runs = [...this.#begun.values()].filter((each) => each.place === place);
    const newest = runs.at(-1);
    for (const { name } of runs.slice(0, -1)) {
      if (place.shipped < (newest?.start ?? Infinity)) continue;
      this.lessor.ended(name);
      this.#written.set(name.run, { name, ...this.lessor.state(name) });
    }
    this.lessor.sweep();
  }

  #limitOf({ system, of, currency }: Counter): number | undefined {
    const limits = this.limits[system ?? ""];
    if (limits === undefined) return undefined;
    const money = limits.money?.currency === currency ? limits.money : undefined;
    return { dayTokens: limits.tokensPerDay, monthTokens: limits.tokensPerMonth, dayMicros: money?.microsPerDay, monthMicros: money?.microsPerMonth, calls: limits.requestsPerMinute, flights: limits.concurrency }[of];
  }
}
