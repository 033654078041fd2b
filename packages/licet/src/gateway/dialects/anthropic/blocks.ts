import * as z from "../shape.ts";
import type { JsonObject } from "../../../ledger/entry.ts";
import type { Need } from "../../dialect.ts";

/** Bounds of what one request may name; more is built to tire a reader. */
const partsMax = 1024;
const nameCharactersMax = 256;

const text = z.string();
export const name = z.string().min(1).max(nameCharactersMax);
/** Comes from `JSON.parse`, so it is JSON; every string in it is scanned. */
export const anyObject = z.custom<JsonObject>((value) => typeof value === "object" && value !== null && !Array.isArray(value), "must be an object");
export const cacheControl = z.strictObject({ type: z.literal("ephemeral"), ttl: z.enum(["5m", "1h"]).optional() }).nullish();
const cached = { cache_control: cacheControl };
const citations = z.strictObject({ enabled: z.boolean().optional() }).nullish();
/** Code at the provider that calls tools by itself is no part of what the release declares. */
const caller = z.strictObject({ type: z.literal("direct") }).nullish();

export const textBlock = z.strictObject({ type: z.literal("text"), text, citations: z.array(anyObject).max(partsMax).nullish(), ...cached });

const fileSource = z.strictObject({ type: z.literal("file"), file_id: name });
const urlSource = z.strictObject({ type: z.literal("url"), url: text });
const image = z.strictObject({
  type: z.literal("image"),
  source: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("base64"), media_type: z.enum(["image/jpeg", "image/png", "image/gif", "image/webp"]), data: text }),
    urlSource,
    fileSource,
  ]),
  transformations: z.strictObject({ oversized_image: z.enum(["downsize", "error"]).optional() }).nullish(),
  ...cached,
});
const document = z.strictObject({
  type: z.literal("document"),
  source: z.discriminatedUnion("type", [
    z.strictObject({ type: z.literal("base64"), media_type: z.literal("application/pdf"), data: text }),
    z.strictObject({ type: z.literal("text"), media_type: z.literal("text/plain"), data: text }),
    z.strictObject({ type: z.literal("content"), content: z.union([text, z.array(z.discriminatedUnion("type", [textBlock, image])).max(partsMax)]) }),
    urlSource,
    fileSource,
  ]),
  title: text.nullish(),
  context: text.nullish(),
  citations,
  ...cached,
});
const searchResult = z.strictObject({
  type: z.literal("search_result"),
  source: text,
  title: text,
  content: z.array(textBlock).max(partsMax),
  citations,
  ...cached,
});
const thinking = z.strictObject({ type: z.literal("thinking"), thinking: text, signature: text });
const redactedThinking = z.strictObject({ type: z.literal("redacted_thinking"), data: text });
const toolUse = z.strictObject({ type: z.literal("tool_use"), id: name, name, input: anyObject, caller, ...cached });
const resultBlock = z.discriminatedUnion("type", [textBlock, image, document, searchResult]);
const toolResult = z.strictObject({
  type: z.literal("tool_result"),
  tool_use_id: name,
  content: z.union([text, z.array(resultBlock).max(partsMax)]).optional(),
  is_error: z.boolean().optional(),
  ...cached,
});
const serverToolUse = z.looseObject({ type: z.literal("server_tool_use"), name });
const serverResult = z.looseObject({
  type: z.enum([
    "web_search_tool_result",
    "web_fetch_tool_result",
    "code_execution_tool_result",
    "bash_code_execution_tool_result",
    "text_editor_code_execution_tool_result",
    "tool_search_tool_result",
  ]),
});
const connectorUse = z.looseObject({ type: z.literal("mcp_tool_use"), server_name: name });
const connectorResult = z.looseObject({ type: z.literal("mcp_tool_result") });
const upload = z.strictObject({ type: z.literal("container_upload"), file_id: name, ...cached });

export const block = z.discriminatedUnion("type", [
  textBlock,
  image,
  document,
  searchResult,
  thinking,
  redactedThinking,
  toolUse,
  toolResult,
  serverToolUse,
  serverResult,
  connectorUse,
  connectorResult,
  upload,
]);
export type Block = z.output<typeof block>;
export const content = z.union([text, z.array(block).max(partsMax)]);
export type Content = z.output<typeof content>;

export function contentNeeds(content: Content, param: string): readonly Need[] {
  return typeof content === "string" ? [] : content.flatMap((block, at) => blockNeeds(block, `${param}[${at}]`));
}

/** The power that a block of each kind is; null for words that are scanned like any other, and for what its own needs say. */
const permissions: Readonly<Record<Block["type"], string | null>> = {
  text: null,
  image: null,
  document: null,
  search_result: null,
  thinking: null,
  redacted_thinking: null,
  tool_use: null,
  tool_result: null,
  server_tool_use: null,
  mcp_tool_use: null,
  container_upload: null,
  mcp_tool_result: "connector-result",
  web_search_tool_result: "server-tool:web_search",
  web_fetch_tool_result: "server-tool:web_fetch",
  code_execution_tool_result: "server-tool:code_execution",
  bash_code_execution_tool_result: "server-tool:code_execution",
  text_editor_code_execution_tool_result: "server-tool:code_execution",
  tool_search_tool_result: "server-tool:tool_search",
};

/** What the release must permit before this block may pass: bytes nobody can scan, addresses that others fetch, stored words. */
function blockNeeds(block: Block, param: string): readonly Need[] {
  if (block.type === "image") return [{ permission: sourcePermission(block.source, "image"), param }];
  if (block.type === "document") return documentNeeds(block, param);
  if (block.type === "tool_result") return contentNeeds(block.content ?? "", `${param}.content`);
  if (block.type === "server_tool_use") return [{ permission: `server-tool:${toolFamily(block.name)}`, param }];
  if (block.type === "mcp_tool_use") return [{ permission: `connector:${block.server_name}`, param }];
  if (block.type === "container_upload") return [{ permission: `file:${block.file_id}`, param }];
  const permission = permissions[block.type];
  return permission === null ? [] : [{ permission, param }];
}

type Source = { readonly type: "base64" } | { readonly type: "url" } | { readonly type: "file"; readonly file_id: string };

function sourcePermission(source: Source, kind: "image" | "file"): string {
  if (source.type === "file") return `file:${source.file_id}`;
  return source.type === "url" ? `${kind}-url` : kind;
}

function documentNeeds({ source }: z.output<typeof document>, param: string): readonly Need[] {
  if (source.type === "text") return [];
  if (source.type === "content") return contentNeeds(source.content, `${param}.source.content`);
  return [{ permission: sourcePermission(source, "file"), param }];
}

/** One name for all dated forms of a tool and for its parts: `web_search_20250305` is `web_search`. */
export function toolFamily(type: string): string {
  const family = type.replace(/_\d{8}$/u, "");
  if (family === "bash_code_execution" || family === "text_editor_code_execution") return "code_execution";
  return family.startsWith("tool_search_tool") ? "tool_search" : family;
}

/** The text of a system prompt as the model reads it: its blocks in one. */
export function contentText(content: string | readonly { readonly text: string }[]): string {
  return typeof content === "string" ? content : content.map(({ text }) => text).join("");
}
