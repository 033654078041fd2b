import type { Clock } from "../../base/clock.ts";
import { noObserver, observers, type CallObserver } from "./observer.ts";
import { otlpExporter, otlpHeaders, type OtlpExporter, type OtlpLimits } from "./otlp.ts";
import { exposition, type Exposition, type GatewayState } from "./prometheus.ts";
import { tally } from "./tally.ts";

export interface TelemetryOptions {
  readonly clock: Clock;
  /** This run of the gateway. */
  readonly instance: string;
  /** Base URL of an OpenTelemetry collector; nothing is sent without one. */
  readonly otlpEndpoint?: string | undefined;
  /** `name=value,name=value`. */
  readonly otlpHeaders?: string | undefined;
  readonly otlpLimits?: Partial<OtlpLimits> | undefined;
  /** Whether anybody will scrape. */
  readonly scraped: boolean;
  readonly onFailure: (error: unknown) => void;
}

export interface Telemetry {
  /** For the pipeline; does nothing where nobody asked for telemetry. */
  readonly observer: CallObserver;
  exposition(state: Omit<GatewayState, "telemetryDropped">): Exposition;
  close(): Promise<void>;
}

/** Everything that leaves a gateway about its calls beside the evidence. Throws `otlp_endpoint_invalid`, `otlp_headers_invalid`. */
export function openTelemetry(options: TelemetryOptions): Telemetry {
  const { clock, onFailure, otlpEndpoint } = options;
  const counting = tally(clock.now());
  const exporter: OtlpExporter | undefined =
    otlpEndpoint === undefined
      ? undefined
      : otlpExporter({ endpoint: otlpEndpoint, headers: otlpHeaders(options.otlpHeaders ?? ""), instance: options.instance, tally: counting, clock, onFailure, limits: options.otlpLimits ?? {} });
  const parts = exporter === undefined ? [counting.observer] : [counting.observer, exporter.observer];
  return {
    observer: exporter === undefined && !options.scraped ? noObserver : observers(parts, onFailure),
    exposition: (state) => exposition(counting, { ...state, telemetryDropped: () => exporter?.dropped ?? 0 }),
    close: async () => exporter?.close(),
  };
}
