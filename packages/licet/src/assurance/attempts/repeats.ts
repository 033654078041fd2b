import type { RepeatView, Tier } from "@licet/contract";
import { LicetError } from "../../base/errors.ts";
import { repeatDrawn, repeatView, voidOverdue, type RepeatDeps } from "./repeat.ts";
import { unrepeatedRuns } from "./store.ts";

export interface RepeatsDeps extends RepeatDeps {
  /** The time that tickets are given for it now; those of before may have had more. */
  readonly repeatMs: number;
  /** Told of a repetition that ended without an answer; it stays owed. */
  readonly onFailure: (error: unknown) => void;
}

/** Of the runner, and not of the record. */
const failures: readonly string[] = ["runner_failed", "runner_busy", "file_not_held"];

const everyMs = 5 * 60 * 1000;
/** Looked at so much longer than a repetition has, so that a server that stood still finds what became overdue. */
const lookBackMs = 30 * 24 * 60 * 60 * 1000;

/**
 * Repetitions that are owed: each made once however often it is asked for, taken up again after a restart, and void when its time
 * is over. Until then, and after, nothing of its run counts. Owns what runs.
 */
export class Repeats {
  readonly #deps: RepeatsDeps;
  readonly #running = new Map<string, Promise<RepeatView | null>>();
  /** Of the last try, since this process began. */
  readonly #failed = new Map<string, NonNullable<RepeatView["failed"]>>();
  #pass: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(deps: RepeatsDeps) {
    this.#deps = deps;
  }

  /** Looks at what is owed now and from then on. Returns at once. */
  start(): void {
    const begin = (): void => void this.#look();
    begin();
    this.#timer = setInterval(begin, everyMs).unref();
  }

  /** `asked`: by a person, who may ask for a repetition below high tier too. */
  async view(space: string, ticket: string, asked = false): Promise<RepeatView | null> {
    return this.#told(space, ticket, await repeatView(this.#for(asked), space, ticket));
  }

  /** Has it made, where the files are held. */
  again(space: string, ticket: string, asked = false): Promise<RepeatView | null> {
    const key = keyOf(space, ticket);
    const begun = this.#running.get(key) ?? this.#made(space, ticket, this.#for(asked)).finally(() => this.#running.delete(key));
    this.#running.set(key, begun);
    return begun;
  }

  /** The same, for whoever asked and wants to know: where the runner came to no end, it is owed still, and the view says why. */
  async asked(space: string, ticket: string, byPerson: boolean): Promise<RepeatView | null> {
    try {
      return await this.again(space, ticket, byPerson);
    } catch (error) {
      if (!(error instanceof LicetError && failures.includes(error.code))) throw error;
      this.#deps.onFailure(error);
      return this.view(space, ticket, byPerson);
    }
  }

  /** The same, for whoever does not wait for it. */
  begin(space: string, ticket: string): void {
    void this.again(space, ticket).catch(this.#deps.onFailure);
  }

  /** Looks once at everything that is owed: makes what can be made, and voids what is overdue. */
  async look(): Promise<void> {
    const { read, recorder, repeatMs } = this.#deps;
    for (const { space, id } of await unrepeatedRuns(read, recorder.now() - repeatMs - lookBackMs)) {
      if (this.#stopped) return;
      const view = await this.view(space, id);
      if (view?.state !== "owed") continue;
      if (view.lacking.length === 0) await this.again(space, id).catch(this.#deps.onFailure);
      if (!this.#stopped) await voidOverdue(this.#deps, space, id);
    }
  }

  /** The runner is closed before, so that what runs ends. */
  async close(): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#timer);
    await this.#pass;
    await Promise.allSettled(this.#running.values());
  }

  #for(asked: boolean): RepeatsDeps {
    return asked ? { ...this.#deps, tierOf: async (): Promise<Tier> => "high" } : this.#deps;
  }

  #look(): Promise<void> {
    this.#pass = this.#pass.then(() => this.look()).catch(this.#deps.onFailure);
    return this.#pass;
  }

  async #made(space: string, ticket: string, deps: RepeatsDeps): Promise<RepeatView | null> {
    if (this.#stopped) throw new LicetError("runner_failed", { message: "the server is stopping" });
    const key = keyOf(space, ticket);
    try {
      const view = await repeatDrawn(deps, space, ticket);
      this.#failed.delete(key);
      return view;
    } catch (error) {
      this.#failed.set(key, { code: error instanceof LicetError ? error.code : "internal", at: deps.recorder.now() });
      throw error;
    }
  }

  #told(space: string, ticket: string, view: RepeatView | null): RepeatView | null {
    return view?.state === "owed" ? { ...view, failed: this.#failed.get(keyOf(space, ticket)) ?? null } : view;
  }
}

function keyOf(space: string, ticket: string): string {
  return `${space}/${ticket}`;
}
