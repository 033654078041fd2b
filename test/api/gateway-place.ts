import Anthropic from "@anthropic-ai/sdk";
import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { createOpenAICompatible } from "@ai-sdk/openai-compatible";
import OpenAI from "openai";
import type { CedarDecision } from "../../packages/licet/src/gateway/decide.ts";
import { wireResponseFormat } from "../../packages/licet/src/gateway/conform.ts";
import type { Detection } from "../../packages/licet/src/gateway/detect/rules.ts";
import type { DeploymentView, ModelView } from "../../packages/licet/src/gateway/snapshot.ts";
import { toolDigest } from "../../packages/licet/src/inventory/release.ts";
import { deployment, grantedAto, sha256, start, startGoverned, type Governed } from "../unit/support/governed.ts";
import { startProvider, type ProviderSimulator } from "./provider-simulator.ts";

Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false });

/** One way to the provider, with the official clients as their users have them: nothing but base URL and key is ours. */
export interface Place {
  readonly openai: OpenAI;
  readonly anthropic: Anthropic;
  readonly ai: {
    readonly openai: ReturnType<typeof createOpenAI>;
    readonly anthropic: ReturnType<typeof createAnthropic>;
    readonly compatible: ReturnType<typeof createOpenAICompatible>;
  };
  readonly provider: ProviderSimulator;
}

export interface Roots {
  readonly openai: string;
  readonly anthropic: string;
  readonly key: string;
}

export function placeAt({ openai, anthropic, key }: Roots, provider: ProviderSimulator): Place {
  return {
    openai: new OpenAI({ apiKey: key, baseURL: openai, maxRetries: 0, timeout: 10_000 }),
    anthropic: new Anthropic({ apiKey: key, baseURL: anthropic, maxRetries: 0, timeout: 10_000 }),
    ai: {
      openai: createOpenAI({ apiKey: key, baseURL: openai }),
      anthropic: createAnthropic({ apiKey: key, baseURL: `${anthropic}/v1` }),
      compatible: createOpenAICompatible({ name: "sim", apiKey: key, baseURL: openai, includeUsage: true, supportsStructuredOutputs: true }),
    },
    provider,
  };
}

export const citySchema = { type: "object", properties: { city: { type: "string" }, unit: { type: "string" } }, required: ["city"], additionalProperties: false } as const;
/** The tools of the tests, in the form in which a release addresses them. */
export const weather = { name: "weather", description: "Tells the weather of a city.", parameters: citySchema } as const;
export const clock = { name: "clock", description: "Tells the time of a city.", parameters: citySchema } as const;
export const ticket = { type: "object", properties: { title: { type: "string" } }, required: ["title"], additionalProperties: false } as const;

const powers = ["image", "file"];

function model(name: string, provider: string, more: Partial<ModelView> = {}): ModelView {
  return { name, provider, model: name, bounds: {}, permissions: powers, ...more };
}

/** A release without prompts of its own: the clients' checks bring none. */
export function clientsRelease(change: Partial<DeploymentView> = {}): DeploymentView {
  const format = wireResponseFormat({ type: "json_schema", name: "ticket", schema: ticket, strict: true });
  return deployment({
    models: [
      model("gpt-sim", "openai"),
      model("emb", "openai"),
      model("claude-sim", "anthropic"),
      model("gpt-ticket", "openai", { responseFormat: format }),
      model("claude-ticket", "anthropic", { responseFormat: format }),
    ],
    prompts: [],
    tools: [weather, clock].map((tool) => ({ name: tool.name, digest: toolDigest(tool), power: "read" })),
    ...change,
  });
}

export const gatewayKey = "lic_clients0123456789abc";
const providerKey = "sk-provider-key";

export interface GatewayPlace extends AsyncDisposable {
  readonly direct: Place;
  readonly through: Place;
  readonly provider: ProviderSimulator;
  readonly governed: Governed;
  stand(release: DeploymentView, detection?: Detection): void;
}

const permit = async (): Promise<CedarDecision> => ({ decision: "allow", reasons: [{ policy: "test.permit" }], errors: [] });

/** The gateway before a provider of both families, and both ways to it. */
export async function startGatewayPlace(): Promise<GatewayPlace> {
  const provider = await startProvider();
  const governed = await startGoverned();
  const stand = (view: DeploymentView, detection?: Detection) => standing(governed, provider, { view, detection });
  stand(clientsRelease());
  return {
    direct: placeAt({ openai: `${provider.origin}/v1`, anthropic: provider.origin, key: providerKey }, provider),
    through: placeAt({ openai: `${governed.origin}/openai/v1`, anthropic: `${governed.origin}/anthropic`, key: gatewayKey }, provider),
    provider,
    governed,
    stand,
    [Symbol.asyncDispose]: async () => {
      await governed[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
    },
  };
}

let version = 1000;

interface Standing {
  readonly view: DeploymentView;
  readonly detection: Detection | undefined;
}

function standing({ snapshots }: Governed, { origin }: ProviderSimulator, { view, detection }: Standing): void {
  const provider = (id: string, kind: "openai" | "anthropic") => ({ id, kind, baseUrl: `${origin}/v1`, region: "eu", vendor: "test", keyRef: `main/${id}`, allow: ["loopback"] });
  const until = start + 86_400_000;
  snapshots.publish({
    version: version++,
    clients: [],
    applications: new Map(),
    credentials: [{ id: "cred_clients", space: "main", digest: sha256(gatewayKey), expiresAt: until, revokedAt: null, deployment: { ato: grantedAto, ...view } }],
    spaces: [
      {
        space: "main",
        holds: [],
        providers: [provider("openai", "openai"), provider("anthropic", "anthropic")],
        policyBundle: { digest: `sha256:${"b".repeat(64)}`, decide: permit },
        ...(detection !== undefined && { detection }),
      },
    ],
  });
}
