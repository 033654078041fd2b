import type { KeyObject } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { Caller } from "../gateway/answer.ts";
import { leaseMs } from "../gateway/snapshot.ts";
import { standingToWire, type StandingWire } from "../gateway/snapshot-wire.ts";
import { standingRows, standingVersion } from "../gateway/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { seal } from "../ledger/secret.ts";
import { signedText, type SignEnvelope } from "./signed.ts";
import { activeGateways, providerKeyStamp, type Reader } from "./store.ts";
import { beatMs, keyAad, type FeedMessage } from "./wire.ts";

export interface HubOptions {
  readonly clock: Clock;
  readonly read: Reader;
  readonly recorder: Pick<Recorder, "onCommitted">;
  readonly sign: SignEnvelope;
  readonly providerKey: (space: string, provider: string) => Promise<string>;
  /** Origin of the newest shard of the control plane's log. */
  readonly log: string;
  /** Where people open what a refusal names. */
  readonly consoleUrl?: string | undefined;
  readonly onFailure: (error: unknown) => void;
}

export interface Subscription {
  readonly gateway: string;
  readonly space: string;
  /** The request's nonce. */
  readonly stream: string;
  readonly key: KeyObject;
  readonly sealKey: string;
  readonly have: ReadonlySet<string>;
  readonly taken: Readonly<Record<string, number>>;
  /** Statements by which a statement key followed another; they prove themselves. */
  readonly rotations: readonly unknown[];
  readonly caller: Caller;
}

/** State of one connection; owned by the hub alone. */
interface Stream extends Subscription {
  readonly sent: Set<string>;
  seq: number;
  version: number | undefined;
  stamp: string;
  blocked: boolean;
}

/** One reading of the record: provider keys as they were before the rows and after them. */
interface Reading {
  readonly version: number;
  readonly readAt: number;
  readonly stamp: string;
  readonly spaces: ReadonlyMap<string, SpaceReading>;
}

interface SpaceReading extends StandingWire {
  readonly keys: readonly { readonly provider: string; readonly key: string }[];
}

const readingsMax = 5;
const streamHeaders = { "content-type": "text/event-stream; charset=utf-8" };

/**
 * The control plane's end of all feeds. One reading of the database serves every connection.
 * INVARIANT: a heartbeat says when the database was last asked, not when it was sent; without an answer there is none.
 */
export class FeedHub {
  readonly #options: HubOptions;
  readonly #streams = new Set<Stream>();
  readonly #forget: () => void;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #again = false;
  #reading: Reading | undefined;

  constructor(options: HubOptions) {
    this.#options = options;
    this.#forget = options.recorder.onCommitted((entry) => {
      if (entry.class === "governance" && this.#streams.size > 0) this.#refresh();
    });
  }

  /** Answers with a stream that ends only when either side leaves. */
  open(subscription: Subscription): void {
    const { caller, sealKey, space, taken, have } = subscription;
    const stream: Stream = { ...subscription, sent: new Set(have), seq: 0, version: undefined, stamp: "", blocked: false };
    caller.startStream(streamHeaders);
    caller.onDrain(() => {
      stream.blocked = false;
    });
    caller.onGone(() => this.#streams.delete(stream));
    if (subscription.rotations.length > 0) caller.write(`event: keys\ndata: ${JSON.stringify(subscription.rotations)}\n\n`);
    const { consoleUrl } = this.#options;
    this.#write(stream, { type: "hello", now: this.#options.clock.now(), leaseMs, space, sealKey, taken: { ...taken }, ...(consoleUrl !== undefined && { consoleUrl }) });
    this.#streams.add(stream);
    this.#timer ??= setInterval(() => void this.#beat().catch(this.#options.onFailure), beatMs);
    this.#reading = undefined;
    this.#refresh();
  }

  connected(gateway: string): boolean {
    return [...this.#streams].some((stream) => stream.gateway === gateway);
  }

  async close(): Promise<void> {
    this.#forget();
    clearInterval(this.#timer);
    for (const { caller } of this.#streams) if (!caller.gone) caller.breakOff(": the control plane is stopping\n\n");
    this.#streams.clear();
    await this.#running?.catch(this.#options.onFailure);
  }

  #refresh(): void {
    this.#again = true;
    this.#running ??= this.#build()
      .catch(this.#options.onFailure)
      .finally(() => {
        this.#running = undefined;
      });
  }

  async #build(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      const active = await activeGateways(this.#options.read);
      for (const stream of this.#streams) if (!active.has(stream.gateway)) this.#drop(stream);
      this.#reading = await this.#read();
      for (const stream of this.#streams) this.#publish(stream, this.#reading);
    }
  }

  /** INVARIANT: a provider's key goes with the address that it was given for, so a key that changed while rows were read is read again. */
  async #read(): Promise<Reading> {
    const { clock, read, providerKey } = this.#options;
    for (let attempt = 0; attempt < readingsMax; attempt++) {
      const readAt = clock.now();
      const stamp = await providerKeyStamp(read);
      const rows = await standingRows(read);
      const spaces = new Map<string, SpaceReading>();
      for (const space of new Set([...this.#streams].map((stream) => stream.space))) {
        const keys: { readonly provider: string; readonly key: string }[] = [];
        for (const { id } of rows.providers.filter((row) => row.space === space)) keys.push({ provider: id, key: await providerKey(space, id) });
        spaces.set(space, { ...standingToWire(rows, space), keys });
      }
      if ((await providerKeyStamp(read)) === stamp) return { version: rows.version, readAt, stamp, spaces };
    }
    throw new Error("provider keys change faster than they can be read");
  }

  async #beat(): Promise<void> {
    if (this.#streams.size === 0 || this.#running !== undefined) return;
    const { clock, read } = this.#options;
    const readAt = clock.now();
    const [version, stamp] = await Promise.all([standingVersion(read), providerKeyStamp(read)]);
    const held = this.#reading;
    if (held === undefined || held.version !== version || held.stamp !== stamp) return this.#refresh();
    for (const stream of this.#streams) {
      if (stream.version !== version || stream.stamp !== stamp) this.#publish(stream, { ...held, readAt });
      else this.#write(stream, { type: "beat", version, readAt });
    }
  }

  #publish(stream: Stream, { version, readAt, stamp, spaces }: Reading): void {
    const own = spaces.get(stream.space);
    // A connection that came in between is read for by the next turn; one that does not read gets the newest later.
    if (own === undefined || stream.blocked) return;
    for (const [ref, text] of own.blobs) {
      if (stream.sent.has(ref)) continue;
      stream.sent.add(ref);
      stream.blocked = !stream.caller.write(`event: blob\ndata: ${JSON.stringify({ ref, text })}\n\n`);
    }
    for (const ref of stream.sent) if (!own.blobs.has(ref)) stream.sent.delete(ref);
    const keys = own.keys.map(({ provider, key }) => ({ provider, sealed: seal(stream.key, Buffer.from(key), keyAad(stream.stream, stream.space, provider)).toString("base64") }));
    stream.version = version;
    stream.stamp = stamp;
    this.#write(stream, { type: "standing", version, readAt, log: this.#options.log, standing: own.standing, keys }, true);
  }

  #write(stream: Stream, message: Unplaced<FeedMessage>, always = false): void {
    // What a slow reader misses of heartbeats it does not need: each replaces the one before.
    if (stream.blocked && !always) return;
    const placed = { v: 1, stream: stream.stream, seq: stream.seq++, ...message };
    if (!stream.caller.write(`data: ${signedText(this.#options.sign, "feed", placed)}\n\n`)) stream.blocked = true;
  }

  #drop(stream: Stream): void {
    this.#streams.delete(stream);
    if (!stream.caller.gone) stream.caller.breakOff(": removed\n\n");
  }
}

type Unplaced<M> = M extends unknown ? Omit<M, "v" | "stream" | "seq"> : never;
