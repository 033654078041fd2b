import { toolDigest } from "../../../packages/licet/src/inventory/release.ts";
import { deployment } from "../../unit/support/governed.ts";
import type { DeploymentView, ModelView } from "../../../packages/licet/src/gateway/snapshot.ts";

/** The tool that the release declares. */
const weather = { name: "weather", description: "Tells the weather of a city.", parameters: { type: "object", properties: { city: { type: "string" } } } } as const;

/** What a row may ask for instead of the plain call, by what each surface calls it. */
export type Variant = "unknown field" | "wrong type" | "power" | "other tool" | "other prompt" | "other format" | "out of bounds" | "other model" | "other version" | "declared tool" | "unbounded";

type JsonBody = Readonly<Record<string, unknown>>;

export interface Surface {
  readonly id: "chat" | "responses" | "messages" | "count" | "embeddings" | "infer";
  readonly title: string;
  readonly path: string;
  readonly kind: "openai" | "anthropic" | "oip";
  readonly streams: boolean;
  /** The call's own words. */
  body(text: string): JsonBody;
  readonly variants: Partial<Readonly<Record<Variant, JsonBody | string>>>;
  /** The native last event of a whole stream. */
  readonly end: string;
  /** True where a request's words may be said back, and an answer has words of its own. */
  readonly speaks: boolean;
  /** True where an answer may call tools. */
  readonly calls?: boolean;
}

const other = { name: "weather", description: "Something else.", parameters: { type: "object" } };
const turns = (text: string) => ({ messages: [{ role: "user", content: text }] });

const chat: Surface = {
  id: "chat",
  title: "chat completions",
  path: "/openai/v1/chat/completions",
  kind: "openai",
  streams: true,
  end: "[DONE]",
  calls: true,
  speaks: true,
  body: (text) => ({ model: "m", max_tokens: 50, ...turns(text) }),
  variants: {
    "unknown field": { surprise: true },
    "wrong type": { temperature: "warm" },
    power: { store: true },
    "other tool": { tools: [{ type: "function", function: other }] },
    "other prompt": { messages: [{ role: "system", content: "Other words." }, { role: "user", content: "hi" }] },
    "other format": { response_format: { type: "json_object" } },
    "out of bounds": { temperature: 1.5 },
    "other model": { model: "other" },
    "declared tool": { tools: [{ type: "function", function: weather }] },
    unbounded: { max_tokens: undefined },
  },
};

const responses: Surface = {
  id: "responses",
  title: "Responses",
  path: "/openai/v1/responses",
  kind: "openai",
  streams: true,
  end: "response.completed",
  calls: true,
  speaks: true,
  body: (text) => ({ model: "m", max_output_tokens: 50, input: [{ role: "user", content: text }] }),
  variants: {
    "unknown field": { surprise: true },
    "wrong type": { temperature: "warm" },
    power: { background: true },
    "other tool": { tools: [{ type: "function", strict: false, ...other }] },
    "other prompt": { instructions: "Other words." },
    "other format": { text: { format: { type: "json_object" } } },
    "out of bounds": { temperature: 1.5 },
    "other model": { model: "other" },
    "declared tool": { tools: [{ type: "function", strict: false, ...weather }] },
    unbounded: { max_output_tokens: undefined },
  },
};

const claudeTool = ({ name, description, parameters }: { readonly name: string; readonly description: string; readonly parameters: object }) => ({ name, description, input_schema: parameters });

const messages: Surface = {
  id: "messages",
  title: "Messages",
  path: "/anthropic/v1/messages",
  kind: "anthropic",
  streams: true,
  end: "message_stop",
  calls: true,
  speaks: true,
  body: (text) => ({ model: "m", max_tokens: 50, ...turns(text) }),
  variants: {
    "unknown field": { surprise: true },
    "wrong type": { temperature: "warm" },
    power: { container: "container_1" },
    "other tool": { tools: [claudeTool(other)] },
    "other prompt": { system: "Other words." },
    "other format": { output_config: { format: { type: "json_schema", schema: { type: "object" } } } },
    "out of bounds": { temperature: 0.1 },
    "other model": { model: "other" },
    "declared tool": { tools: [claudeTool(weather)] },
  },
};

const count: Surface = {
  id: "count",
  title: "count_tokens",
  path: "/anthropic/v1/messages/count_tokens",
  kind: "anthropic",
  streams: false,
  end: "",
  speaks: false,
  body: (text) => ({ model: "m", ...turns(text) }),
  variants: {
    "unknown field": { surprise: true },
    "wrong type": { messages: "hi" },
    power: { tools: [{ type: "web_search_20250305", name: "web_search" }] },
    "other tool": { tools: [claudeTool(other)] },
    "other prompt": { system: "Other words." },
    "other model": { model: "other" },
    "declared tool": { tools: [claudeTool(weather)] },
  },
};

const embeddings: Surface = {
  id: "embeddings",
  title: "embeddings",
  path: "/openai/v1/embeddings",
  kind: "openai",
  streams: false,
  end: "",
  speaks: false,
  body: (text) => ({ model: "m", input: text }),
  variants: { "unknown field": { surprise: true }, "wrong type": { input: 7 }, power: { input: [1, 2, 3] }, "other model": { model: "other" } },
};

const infer: Surface = {
  id: "infer",
  title: "OIP infer",
  path: "/oip/v2/models/m/infer",
  kind: "oip",
  streams: false,
  end: "",
  speaks: true,
  body: (text) => ({ inputs: [{ name: "x", shape: [1], datatype: "BYTES", data: [text] }] }),
  variants: {
    "unknown field": { surprise: true },
    "wrong type": { inputs: "x" },
    power: { parameters: { temperature: 2 } },
    "other model": "/oip/v2/models/other/infer",
    "other version": "/oip/v2/models/m/versions/8/infer",
  },
};

export const surfaces: readonly Surface[] = [chat, responses, messages, count, embeddings, infer];

/** One column of the table: a surface, answered whole or as a stream. */
export interface Column {
  readonly surface: Surface;
  readonly stream: boolean;
  readonly title: string;
}

export const columns: readonly Column[] = surfaces.flatMap((surface) => [
  { surface, stream: false, title: surface.streams ? `${surface.title}, whole` : surface.title },
  ...(surface.streams ? [{ surface, stream: true, title: `${surface.title}, streamed` }] : []),
]);

/** What the release of every column declares. */
export function releaseOf({ kind }: Surface, change: Partial<DeploymentView> = {}, more: Partial<ModelView> = {}): DeploymentView {
  const served = kind === "oip" ? { model: "risk-net", version: "7" } : { model: "sim-1" };
  const bounds = kind === "oip" ? {} : { temperature: { min: 0.2, max: 1 } };
  return deployment({
    models: [{ name: "m", provider: "sim", ...served, bounds, ...more }],
    prompts: [],
    tools: [{ name: weather.name, digest: toolDigest(weather), power: "read" }],
    ...change,
  });
}
