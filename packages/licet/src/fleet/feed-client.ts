import { randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { LicetError } from "../base/errors.ts";
import type { OutboundCall } from "../base/outbound.ts";
import { snapshotHolder, type Snapshot, type SnapshotHolder, type SnapshotInput, type SnapshotSource } from "../gateway/snapshot.ts";
import { blobRef, standingFromWire } from "../gateway/snapshot-wire.ts";
import { sseParser, type SseEvent } from "../gateway/sse.ts";
import type { StandingRows } from "../gateway/store.ts";
import { unseal } from "../ledger/secret.ts";
import type { ControlLine } from "./control-line.ts";
import { refusedBy } from "./control-line.ts";
import { sealPair, type SealPair } from "./key-seal.ts";
import type { Membership, VersionFloor } from "./membership.ts";
import { feedRefused, openSigned, parsedJson } from "./signed.ts";
import type { TrustedKeys } from "./trusted-keys.ts";
import { Blob, clocksApartMsMax, FeedMessage, feedMessageCharactersMax, keyAad } from "./wire.ts";

export interface FeedClientOptions {
  readonly membership: Membership;
  readonly keys: Pick<TrustedKeys, "signing" | "follow">;
  readonly line: ControlLine;
  readonly clock: Clock;
  readonly floor: VersionFloor;
  /** Builds what decides from rows, and proves signatures and golden decisions on the way. */
  readonly build: (rows: StandingRows) => Promise<SnapshotInput>;
  /** What the control plane has of this gateway's log, told at each connection. */
  readonly onTaken: (taken: Readonly<Record<string, number>>) => void;
  readonly onFailure: (error: unknown) => void;
}

type Hello = Extract<FeedMessage, { readonly type: "hello" }>;
type StandingMessage = Extract<FeedMessage, { readonly type: "standing" }>;

/** State of one connection; owned by the client alone. */
interface Connection {
  readonly nonce: string;
  readonly pair: SealPair;
  /** When the subscription was sent, by this machine's clock: nothing that came on it was read before. */
  readonly sentAt: number;
  seq: number;
  hello: Hello | undefined;
}

const retryMsMin = 100;
const retryMsMax = 2000;
/** Messages that wait for the one before; more than a build can hold up is a fault of the other side. */
const waitingMax = 10_000;
/** A lease may not begin later than now: what exceeds this is a clock that jumped, and the connection is made anew. */
const aheadMsMax = 100;

/**
 * The gateway's end of the feed. INVARIANT: what decides was signed by the control plane for this very connection, in
 * order, and is no older than what decided before; its lease begins when the database was read, told in this machine's
 * time. Everything else ends the connection, and the lease then ends by itself.
 */
export class FeedClient implements SnapshotSource {
  readonly #options: FeedClientOptions;
  readonly #blobs = new Map<string, string>();
  #holder: SnapshotHolder;
  #log = "";
  #keys: ReadonlyMap<string, string> = new Map();
  #call: OutboundCall | undefined;
  #timer: NodeJS.Timeout | undefined;
  #failures = 0;
  #stopped = false;
  #told = "";
  #consoleUrl: string | undefined;

  constructor(options: FeedClientOptions) {
    this.#options = options;
    this.#holder = snapshotHolder(options.clock);
  }

  current(): Snapshot | undefined {
    return this.#holder.current();
  }

  /** Where people open what a refusal names; the control plane says it. */
  get consoleUrl(): string | undefined {
    return this.#consoleUrl;
  }

  /** In memory only; empty where the provider takes none. */
  providerKey(space: string, provider: string): Promise<string> {
    return Promise.resolve(this.#keys.get(`${space}/${provider}`) ?? "");
  }

  start(): void {
    void this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    clearTimeout(this.#timer);
    this.#call?.abort();
    this.#keys = new Map();
  }

  async #connect(): Promise<void> {
    const { line, clock } = this.#options;
    const pair = sealPair();
    const { request, nonce } = line.request("feed", { sealKey: pair.publicKey, have: [...this.#blobs.keys()] });
    const connection: Connection = { nonce, pair, sentAt: clock.now(), seq: 0, hello: undefined };
    try {
      const outbound = await line.line("feed");
      await new Promise<void>((_resolve, reject) => {
        const parser = sseParser(feedMessageCharactersMax);
        const answer: { status: number; refusal: Buffer[] } = { status: 0, refusal: [] };
        let waiting = 0;
        let last: Promise<void> = Promise.resolve();
        const take = (event: SseEvent): void => {
          if (++waiting > waitingMax) throw feedRefused("more comes than can be read");
          last = last.then(() => this.#take(connection, event)).then(() => void waiting--);
          last.catch((error: unknown) => {
            reject(error instanceof Error ? error : feedRefused("a message could not be read"));
            call.abort();
          });
        };
        const call = outbound.send(request, {
          onHead: (status) => void (answer.status = status),
          onData: (chunk) => {
            if (answer.status === 200) for (const event of parser.push(chunk)) take(event);
            else answer.refusal.push(Buffer.from(chunk));
            return true;
          },
          onEnd: () => reject(answer.status === 200 ? new LicetError("unreachable", { message: "the control plane ended the feed" }) : refusedBy(answer.status, parsedJson(Buffer.concat(answer.refusal).toString("utf8")))),
          onError: (failure, cause) => reject(new LicetError("unreachable", { message: `the feed of \`${outbound.origin}\` ended: ${failure}`, cause })),
        });
        this.#call = call;
        if (this.#stopped) call.abort();
      });
    } catch (error) {
      await this.#retry(error);
    }
  }

  async #retry(error: unknown): Promise<void> {
    if (this.#stopped) return;
    this.#tell(error);
    await this.#options.line.forget("feed");
    const wait = Math.min(retryMsMax, retryMsMin * 2 ** this.#failures++);
    // Many gateways of one control plane that comes back do not all ask at once.
    const spread = wait * (0.75 + (randomBytes(1)[0] ?? 0) / 512);
    this.#timer = setTimeout(() => void this.#connect(), spread);
  }

  /** The same cause again and again is told once. */
  #tell(error: unknown): void {
    const text = error instanceof Error ? error.message : "unknown";
    if (text !== this.#told) this.#options.onFailure(error);
    this.#told = text;
  }

  async #take(connection: Connection, { event, data }: SseEvent): Promise<void> {
    const value = parsedJson(data);
    if (event === "blob") return this.#keep(Blob.safeParse(value));
    if (event === "keys") return this.#options.keys.follow(Array.isArray(value) ? value : []);
    const signed = openSigned(value, "feed", this.#options.keys.signing);
    const message = FeedMessage.safeParse(signed?.payload);
    if (!message.success) throw feedRefused("a message is not signed by the control plane, or of another version of Licet");
    if (message.data.stream !== connection.nonce) throw feedRefused("a message was made for another connection");
    if (message.data.seq !== connection.seq++) throw feedRefused("a message of the feed is missing, or came twice");
    switch (message.data.type) {
      case "hello":
        return this.#greeted(connection, message.data);
      case "standing":
        return this.#stand(connection, message.data);
      case "beat":
        // Of a version that is not held there is nothing to renew: the standing is under way.
        this.#holder.renew(message.data.version, this.#base(connection, message.data.readAt));
        return undefined;
    }
  }

  #keep(blob: ReturnType<typeof Blob.safeParse>): void {
    if (!blob.success || blobRef(blob.data.text) !== blob.data.ref) throw feedRefused("a text is not the one of its digest");
    this.#blobs.set(blob.data.ref, blob.data.text);
  }

  #greeted(connection: Connection, hello: Hello): void {
    const apart = Math.abs(this.#options.clock.now() - hello.now);
    if (apart > clocksApartMsMax) throw new LicetError("gateway_clock_apart", { message: `the clocks of gateway and control plane are ${apart} ms apart` });
    if (connection.hello !== undefined || hello.space !== this.#options.membership.space) throw feedRefused("the feed is another space's");
    connection.hello = hello;
    this.#consoleUrl = hello.consoleUrl;
    this.#options.onTaken(hello.taken);
  }

  /**
   * A time of the control plane in this machine's: the greeting was made after the subscription was sent, so what was
   * read so much later than the greeting was read at least so much later than the subscription. Clocks need not agree, and
   * a message that was held back on its way has less of its lease left, or none.
   */
  #base({ hello, sentAt }: Connection, readAt: number): number {
    if (hello === undefined) throw feedRefused("the feed began without its greeting");
    const now = this.#options.clock.now();
    const base = sentAt + (readAt - hello.now);
    if (base > now + aheadMsMax) throw new LicetError("gateway_clock_apart", { message: "a clock jumped: the feed says a time that has not come" });
    return Math.min(base, now);
  }

  async #stand(connection: Connection, { version, readAt, log, standing, keys }: StandingMessage): Promise<void> {
    const { floor, membership, build } = this.#options;
    const base = this.#base(connection, readAt);
    if (floor.isBelow(log, version)) throw feedRefused(`the standing ${version} is older than one that was in force before`);
    const named = new Set<string>();
    const blob = (ref: string): string | undefined => {
      named.add(ref);
      return this.#blobs.get(ref);
    };
    const rows = standingFromWire(standing, { space: membership.space, blob });
    if (rows.version !== version) throw feedRefused("the standing is of another version than it says");
    const input = await build(rows);
    const provided = this.#opened(connection, keys);
    if (this.#log !== log) {
      this.#holder = snapshotHolder(this.#options.clock);
      this.#log = log;
    }
    this.#keys = provided;
    this.#holder.publish(input, base);
    floor.raise(log, version);
    // As the other side does: both then know which texts need not be sent.
    for (const ref of this.#blobs.keys()) if (!named.has(ref)) this.#blobs.delete(ref);
    this.#failures = 0;
    this.#told = "";
  }

  #opened({ hello, pair, nonce }: Connection, keys: StandingMessage["keys"]): ReadonlyMap<string, string> {
    const { space } = this.#options.membership;
    if (keys.length === 0) return new Map();
    const shared = pair.shared(hello?.sealKey ?? "", nonce);
    return new Map(keys.map(({ provider, sealed }) => [`${space}/${provider}`, unseal(shared, Buffer.from(sealed, "base64"), keyAad(nonce, space, provider)).toString("utf8")]));
  }
}
