import type { JsonObject } from "../../../ledger/entry.ts";
import type { StreamedToolCall, ToolCall } from "../../dialect.ts";
import { listAt, textAt, wireObject } from "../wire.ts";
import { toolPermission } from "./items.ts";
import { itemLane } from "./lanes.ts";

const functionItems: ReadonlySet<string> = new Set(["function_call", "custom_tool_call"]);
const connectorItems: ReadonlySet<string> = new Set(["mcp_call", "mcp_approval_request"]);

/** The tool that an item of output calls; undefined for an item that calls none. */
export function callOf(item: JsonObject | undefined): ToolCall | undefined {
  const type = item === undefined ? undefined : textAt(item, "type");
  if (item === undefined || type === undefined) return undefined;
  const name = textAt(item, "name") ?? "";
  if (functionItems.has(type)) return { kind: "function", name };
  const label = textAt(item, "server_label") ?? "";
  if (connectorItems.has(type)) return { kind: "power", permission: `connector:${label}`, name };
  if (type === "mcp_list_tools") return { kind: "power", permission: `connector:${label}`, name: label };
  return type === "mcp_approval_response" ? { kind: "power", permission: "connector-approval", name: "connector-approval" } : serverCall(type);
}

function serverCall(type: string): ToolCall | undefined {
  const permission = toolPermission(type);
  return permission === undefined ? undefined : { kind: "power", permission, name: permission.slice(permission.indexOf(":") + 1) };
}

/** Every call in a response. */
export function callsIn(response: JsonObject): readonly ToolCall[] {
  return listAt(response, "output").flatMap((item) => callOf(wireObject(item)) ?? []);
}

/** Every call in a response that an event repeats. */
export function repeatedCalls(response: JsonObject): readonly StreamedToolCall[] {
  return listAt(response, "output").flatMap((item, at) => {
    const call = callOf(wireObject(item));
    return call === undefined ? [] : [{ at: `output[${at}]`, call }];
  });
}

/** An item that is whole, or one that has begun: that may say its name later. */
export function itemCall(event: JsonObject, item: JsonObject, whole: boolean): readonly StreamedToolCall[] {
  const call = callOf(item);
  if (call === undefined) return [];
  return [whole || call.name !== "" ? { at: itemLane(event), call } : { at: itemLane(event) }];
}

const goesOn = /^response\.(function_call_arguments|custom_tool_call_input|mcp_call_arguments|mcp_call|mcp_list_tools)\./u;
const ofServer = /^response\.([a-z_]+?_call)(?:_code|_command|_output_content)?\./u;

/** What an event says of the call that it goes on with, by its kind. */
export function continuedCall(type: string, event: JsonObject): readonly StreamedToolCall[] {
  const caller = goesOn.exec(type)?.[1];
  if (caller !== undefined) {
    const name = caller === "function_call_arguments" ? (textAt(event, "name") ?? "") : "";
    return [name === "" ? { at: itemLane(event) } : { at: itemLane(event), call: { kind: "function", name } }];
  }
  const call = serverCall(ofServer.exec(type)?.[1] ?? "");
  return call === undefined ? [] : [{ at: itemLane(event), call }];
}
