import { fromUtf8, parseNote, toBase64, type Vkey } from "@licet/evidence";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import { fetchOutbound, openOutbound, type Outbound, type OutboundAnswer, type OutboundOptions } from "../base/outbound.ts";
import { type Held, heldSignatures } from "./submission.ts";

/** A witness that the policy names, and the address it answers at. */
export interface NamedWitness {
  readonly name: string;
  readonly vkey: Vkey;
}

/** Proves that the log's first `oldSize` entries are those of the tree of `newSize`. */
export type ProveConsistency = (oldSize: number, newSize: number) => Promise<readonly Uint8Array[]>;

export interface Asking {
  /** The checkpoint as the log signed it. */
  readonly note: string;
  readonly size: number;
  readonly prove: ProveConsistency;
  readonly signal: AbortSignal;
}

/** What a witness said about a checkpoint. Only `cosigned` is good news. */
export type Asked =
  | { readonly is: "cosigned"; readonly held: readonly Held[] }
  /** It cosigned a larger tree of this log. */
  | { readonly is: "ahead"; readonly size: number }
  /** What it cosigned is not the beginning of this tree. */
  | { readonly is: "different" }
  | { readonly is: "silent"; readonly why: string };

export interface PeerOptions {
  /** Submission prefix. */
  readonly url: string;
  readonly witnesses: readonly NamedWitness[];
  readonly clock: Clock;
  readonly outbound?: Pick<OutboundOptions, "resolve" | "ca">;
}

const answerBytesMax = 256 * 1024;
const exchangeMsMax = 10_000;
/** A cosignature may be dated so much after our clock; beyond it one of the two clocks is wrong. */
const aheadMillisecondsMax = 300_000;
/** After a failure a witness is left alone for a second, then for twice as long, up to this. */
const restMillisecondsMax = 30_000;
/** A first guess at what it holds, then what it said that it holds. */
const triesMax = 2;

/** One address of a witness; it may sign with several keys of the policy. */
export class Peer {
  readonly #options: PeerOptions;
  #outbound: Outbound | undefined;
  /** Size of what it last cosigned, as far as is known here. */
  #held: number | undefined;
  #failures = 0;
  #restUntil = -Infinity;
  #error: string | null = null;

  constructor(options: PeerOptions) {
    this.#options = options;
  }

  get url(): string {
    return this.#options.url;
  }

  get witnesses(): readonly NamedWitness[] {
    return this.#options.witnesses;
  }

  get error(): string | null {
    return this.#error;
  }

  resting(): boolean {
    return this.#options.clock.now() < this.#restUntil;
  }

  /** Never throws. */
  async ask(asking: Asking): Promise<Asked> {
    const asked = await this.#tried(asking);
    if (asked.is === "cosigned") {
      this.#held = asking.size;
      this.#failures = 0;
      this.#restUntil = -Infinity;
      this.#error = null;
    } else {
      this.#failures += 1;
      this.#restUntil = this.#options.clock.now() + Math.min(restMillisecondsMax, 1000 * 2 ** Math.min(this.#failures - 1, 10));
      this.#error = sentence(asked);
    }
    return asked;
  }

  async close(): Promise<void> {
    const outbound = this.#outbound;
    this.#outbound = undefined;
    await outbound?.close();
  }

  async #tried(asking: Asking): Promise<Asked> {
    try {
      let from = Math.min(this.#held ?? asking.size, asking.size);
      for (let tries = 0; tries < triesMax; tries += 1) {
        const answer = await this.#send(await submission(asking, from), asking.signal);
        if (answer.status !== 409) return await this.#judge(answer, asking);
        const size = conflictSize(answer);
        if (size === undefined) return { is: "silent", why: "it answered 409 without a tree size" };
        if (size > asking.size) return { is: "ahead", size };
        from = size;
      }
      return { is: "silent", why: "what it holds changed while it was asked" };
    } catch (error) {
      if (asking.signal.aborted) return { is: "silent", why: "it did not answer in time" };
      return { is: "silent", why: error instanceof LicetError ? error.message : "the exchange failed" };
    }
  }

  async #send(body: string, signal: AbortSignal): Promise<OutboundAnswer> {
    const outbound = await this.#open(signal);
    try {
      const request = { method: "POST", path: "/add-checkpoint", headers: { "content-type": "text/plain; charset=utf-8" }, body } as const;
      return await orAborted(fetchOutbound(outbound, request), signal);
    } catch (error) {
      // The address is resolved anew the next time: a witness may have moved. Also ends an exchange out of time.
      await this.close();
      throw error;
    }
  }

  async #open(signal: AbortSignal): Promise<Outbound> {
    if (this.#outbound !== undefined) return this.#outbound;
    const { url, outbound } = this.#options;
    const limits = { answerBytesMax, connectMs: exchangeMsMax, headersMs: exchangeMsMax, idleMs: exchangeMsMax, totalMs: exchangeMsMax };
    // The operator named this address in the policy: it may be one of his own network.
    const opening = openOutbound({ baseUrl: url, allow: ["loopback", "private"], limits, ...outbound });
    this.#outbound = await orAborted(opening, signal);
    return this.#outbound;
  }

  async #judge(answer: OutboundAnswer, { note }: Asking): Promise<Asked> {
    if (answer.status === 422) return { is: "different" };
    if (answer.status !== 200) return { is: "silent", why: refusalText(answer.status) };
    const [lines, text] = [fromUtf8(answer.body), parseNote(note)];
    if (!lines.ok || !text.ok) return { is: "silent", why: "its answer is not text" };
    const held = await heldSignatures(`${text.value.text}\n${lines.value}`, this.witnesses.map(({ vkey }) => vkey));
    if (!held.ok) return { is: "silent", why: `its answer is no cosignature: ${held.message}` };
    const latest = (this.#options.clock.now() + aheadMillisecondsMax) / 1000;
    const timely = held.value.filter(({ time = 0 }) => time > 0 && time <= latest);
    if (timely.length === held.value.length && held.value.length > 0) return { is: "cosigned", held: held.value };
    return { is: "silent", why: held.value.length === 0 ? "it signed with no key that the policy names" : "its cosignature has no time, or one in the future" };
  }
}

function refusalText(status: number): string {
  if (status === 404) return "it does not know this log: add the log's verifier key there with `licet witness add-log`";
  if (status === 403) return "it does not know the key that signs this log: add the log's verifier key there";
  return `it answered with status ${status}`;
}

/** For a person: what is wrong, as a status shows it. */
function sentence(asked: Exclude<Asked, { is: "cosigned" }>): string {
  if (asked.is === "ahead") return `it holds a checkpoint over ${asked.size} entries, more than were signed here`;
  return asked.is === "different" ? "it holds a checkpoint of another history of this log" : asked.why;
}

async function submission({ note, size, prove }: Asking, from: number): Promise<string> {
  const proof = from === 0 || from === size ? [] : await prove(from, size);
  return `old ${from}\n${proof.map((hash) => `${toBase64(hash)}\n`).join("")}\n${note}`;
}

function conflictSize({ headers, body }: OutboundAnswer): number | undefined {
  const text = Buffer.from(body.subarray(0, 32)).toString("latin1");
  const size = Number(text);
  const typed = String(headers["content-type"] ?? "").startsWith("text/x.tlog.size");
  return typed && /^(?:0|[1-9]\d{0,15})\n$/u.test(text) && Number.isSafeInteger(size) ? size : undefined;
}

async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  let stop: () => void = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason instanceof Error ? signal.reason : new Error("out of time"));
    signal.addEventListener("abort", stop, { once: true });
  });
  try {
    return await Promise.race([work, aborted]);
  } finally {
    signal.removeEventListener("abort", stop);
    // What comes too late is nobody's failure.
    work.catch(() => {});
  }
}
