const context = { agent: "$token.?client_id" };
const server = { type: "mcp_server", id: "$token.aud" };

function mapping(name: string, resource: object, more: object = {}): object {
  // The subject is supplied from the token by whoever applies the mapping, under the claim that the deployment names.
  return { evaluation: { action: { name }, resource, context: { ...context, ...more } } };
}

const named = (type: string, id: string): object => ({ type, id });

/** The default mappings of COAZ-MCP, by method. Any other method is denied. */
const defaults: Readonly<Record<string, object | undefined>> = {
  initialize: mapping("initialize", server, { protocol_version: "$params.protocolVersion" }),
  "tools/list": mapping("tools/list", server),
  "tools/call": mapping("tools/call", named("tool", "$params.name")),
  "resources/list": mapping("resources/list", server),
  "resources/read": mapping("resources/read", named("resource", "$params.uri")),
  "resources/subscribe": mapping("resources/subscribe", named("resource", "$params.uri")),
  "resources/unsubscribe": mapping("resources/unsubscribe", named("resource", "$params.uri")),
  "prompts/list": mapping("prompts/list", server),
  "prompts/get": mapping("prompts/get", named("prompt", "$params.name")),
  "completion/complete": mapping("completion/complete", {
    type: "$params.ref.type == 'ref/prompt' ? 'prompt' : 'resource'",
    id: "$params.ref.type == 'ref/prompt' ? params.ref.name : params.ref.uri",
  }),
  "logging/setLevel": mapping("logging/setLevel", server, { level: "$params.level" }),
  "tasks/get": mapping("tasks/get", named("task", "$params.taskId")),
  "tasks/result": mapping("tasks/result", named("task", "$params.taskId")),
  "tasks/cancel": mapping("tasks/cancel", named("task", "$params.taskId")),
  "tasks/list": mapping("tasks/list", server),
};

export function defaultMapping(method: string): object | undefined {
  return Object.hasOwn(defaults, method) ? defaults[method] : undefined;
}

/** These proceed without a decision, and nothing else does. */
export function isPassedThrough(method: string): boolean {
  return method === "ping" || method.startsWith("notifications/");
}

