import * as z from "../shape.ts";
import type { Need, WireTool } from "../../dialect.ts";
import { asRead } from "../wire.ts";
import { anyObject, name } from "./items.ts";

const listMax = 512;
const text = z.string();
const names = z.array(name).max(listMax);
/** `programmatic` lets a program at the provider call the tool: no part of what the release declares. */
const callers = z.array(z.literal("direct")).max(1).nullish();

const functionTool = z.strictObject({
  type: z.literal("function"),
  name,
  description: text.nullish(),
  parameters: anyObject.nullish(),
  strict: z.boolean().nullish(),
  allowed_callers: callers,
});
const grammar = z.strictObject({ type: z.literal("grammar"), syntax: z.enum(["lark", "regex"]), definition: text });
const customTool = z.strictObject({
  type: z.literal("custom"),
  name,
  description: text.optional(),
  format: z.discriminatedUnion("type", [z.strictObject({ type: z.literal("text") }), grammar]).optional(),
  allowed_callers: callers,
});
const place = z
  .strictObject({ type: z.literal("approximate").optional(), city: text.nullish(), country: text.nullish(), region: text.nullish(), timezone: text.nullish() })
  .nullish();
const webSearch = z.strictObject({
  type: z.enum(["web_search", "web_search_2025_08_26", "web_search_preview", "web_search_preview_2025_03_11"]),
  filters: z.strictObject({ allowed_domains: names.nullish() }).nullish(),
  search_context_size: z.enum(["low", "medium", "high"]).optional(),
  search_content_types: z.array(z.enum(["text", "image"])).max(2).optional(),
  user_location: place,
});
const fileSearch = z.strictObject({
  type: z.literal("file_search"),
  vector_store_ids: names,
  filters: anyObject.nullish(),
  max_num_results: z.int().optional(),
  ranking_options: anyObject.optional(),
});
const container = z.union([name, z.strictObject({ type: z.literal("auto"), file_ids: names.optional(), memory_limit: z.enum(["1g", "4g", "16g", "64g"]).nullish() })]);
const codeInterpreter = z.strictObject({ type: z.literal("code_interpreter"), container });
const imageGeneration = z.strictObject({
  type: z.literal("image_generation"),
  action: z.enum(["generate", "edit", "auto"]).optional(),
  background: z.enum(["transparent", "opaque", "auto"]).optional(),
  input_fidelity: z.enum(["high", "low"]).nullish(),
  model: name.optional(),
  moderation: z.enum(["auto", "low"]).optional(),
  output_compression: z.int().optional(),
  output_format: z.enum(["png", "webp", "jpeg"]).optional(),
  partial_images: z.int().optional(),
  quality: z.enum(["low", "medium", "high", "auto"]).optional(),
  size: name.optional(),
});
const computer = z.strictObject({
  type: z.enum(["computer", "computer_use", "computer_use_preview"]),
  display_height: z.number().optional(),
  display_width: z.number().optional(),
  environment: z.enum(["windows", "mac", "linux", "ubuntu", "browser"]).optional(),
});
const shell = z.strictObject({ type: z.literal("shell"), environment: z.strictObject({ type: z.literal("local") }).nullish(), allowed_callers: callers });
const local = z.strictObject({ type: z.enum(["local_shell", "apply_patch"]), allowed_callers: callers });
const connector = z.strictObject({
  type: z.literal("mcp"),
  server_label: name,
  server_url: z.url({ protocol: /^https?$/u }).optional(),
  connector_id: name.optional(),
  server_description: text.optional(),
  authorization: text.optional(),
  headers: z.record(z.string(), text).nullish(),
  allowed_tools: z.union([names, z.strictObject({ tool_names: names.optional(), read_only: z.boolean().optional() })]).nullish(),
  require_approval: z
    .union([
      z.enum(["always", "never"]),
      z.strictObject({
        always: z.strictObject({ tool_names: names.optional(), read_only: z.boolean().optional() }).optional(),
        never: z.strictObject({ tool_names: names.optional(), read_only: z.boolean().optional() }).optional(),
      }),
    ])
    .nullish(),
  allowed_callers: callers,
});

export const tool = z.discriminatedUnion("type", [
  functionTool,
  customTool,
  webSearch,
  fileSearch,
  codeInterpreter,
  imageGeneration,
  computer,
  shell,
  local,
  connector,
]);
export type Tool = z.output<typeof tool>;
export const tools = z.array(tool).max(listMax).nullish();

const serverChoice = z.enum([
  "file_search",
  "web_search",
  "web_search_preview",
  "web_search_preview_2025_03_11",
  "computer",
  "computer_use",
  "computer_use_preview",
  "image_generation",
  "code_interpreter",
  "shell",
  "local_shell",
  "apply_patch",
]);
const named = z.strictObject({ type: z.enum(["function", "custom"]), name });
const connectorChoice = z.strictObject({ type: z.literal("mcp"), server_label: name, name: name.nullish() });
const server = z.strictObject({ type: serverChoice });
export const toolChoice = z
  .union([
    z.enum(["none", "auto", "required"]),
    z.discriminatedUnion("type", [
      named,
      connectorChoice,
      server,
      z.strictObject({
        type: z.literal("allowed_tools"),
        mode: z.enum(["auto", "required"]),
        tools: z.array(z.discriminatedUnion("type", [named, connectorChoice, server])).max(listMax),
      }),
    ]),
  ])
  .nullish();

/** The tools that the caller itself runs: what the release declares them to be. */
export function wireTools(tools: readonly Tool[]): readonly WireTool[] {
  return tools.flatMap((tool, at) => {
    const wire = wireTool(tool, `tools[${at}]`);
    return wire === undefined ? [] : [wire];
  });
}

function wireTool(tool: Tool, param: string): WireTool | undefined {
  if (tool.type === "function") {
    const { name, description, parameters, strict } = tool;
    return { name, description: description ?? "", parameters: parameters ?? {}, strict: strict ?? undefined, param };
  }
  if (tool.type === "custom") {
    const { name, description, format } = tool;
    const parameters = { type: "custom", format: asRead(format ?? { type: "text" }) };
    return { name, description: description ?? "", parameters, strict: undefined, param };
  }
  return undefined;
}

export function toolNeeds(tool: Tool, param: string): readonly Need[] {
  if (tool.type === "function" || tool.type === "custom") return [];
  if (tool.type === "mcp") return connectorNeeds(tool, param);
  return [serverTool(tool.type, param), ...storedNeeds(tool, param)];
}

/** What the tool may read at the provider. */
function storedNeeds(tool: Tool, param: string): readonly Need[] {
  if (tool.type === "file_search") return tool.vector_store_ids.map((id) => ({ permission: `vector-store:${id}`, param }));
  return tool.type === "code_interpreter" ? containerNeeds(tool.container, param) : [];
}

/** One name for all dated and preview forms of a tool: `web_search_preview_2025_03_11` is `web_search`. */
function serverTool(type: string, param: string): Need {
  const family = type.replace(/_\d{4}_\d{2}_\d{2}$/u, "").replace(/_preview$/u, "").replace(/^computer_use$/u, "computer");
  return { permission: `server-tool:${family}`, param };
}

/** The label is the caller's own word; where the provider would really connect to is what must be permitted too. */
function connectorNeeds(tool: z.output<typeof connector>, param: string): readonly Need[] {
  const targets = [tool.server_label, tool.connector_id, tool.server_url].filter((target) => target !== undefined);
  return targets.map((target) => ({ permission: `connector:${target}`, param }));
}

function containerNeeds(place: z.output<typeof container>, param: string): readonly Need[] {
  if (typeof place === "string") return [{ permission: `container:${place}`, param }];
  return (place.file_ids ?? []).map((id) => ({ permission: `file:${id}`, param }));
}
