import { setTimeout as pause } from "node:timers/promises";
import { parseJson } from "@licet/evidence";
import type { Clock } from "../../base/clock.ts";
import { LicetError } from "../../base/errors.ts";
import { fetchOutbound, openOutbound, type Outbound } from "../../base/outbound.ts";
import { licetVersion } from "../../base/version.ts";
import { genai } from "./genai-conventions.ts";
import type { CallObserver } from "./observer.ts";
import { metricsJson } from "./otlp-metrics.ts";
import { attributesJson, spanJson, type Observed } from "./otlp-span.ts";
import type { Tally } from "./tally.ts";

export interface OtlpOptions {
  /** The collector's base URL, as `https://collector.example:4318`; `/v1/traces` and `/v1/metrics` are appended. */
  readonly endpoint: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** This process, among those that report. */
  readonly instance: string;
  readonly tally: Tally;
  readonly clock: Clock;
  /** Told once of each kind of failure until an export has gone well again. */
  readonly onFailure?: (error: unknown) => void;
  readonly limits?: Partial<OtlpLimits>;
}

export interface OtlpLimits {
  /** Spans that wait; further ones are dropped and counted. */
  readonly queueSpansMax: number;
  readonly batchSpansMax: number;
  readonly flushMs: number;
  readonly metricsMs: number;
  readonly exportMs: number;
  readonly attemptsMax: number;
  /** Before the second attempt; doubled for each further one. */
  readonly retryMs: number;
}

export const otlpLimits: OtlpLimits = { queueSpansMax: 8192, batchSpansMax: 512, flushMs: 1000, metricsMs: 10_000, exportMs: 10_000, attemptsMax: 3, retryMs: 1000 };

export interface OtlpExporter {
  readonly observer: CallObserver;
  readonly exported: number;
  readonly dropped: number;
  /** Sends what waits, once; then closes. */
  close(): Promise<void>;
}

/** Throws `otlp_endpoint_invalid`; an address that cannot be reached is tried again with each export. */
export function otlpExporter(options: OtlpOptions): OtlpExporter {
  return new Exporter(options);
}

/** INVARIANT: calls never wait for telemetry. What the collector does not take in time is dropped and counted. */
class Exporter implements OtlpExporter {
  readonly #options: OtlpOptions;
  readonly #limits: OtlpLimits;
  readonly #resource: string;
  readonly #timers: readonly NodeJS.Timeout[];
  #waiting: Observed[] = [];
  #outbound: Promise<Outbound> | undefined;
  #turn: Promise<void> = Promise.resolve();
  #sending = false;
  #closing = false;
  #told = false;
  exported = 0;
  dropped = 0;

  constructor(options: OtlpOptions) {
    requireUrl(options.endpoint);
    this.#options = options;
    this.#limits = { ...otlpLimits, ...options.limits };
    const own = attributesJson((to) => to.text(genai.serviceName, "licet").text(genai.serviceVersion, licetVersion).text(genai.serviceInstance, options.instance));
    this.#resource = `"resource":{"attributes":${own}}`;
    this.#timers = [
      setInterval(() => this.#flush(), this.#limits.flushMs).unref(),
      setInterval(() => void this.#inTurn(() => this.#sendMetrics()), this.#limits.metricsMs).unref(),
    ];
  }

  readonly observer: CallObserver = {
    decided: (call) => {
      if (call.decision === "deny" && call.trace?.sampled !== false) this.#take({ call, outcome: undefined });
    },
    ended: (outcome) => {
      if (outcome.call.trace?.sampled !== false) this.#take({ call: outcome.call, outcome });
    },
  };

  #take(observed: Observed): void {
    if (this.#waiting.length >= this.#limits.queueSpansMax) {
      this.dropped++;
      return;
    }
    this.#waiting.push(observed);
    if (this.#waiting.length >= this.#limits.batchSpansMax) this.#flush();
  }

  #flush(): void {
    if (this.#sending || this.#waiting.length === 0) return;
    this.#sending = true;
    void this.#inTurn(() => this.#sendSpans()).finally(() => {
      this.#sending = false;
    });
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turn = this.#turn.then(work).catch((error: unknown) => this.#tell(error));
    return this.#turn;
  }

  async #sendSpans(): Promise<void> {
    while (this.#waiting.length > 0) {
      const batch = this.#waiting.slice(0, this.#limits.batchSpansMax);
      this.#waiting = this.#waiting.slice(batch.length);
      const body = `{"resourceSpans":[{${this.#resource},"scopeSpans":[{${scope},"spans":[${batch.map(spanJson).join(",")}]}]}]}`;
      const rejected = await this.#send("/v1/traces", body).catch((error: unknown) => {
        this.#tell(error);
        return batch.length;
      });
      this.dropped += Math.min(rejected, batch.length);
      this.exported += Math.max(0, batch.length - rejected);
    }
  }

  async #sendMetrics(): Promise<void> {
    const metrics = metricsJson(this.#options.tally, this.#options.clock.now());
    await this.#send("/v1/metrics", `{"resourceMetrics":[{${this.#resource},"scopeMetrics":[{${scope},"metrics":${metrics}}]}]}`);
  }

  /** Answers how many of the batch the collector rejected; rejects when it took none. */
  async #send(path: string, body: string): Promise<number> {
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#post(path, body).catch((error: unknown) => ({ error }));
      if (!("error" in answer) && answer.status === 200) {
        this.#told = false;
        return rejectedIn(answer.body);
      }
      const again = "error" in answer || retryable.has(answer.status);
      if (!again || this.#closing || attempt >= this.#limits.attemptsMax) {
        throw "error" in answer ? answer.error : new LicetError("otlp_refused", { message: `the collector at \`${this.#options.endpoint}\` answered ${path} with status ${answer.status}` });
      }
      await pause(this.#limits.retryMs * 2 ** (attempt - 1), undefined, { ref: false });
    }
  }

  async #post(path: string, body: string): ReturnType<typeof fetchOutbound> {
    const { endpoint, headers } = this.#options;
    const { exportMs } = this.#limits;
    // The operator named the collector: it usually stands on this machine or beside it.
    this.#outbound ??= openOutbound({ baseUrl: endpoint, allow: ["loopback", "private"], limits: { connectMs: exportMs, headersMs: exportMs, idleMs: exportMs, totalMs: exportMs, answerBytesMax } });
    try {
      return await fetchOutbound(await this.#outbound, { method: "POST", path, headers: { ...headers, "content-type": "application/json", "user-agent": `licet/${licetVersion}` }, body });
    } catch (error) {
      this.#forget();
      throw error;
    }
  }

  /** The next attempt resolves the name anew. */
  #forget(): void {
    void this.#outbound?.then(
      (outbound) => outbound.close(),
      () => undefined,
    );
    this.#outbound = undefined;
  }

  #tell(error: unknown): void {
    if (!this.#told) this.#options.onFailure?.(error);
    this.#told = true;
  }

  async close(): Promise<void> {
    this.#closing = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#inTurn(() => this.#sendSpans());
    await this.#inTurn(() => this.#sendMetrics());
    await this.#outbound?.then(
      (outbound) => outbound.close(),
      () => undefined,
    );
  }
}

const scope = `"scope":{"name":"licet.gateway","version":"${licetVersion}"}`;
/** As the OTLP specification lists them. */
const retryable = new Set([429, 502, 503, 504]);
const answerBytesMax = 65_536;

function requireUrl(endpoint: string): void {
  const protocol = URL.parse(endpoint)?.protocol;
  if (protocol !== "https:" && protocol !== "http:") throw new LicetError("otlp_endpoint_invalid", { message: `\`${endpoint}\` is not an http or https URL` });
}

function rejectedIn(body: Uint8Array): number {
  try {
    const read: unknown = parseJson(Buffer.from(body).toString("utf8") || "{}");
    const partial = typeof read === "object" && read !== null && "partialSuccess" in read ? read.partialSuccess : undefined;
    return typeof partial === "object" && partial !== null && "rejectedSpans" in partial ? Number(partial.rejectedSpans) || 0 : 0;
  } catch {
    return 0;
  }
}

const headersMax = 16;

/** `name=value,name=value` with percent-encoded values, as OTEL_EXPORTER_OTLP_HEADERS has it. */
export function otlpHeaders(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(",").map((pair) => pair.trim()).filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.slice(0, headersMax).map((pair) => {
      const at = pair.indexOf("=");
      const name = pair.slice(0, at).trim().toLowerCase();
      if (at < 1 || !/^[a-z0-9!#$%&'*+.^_`|~-]+$/u.test(name)) throw new LicetError("otlp_headers_invalid", { message: "LICET_OTLP_HEADERS is not a list of `name=value`, separated by commas" });
      return [name, decoded(pair.slice(at + 1).trim())];
    }),
  );
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch (cause) {
    throw new LicetError("otlp_headers_invalid", { message: "a value in LICET_OTLP_HEADERS is not percent-encoded", cause });
  }
}
