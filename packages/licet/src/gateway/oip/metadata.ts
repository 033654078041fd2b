import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { LicetError } from "../../base/errors.ts";
import { fetchOutbound, type Outbound } from "../../base/outbound.ts";
import { licetVersion } from "../../base/version.ts";
import { readJson } from "../json.ts";
import type { ModelView, ProviderView } from "../snapshot.ts";
import { nameCharactersMax, tensorsMax } from "./tensor.ts";

const Text = z.string().max(nameCharactersMax);
const TensorMetadata = z.object({ name: Text, datatype: Text, shape: z.array(z.int()).max(16) });
/** The protocol's model metadata; `parameters.digest` (`sha256:…` of the weights) is how a provider attests what it serves. */
const ModelMetadata = z.object({
  name: Text,
  versions: z.array(Text).max(1000).optional(),
  platform: Text.optional(),
  inputs: z.array(TensorMetadata).max(tensorsMax).optional(),
  outputs: z.array(TensorMetadata).max(tensorsMax).optional(),
  parameters: z.object({ digest: z.string().regex(/^sha256:[0-9a-f]{64}$/u).optional() }).optional(),
});
export type ModelMetadata = z.output<typeof ModelMetadata>;

/** How long what a provider says of a model is believed without asking again. */
const freshMs = 30_000;
const knownMax = 10_000;

export interface Serving {
  readonly outbound: Outbound;
  readonly key: string;
  readonly provider: ProviderView;
  readonly model: ModelView;
}

/**
 * What providers say of their models, asked by the gateway for itself: its questions hold a model's declared name and
 * nothing of any call.
 */
export class ModelMetadataCache {
  readonly #clock: Clock;
  readonly #known = new Map<string, { readonly metadata: ModelMetadata | undefined; readonly until: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The digest that was attested last, while that is fresh. */
  digest(provider: ProviderView, model: ModelView): string | undefined {
    const known = this.#known.get(keyOf(provider, model));
    return known !== undefined && this.#clock.now() < known.until ? known.metadata?.parameters?.digest : undefined;
  }

  /** Undefined where the provider has no readable metadata. Throws `unreachable` where it gives no answer. */
  async read(serving: Serving): Promise<ModelMetadata | undefined> {
    const key = keyOf(serving.provider, serving.model);
    const known = this.#known.get(key);
    if (known !== undefined && this.#clock.now() < known.until) return known.metadata;
    const answer = await fetchOutbound(serving.outbound, { method: "GET", path: modelPath(serving.model), headers: headersFor(serving.key) });
    if (answer.status >= 500) throw new LicetError("unreachable", { message: `the provider answered with status ${answer.status}` });
    const metadata = answer.status === 200 ? ModelMetadata.safeParse(readJson(answer.body)?.value).data : undefined;
    if (this.#known.size >= knownMax) this.#known.clear();
    this.#known.set(key, { metadata, until: this.#clock.now() + freshMs });
    return metadata;
  }

  /** Whether the provider says that it can score with the model now. */
  async ready(serving: Serving): Promise<boolean> {
    const answer = await fetchOutbound(serving.outbound, { method: "GET", path: `${modelPath(serving.model)}/ready`, headers: headersFor(serving.key) });
    return answer.status === 200;
  }
}

function keyOf({ id, baseUrl }: ProviderView, { model, version }: ModelView): string {
  return JSON.stringify([id, baseUrl, model, version ?? null]);
}

/** Below the provider's base URL; the version is the release's. */
export function modelPath({ model, version }: ModelView): string {
  return `/models/${encodeURIComponent(model)}${version === undefined ? "" : `/versions/${encodeURIComponent(version)}`}`;
}

/** Nothing of the caller's headers goes on. A server in a trusted network may take no key. */
export function headersFor(key: string): Readonly<Record<string, string>> {
  return {
    ...(key !== "" && { authorization: `Bearer ${key}` }),
    accept: "application/json",
    "accept-encoding": "identity",
    "user-agent": `licet/${licetVersion}`,
  };
}
