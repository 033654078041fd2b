import { canonicalize } from "@licet/evidence";
import { compileTemplate, matchesTemplate, type Template } from "../inventory/prompt-template.ts";
import { toolDigest } from "../inventory/release.ts";
import type { Instruction, ModelCall, WireTool } from "./dialect.ts";
import { wireObject } from "./dialects/wire.ts";
import { digestText } from "./json.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { DeploymentView, ModelView, ParameterBound, PromptView } from "./snapshot.ts";

/** The model that the caller means: by its declared name first, then by the provider's. */
export function declaredModel(deployment: DeploymentView, name: string): ModelView | undefined {
  const { models } = deployment;
  return models.find((model) => model.name === name) ?? models.find((model) => model.model === name);
}

/** Whether the call is one that the deployed release declares. The first difference is named; undefined when none. */
export function conformRefusal(deployment: DeploymentView, model: ModelView, call: ModelCall, granted?: ReadonlySet<string>): Refusal | undefined {
  return promptRefusal(deployment, call) ?? toolRefusal(deployment, call.tools) ?? formatRefusal(model, call.responseFormat) ?? boundRefusal(model, call) ?? needRefusal(model, call, granted);
}

function promptRefusal(deployment: DeploymentView, call: ModelCall): Refusal | undefined {
  const other = call.instructions.find((instruction) => !isDeclared(deployment, instruction));
  if (other !== undefined) {
    return refuse("release_mismatch", {
      message: `the ${other.role} message is not a prompt that the deployed release declares`,
      param: other.param,
      component: promptComponent(deployment),
    });
  }
  const bare = call.dialect.promptless !== true && deployment.prompts.length > 0 && call.instructions.length === 0;
  return bare
    ? refuse("release_mismatch", {
        message: "the call carries none of the prompts that the deployed release declares",
        param: "messages" in call.request ? "messages" : "instructions",
        component: promptComponent(deployment),
      })
    : undefined;
}

function promptComponent({ prompts }: DeploymentView): string {
  const [only] = prompts;
  return prompts.length === 1 && only !== undefined ? `prompt:${only.name}` : "prompt";
}

function isDeclared(deployment: DeploymentView, { role, text }: Instruction): boolean {
  const digest = digestText(text);
  const prompts = deployment.prompts.filter((prompt) => prompt.role === role);
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

function toolRefusal(deployment: DeploymentView, tools: readonly WireTool[]): Refusal | undefined {
  const tool = tools.find((each) => !isDeclaredTool(deployment, each));
  return tool === undefined
    ? undefined
    : refuse("release_mismatch", {
        message: deployment.tools.some(({ name }) => name === tool.name) ? `the definition of tool \`${tool.name}\` is not the one that the deployed release declares` : `the deployed release declares no tool \`${tool.name}\``,
        param: tool.param,
        component: `tool:${tool.name}`,
      });
}

function isDeclaredTool(deployment: DeploymentView, { name, description, parameters, strict }: WireTool): boolean {
  const declared = deployment.tools.find((each) => each.name === name);
  return declared !== undefined && declared.digest === toolDigest({ name, description, parameters, strict });
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

function formatRefusal(model: ModelView, sent: unknown = plainText): Refusal | undefined {
  const declared = model.responseFormat ?? plainText;
  return sent === declared || canonicalize(sent) === canonicalize(nameless(sent) ? withoutName(declared) : declared)
    ? undefined
    : refuse("release_mismatch", {
        message: "`response_format` is not the one that the deployed release declares",
        param: "response_format",
        component: `model:${model.name}`,
      });
}

/** Anthropic's messages give a schema no name, and keep to it always. */
function nameless(format: unknown): boolean {
  const schema = jsonSchemaOf(format);
  return schema !== undefined && !("name" in schema);
}

function withoutName(declared: unknown): unknown {
  const schema = jsonSchemaOf(declared);
  return schema === undefined ? declared : { type: "json_schema", json_schema: { schema: schema["schema"] } };
}

function jsonSchemaOf(format: unknown): Readonly<Record<string, unknown>> | undefined {
  return wireObject(wireObject(format)?.["json_schema"]);
}

/** Two names of one limit: bounding either bounds both. */
const lengths: readonly string[] = ["max_tokens", "max_completion_tokens"];

/** A bound holds for what the provider will do, so also for a parameter that the call leaves to the provider. */
function boundRefusal(model: ModelView, call: ModelCall): Refusal | undefined {
  for (const [name, value] of Object.entries(call.parameters)) {
    const bounds = lengths.includes(name) ? lengths : [name];
    const bounded = bounds.find((each) => isOutside(model.bounds[each], value));
    // Nobody sent an endless answer: the bound that stands in the way is the one to name.
    if (bounded !== undefined) return parameterRefusal(model, value === Infinity ? bounded : name, isSent(call, name));
  }
  return undefined;
}

function isOutside(bound: ParameterBound | undefined, value: number): boolean {
  return bound !== undefined && (value < (bound.min ?? -Infinity) || value > (bound.max ?? Infinity));
}

function isSent({ request, parameters }: ModelCall, name: string): boolean {
  return parameters[name] !== Infinity && (lengths.includes(name) || (request[name] ?? null) !== null);
}

function parameterRefusal(model: ModelView, name: string, sent: boolean): Refusal {
  return refuse("release_mismatch", {
    message: `\`${name}\`${sent ? "" : ", left to the provider's default,"} is outside the bounds that the deployed release declares`,
    param: name,
    component: `model:${model.name}`,
  });
}

/** Powers beside asking a question and getting an answer: each is named in the release, or not there. */
function needRefusal(model: ModelView, { needs }: ModelCall, granted?: ReadonlySet<string>): Refusal | undefined {
  const missing = needs.find(({ permission }) => model.permissions?.includes(permission) !== true && granted?.has(permission) !== true);
  return missing === undefined
    ? undefined
    : refuse(missing.permission === "tokens" ? "tokens_unscannable" : "permission_undeclared", {
        message: `the release does not permit \`${missing.permission}\` for model \`${model.name}\``,
        param: missing.param,
        component: `model:${model.name}`,
      });
}
