import * as z from "../shape.ts";
import type { Need, WireTool } from "../../dialect.ts";
import { anyObject, cacheControl, name, toolFamily } from "./blocks.ts";

const listMax = 512;
const text = z.string();

const customTool = z.strictObject({
  type: z.literal("custom").nullish(),
  name,
  description: text.optional(),
  input_schema: anyObject,
  input_examples: z.array(anyObject).max(listMax).optional(),
  strict: z.boolean().optional(),
  cache_control: cacheControl,
  eager_input_streaming: z.boolean().nullish(),
  allowed_callers: z.array(z.literal("direct")).max(1).optional(),
});
type CustomTool = z.output<typeof customTool>;

/** Tools that the provider defines, run by it or by the caller. What they are told is scanned; that they are there is a permission. */
const providerTool = z.looseObject({
  type: z.string().regex(/^(?!custom$)[a-z][a-z0-9_]{0,63}$/u, "must be `custom` or the dated name of a tool of the provider"),
  max_uses: z.int().optional(),
});
type ProviderTool = z.output<typeof providerTool>;

export const tool = z.union([customTool, providerTool]);
type Tool = z.output<typeof tool>;
export const tools = z.array(tool).max(listMax).optional();

const parallel = { disable_parallel_tool_use: z.boolean().optional() };
export const toolChoice = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("auto"), ...parallel }),
    z.strictObject({ type: z.literal("any"), ...parallel }),
    z.strictObject({ type: z.literal("tool"), name, ...parallel }),
    z.strictObject({ type: z.literal("none") }),
  ])
  .optional();

export const connectors = z
  .array(
    z.strictObject({
      type: z.literal("url"),
      name,
      url: z.url({ protocol: /^https?$/u }),
      authorization_token: text.nullish(),
      tool_configuration: z.strictObject({ enabled: z.boolean().nullish(), allowed_tools: z.array(name).max(listMax).nullish() }).nullish(),
    }),
  )
  .max(listMax)
  .optional();

function isCustom(tool: Tool): tool is CustomTool {
  return tool.type === undefined || tool.type === null || tool.type === "custom";
}

/** The tools that the caller defines and runs: what the release declares them to be. */
export function wireTools(tools: readonly Tool[]): readonly WireTool[] {
  return tools.flatMap((tool, at) => (isCustom(tool) ? [wireTool(tool, `tools[${at}]`)] : []));
}

/** Examples are read by the model like the schema, so they count as its `examples`. */
function wireTool({ name, description, input_schema: schema, input_examples: examples, strict }: CustomTool, param: string): WireTool {
  const parameters = examples === undefined ? schema : { ...schema, examples };
  return { name, description: description ?? "", parameters, strict, param };
}

/** Tools that the provider defines and the caller runs are called like the caller's own, by the names that the call gave them. */
export function offeredTools(tools: readonly Tool[]): ReadonlyMap<string, string> {
  return new Map(tools.flatMap((tool) => (isCustom(tool) || typeof tool["name"] !== "string" ? [] : [[tool["name"], `server-tool:${toolFamily(tool.type)}`] as const])));
}

export function toolNeeds(tool: Tool, param: string): readonly Need[] {
  return isCustom(tool) ? [] : [{ permission: `server-tool:${toolFamily(tool.type)}`, param }, ...programNeeds(tool, param)];
}

function programNeeds(tool: ProviderTool, param: string): readonly Need[] {
  const callers = tool["allowed_callers"];
  const programs = Array.isArray(callers) && callers.some((caller) => caller !== "direct");
  return programs ? [{ permission: "server-tool:code_execution", param: `${param}.allowed_callers` }] : [];
}

/** The name is the caller's own word; where the provider would really connect to is what must be permitted too. */
export function connectorNeeds(servers: z.output<typeof connectors>): readonly Need[] {
  return (servers ?? []).flatMap(({ name, url }, at) => [name, url].map((target) => ({ permission: `connector:${target}`, param: `mcp_servers[${at}]` })));
}
