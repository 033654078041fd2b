import { LicetError } from "../../base/errors.ts";
import type { JsonObject } from "../../ledger/recorder.ts";
import type { JsonPath, StreamedEvent, StreamedToolCall, ToolCall } from "../dialect.ts";
import { upstreamInvalid } from "../dialects/wire.ts";
import type { Refusal } from "../refusal.ts";
import { textAt } from "../texts.ts";
import type { ToolJudge } from "./judged-tool.ts";

const callsMax = 1024;
const nameCharactersMax = 1024;

/** What an event waits for: the call that it is a part of may leave. */
export interface Gate {
  readonly open: boolean;
}

/** What stands in place of a part of a name: readers put parts together in different ways, so they get the name in one. */
export interface HeldName {
  readonly path: JsonPath;
  /** Asked for once the event may go; undefined where it stays as it came. */
  readonly text: () => string | undefined;
}

export interface Waiting {
  readonly gates: readonly Gate[];
  readonly names: readonly HeldName[];
}

interface Tracked {
  open: boolean;
  /** Parts of its name that came; the first carries the whole. */
  parts: number;
  name: string;
  /** What was judged under this place. */
  said: string | undefined;
}

const nothing: Waiting = { gates: [], names: [] };

/**
 * The calls of tools in one stream. INVARIANT: no event that says something of a call goes before the call's name is complete
 * and judged. A name is complete when the protocol says it whole, when an event of its call goes on without a part of it, or
 * when its message ends; one that changes after that ends the stream. Owned by the guard of the stream.
 */
export class StreamCalls {
  readonly #judge: ToolJudge;
  readonly #calls = new Map<string, Tracked>();
  readonly #judging = new Set<Promise<void>>();
  readonly #onName: (name: string) => void;
  #refusal: Refusal | undefined;

  /** `onName` is told of names that came in parts. */
  constructor(judge: ToolJudge, onName: (name: string) => void) {
    this.#judge = judge;
    this.#onName = onName;
  }

  /** Why the stream must be broken off. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** Settles when everything that is being judged now has been; undefined where nothing is. */
  get judging(): Promise<void> | undefined {
    return this.#judging.size === 0 ? undefined : Promise.all(this.#judging).then(() => undefined);
  }

  take({ toolCalls, namesEnd = [], last }: StreamedEvent, value: JsonObject | null): Waiting {
    const waiting = toolCalls === undefined || value === null ? nothing : this.#taken(toolCalls, value);
    if (last || namesEnd.length > 0) this.#namesEnd(last ? [""] : namesEnd);
    return waiting;
  }

  #taken(toolCalls: readonly StreamedToolCall[], value: JsonObject): Waiting {
    const gates: Gate[] = [];
    const names: HeldName[] = [];
    for (const said of toolCalls) {
      const piece = said.piece === undefined ? "" : (textAt(value, said.piece) ?? "");
      const tracked = this.#tracked(said, piece);
      if (!tracked.open) gates.push(tracked);
      if (said.piece !== undefined && piece !== "") names.push(this.#part(tracked, said.piece, piece));
    }
    return { gates, names };
  }

  #tracked({ at, call }: StreamedToolCall, piece: string): Tracked {
    const known = this.#calls.get(at);
    if (call !== undefined) return this.#whole(at, known, call);
    if (known === undefined) return this.#begin(at);
    if (piece === "" && known.name !== "") this.#settle(known);
    return known;
  }

  #begin(at: string): Tracked {
    if (this.#calls.size >= callsMax) throw new LicetError("upstream_too_large", { message: "the stream calls more tools at once than the limit" });
    const tracked: Tracked = { open: false, parts: 0, name: "", said: undefined };
    this.#calls.set(at, tracked);
    return tracked;
  }

  /** The same said again is the same call; another name is another call in its place, judged by itself. */
  #whole(at: string, known: Tracked | undefined, call: ToolCall): Tracked {
    const said = saidBy(call);
    if (known?.said === said) return known;
    const tracked = known === undefined || known.said !== undefined ? this.#begin(at) : known;
    this.#ask(tracked, call);
    return tracked;
  }

  #part(tracked: Tracked, path: JsonPath, piece: string): HeldName {
    const again = piece === tracked.name;
    if (tracked.said !== undefined && !again) throw upstreamInvalid("a call in the stream changes its name");
    if (!again) tracked.name += piece;
    if (tracked.name.length > nameCharactersMax) throw upstreamInvalid("a call in the stream has a name longer than the limit");
    const first = tracked.parts++ === 0;
    return { path, text: () => (first ? (tracked.parts > 1 ? tracked.name : undefined) : "") };
  }

  #namesEnd(places: readonly string[]): void {
    for (const [at, tracked] of this.#calls) if (tracked.said === undefined && places.some((place) => at.startsWith(place))) this.#settle(tracked);
  }

  #settle(tracked: Tracked): void {
    if (tracked.said !== undefined) return;
    if (tracked.parts > 1) this.#onName(tracked.name);
    this.#ask(tracked, { kind: "function", name: tracked.name });
  }

  #ask(tracked: Tracked, call: ToolCall): void {
    tracked.said = saidBy(call);
    const verdict = this.#judge.judge(call);
    if (!(verdict instanceof Promise)) return this.#judged(tracked, verdict);
    const judging = verdict.then((refusal) => {
      this.#judging.delete(judging);
      this.#judged(tracked, refusal);
    });
    this.#judging.add(judging);
  }

  #judged(tracked: Tracked, refusal: Refusal | undefined): void {
    if (refusal === undefined) tracked.open = true;
    else this.#refusal ??= refusal;
  }
}

function saidBy(call: ToolCall): string {
  return call.kind === "function" ? `function ${call.name}` : `${call.permission} ${call.name}`;
}
