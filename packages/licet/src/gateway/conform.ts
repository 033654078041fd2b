import { canonicalize } from "@licet/evidence";
import { compileTemplate, matchesTemplate, type Template } from "../inventory/prompt-template.ts";
import { toolDigest } from "../inventory/release.ts";
import { digestText, messageText, type ChatMessage, type ChatRequest, type ChatTool } from "./openai.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { DeploymentView, ModelView, PromptView } from "./snapshot.ts";

/** The model that the caller means: by its declared name first, then by the provider's. */
export function declaredModel(deployment: DeploymentView, name: string): ModelView | undefined {
  const { models } = deployment;
  return models.find((model) => model.name === name) ?? models.find((model) => model.model === name);
}

/** Whether the call is one that the deployed release declares. The first difference is named; undefined when none. */
export function conformRefusal(deployment: DeploymentView, model: ModelView, request: ChatRequest): Refusal | undefined {
  return (
    promptRefusal(deployment, request.messages) ??
    toolRefusal(deployment, request.tools ?? []) ??
    formatRefusal(model, request.response_format) ??
    boundRefusal(model, request)
  );
}

function promptRefusal(deployment: DeploymentView, messages: readonly ChatMessage[]): Refusal | undefined {
  const index = messages.findIndex((message) => isPrompt(message) && !isDeclared(deployment, message));
  if (index >= 0) {
    const role = messages[index]?.role ?? "system";
    return refuse("release_mismatch", {
      message: `the ${role} message is not a prompt that the deployed release declares`,
      param: `messages[${index}].content`,
      component: promptComponent(deployment),
    });
  }
  const bare = deployment.prompts.length > 0 && !messages.some((message) => isPrompt(message));
  return bare
    ? refuse("release_mismatch", {
        message: "the call carries none of the prompts that the deployed release declares",
        param: "messages",
        component: promptComponent(deployment),
      })
    : undefined;
}

function promptComponent({ prompts }: DeploymentView): string {
  const [only] = prompts;
  return prompts.length === 1 && only !== undefined ? `prompt:${only.name}` : "prompt";
}

function isPrompt(message: ChatMessage): boolean {
  return message.role === "system" || message.role === "developer";
}

function isDeclared(deployment: DeploymentView, message: ChatMessage): boolean {
  const text = messageText(message);
  const digest = digestText(text);
  const prompts = deployment.prompts.filter((prompt) => prompt.role === message.role);
  return prompts.some((prompt) => prompt.digest === digest || matchesDeclared(prompt, text));
}

/** Prompts are immutable, so each template is taken apart once. */
const templates = new WeakMap<PromptView, Template>();

function matchesDeclared(prompt: PromptView, text: string): boolean {
  if (prompt.template === undefined) {
    return false;
  }
  const template = templates.get(prompt) ?? compileTemplate(prompt.template);
  templates.set(prompt, template);
  return matchesTemplate(template, text);
}

function toolRefusal(deployment: DeploymentView, tools: readonly ChatTool[]): Refusal | undefined {
  const index = tools.findIndex((tool) => !isDeclaredTool(deployment, tool));
  const tool = tools[index];
  return tool === undefined
    ? undefined
    : refuse("release_mismatch", {
        message: `the definition of tool \`${tool.function.name}\` is not the one that the deployed release declares`,
        param: `tools[${index}]`,
        component: `tool:${tool.function.name}`,
      });
}

function isDeclaredTool(deployment: DeploymentView, tool: ChatTool): boolean {
  const declared = deployment.tools.find(({ name }) => name === tool.function.name);
  return declared !== undefined && declared.digest === wireToolDigest(tool);
}

function wireToolDigest({ function: { name, description, parameters, strict } }: ChatTool): string {
  return toolDigest({ name, description: description ?? "", parameters: parameters ?? {}, strict: strict ?? undefined });
}

/** A manifest's response format as it goes over the wire. */
export function wireResponseFormat(declared: {
  readonly type: string;
  readonly name?: string;
  readonly schema?: unknown;
  readonly strict?: boolean | undefined;
}): unknown {
  if (declared.type !== "json_schema") {
    return { type: declared.type };
  }
  const strict = declared.strict === undefined ? {} : { strict: declared.strict };
  return { type: "json_schema", json_schema: { name: declared.name, schema: declared.schema, ...strict } };
}

const plainText = { type: "text" };

function formatRefusal(model: ModelView, sent: unknown): Refusal | undefined {
  const same = (sent ?? plainText) === (model.responseFormat ?? plainText);
  return same || canonicalize(sent ?? plainText) === canonicalize(model.responseFormat ?? plainText)
    ? undefined
    : refuse("release_mismatch", {
        message: "`response_format` is not the one that the deployed release declares",
        param: "response_format",
        component: `model:${model.name}`,
      });
}

/** Two names of one limit: bounding either bounds both. */
const sameBound: Readonly<Partial<Record<BoundedParameter, BoundedParameter>>> = {
  max_tokens: "max_completion_tokens",
  max_completion_tokens: "max_tokens",
};

type BoundedParameter = "temperature" | "top_p" | "max_tokens" | "max_completion_tokens" | "n" | "presence_penalty" | "frequency_penalty";

const boundedParameters: readonly BoundedParameter[] = [
  "temperature",
  "top_p",
  "max_tokens",
  "max_completion_tokens",
  "n",
  "presence_penalty",
  "frequency_penalty",
];

function boundRefusal(model: ModelView, request: ChatRequest): Refusal | undefined {
  const parameter = boundedParameters.find((name) => outside(model, name, request));
  return parameter === undefined
    ? undefined
    : refuse("release_mismatch", {
        message: `\`${parameter}\`${request[parameter] === undefined ? ", left to the provider's default," : ""} is outside the bounds that the deployed release declares`,
        param: parameter,
        component: `model:${model.name}`,
      });
}

/** What a provider takes for a parameter that the call leaves out (OpenAI API reference); of an answer's length, no end. */
const defaults: Readonly<Record<BoundedParameter, number>> = {
  temperature: 1,
  top_p: 1,
  max_tokens: Infinity,
  max_completion_tokens: Infinity,
  n: 1,
  presence_penalty: 0,
  frequency_penalty: 0,
};

/** A bound holds for what the provider will do, so also for a parameter that the call leaves to the provider. */
function outside(model: ModelView, name: BoundedParameter, request: ChatRequest): boolean {
  const other = sameBound[name];
  const bounds = [model.bounds[name], ...(other === undefined ? [] : [model.bounds[other]])];
  const sent = request[name] ?? undefined;
  if (sent === undefined && other !== undefined && typeof request[other] === "number") return false;
  const value = sent ?? defaults[name];
  return bounds.some((bound) => value < (bound?.min ?? -Infinity) || value > (bound?.max ?? Infinity));
}
