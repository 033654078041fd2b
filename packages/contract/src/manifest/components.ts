import { z } from "zod";
import { Digest, Slug } from "../vocabulary.ts";
import { DataClass } from "./boundary.ts";
import { Scoring } from "./scoring.ts";
import { componentsMax, Description, Label, Prose, RelativePath, textLengthMax } from "./text.ts";

const Name = Slug.meta({ title: "Name", description: "unique among components of its kind" });

const Bound = z
  .strictObject({
    min: z.number().optional().meta({ title: "Minimum" }),
    max: z.number().optional().meta({ title: "Maximum" }),
  })
  .meta({ description: "a call with a value outside is refused" });

/** Bounds of a call's parameters, under the names they have on the wire. A parameter not listed is not bounded here. */
export const ParameterBounds = z
  .strictObject({
    temperature: Bound.optional(),
    top_p: Bound.optional(),
    max_tokens: Bound.optional(),
    max_completion_tokens: Bound.optional(),
    n: Bound.optional(),
    presence_penalty: Bound.optional(),
    frequency_penalty: Bound.optional(),
  })
  .meta({ title: "Parameter bounds", description: "limits of the parameters a call may carry, by wire name" });
export type ParameterBounds = z.output<typeof ParameterBounds>;

const JsonObject = z.record(z.string(), z.json());

export const ResponseFormat = z
  .discriminatedUnion("type", [
    z.strictObject({ type: z.literal("text") }),
    z.strictObject({ type: z.literal("json_object") }),
    z.strictObject({ type: z.literal("json_schema"), name: Label, schema: JsonObject, strict: z.boolean().optional() }),
  ])
  .meta({ title: "Response format", description: "what `response_format` a call must carry; without it, none" });
export type ResponseFormat = z.output<typeof ResponseFormat>;

const permission = /^[a-z][a-z0-9-]{0,40}(?::\S{1,200})?$/u;

/** Powers beside asking a question and getting an answer. The gateway's dialects say which of them a call asks for. */
const Permissions = z
  .array(z.string().regex(permission, "a name such as `store`, or one with what it permits, such as `server-tool:web_search`"))
  .max(100)
  .meta({
    title: "Permissions",
    description:
      "powers that a call may ask for beside a question and its answer; none where absent: `store`, `background`, `conversation`, `previous-response`, `server-tool:TYPE`, `connector:NAME`, `image`, `audio`, `file`, `files` (stored by upload, scanned, and named by id), `batches` (calls in a file, answered later), `tokens`, `service-tier:NAME` (those that cost more), `beta:NAME`",
  });

export const retriesMax = 3;

export const Model = z
  .strictObject({
    name: Name,
    provider: Label.meta({ title: "Provider", description: "id of a provider registered by the operator; `local` for a file of your own" }),
    model: Label.meta({ title: "Model", description: "the id that goes over the wire" }),
    version: Label.optional().meta({ title: "Version", description: "the provider's version or snapshot" }),
    digest: Digest.optional().meta({ title: "Digest", description: "of the weights; must equal the file's when both are given" }),
    file: RelativePath.optional().meta({ title: "File", description: "the weights, below this folder" }),
    description: Description,
    parameters: ParameterBounds.optional(),
    responseFormat: ResponseFormat.optional(),
    permissions: Permissions.optional(),
    scoring: Scoring.optional(),
    fallback: z.array(Name).max(10).optional().meta({ title: "Fallback", description: "names of models declared here that may answer in its place when its provider fails, in their order" }),
    retries: z.int().min(0).max(retriesMax).optional().meta({ title: "Retries", description: "how often the same call is sent again when its provider fails before it answers; 0 where absent" }),
  })
  .meta({ title: "Model", description: "a model by provider and name, or by file" });
export type Model = z.output<typeof Model>;

export const holeLengthMax = 100_000;

/** A hole without `pattern` takes any text up to `maxLength` characters. */
export const Hole = z
  .strictObject({
    pattern: z.string().min(1).max(200).optional().meta({
      title: "Pattern",
      description: "regular expression for the whole value, without groups and with one variable quantifier at most",
    }),
    maxLength: z.int().min(1).max(holeLengthMax).meta({ title: "Maximum length", description: "in UTF-16 units, as JavaScript counts" }),
  })
  .meta({ title: "Hole", description: "what may stand in `{{name}}`" });
export type Hole = z.output<typeof Hole>;

export const holeName = /^[a-zA-Z][a-zA-Z0-9_]{0,63}$/u;

export const Prompt = z
  .strictObject({
    name: Name,
    role: z.enum(["system", "developer"]).meta({ title: "Role", description: "the role of the message that carries it" }),
    file: RelativePath.optional().meta({ title: "File", description: "the text, byte for byte as sent; either file or text" }),
    text: z.string().min(1).max(1_000_000).optional().meta({ title: "Text", description: "the text, exactly as sent; either file or text" }),
    description: Description,
    template: z
      .strictObject({
        holes: z.record(z.string().regex(holeName, "letters, digits and underscores, beginning with a letter"), Hole).meta({
          title: "Holes",
          description: "each `{{name}}` in the text, and what may stand there",
        }),
      })
      .optional()
      .meta({ title: "Template", description: "makes the text a template with holes; without it the text is literal" }),
  })
  .meta({ title: "Prompt", description: "a system or developer message; compared with every call" });
export type Prompt = z.output<typeof Prompt>;

export const Dataset = z
  .strictObject({
    name: Name,
    file: RelativePath.optional().meta({ title: "File", description: "the data, below this folder" }),
    digest: Digest.optional().meta({ title: "Digest", description: "of the data, where the file stays elsewhere" }),
    lineage: RelativePath.optional().meta({ title: "Lineage", description: "of data made by `licet data`: the lineage file that it wrote, which must be of this data; part of the release" }),
    sensitivity: DataClass,
    consent: Prose.optional().meta({ title: "Consent", description: "on which consent or other ground it may be used; consent or licence" }),
    licence: Prose.optional().meta({ title: "Licence", description: "under which licence it may be used; consent or licence" }),
    retentionDays: z.int().min(0).max(36_500).meta({ title: "Retention", description: "days that the data is kept" }),
    rows: z.int().min(0).optional().meta({ title: "Rows", description: "number of records" }),
    description: Description,
  })
  .meta({ title: "Dataset", description: "data that trains, tests or feeds the system" });
export type Dataset = z.output<typeof Dataset>;

/** By rising power; question Q6 takes its level from the strongest. */
export const toolPowers = ["none", "read", "write", "send", "pay", "delete", "run-code", "change-access"] as const;

export const Tool = z
  .strictObject({
    name: z
      .string()
      .regex(/^[a-zA-Z0-9_-]{1,64}$/u, "letters, digits, underscores and hyphens, at most 64")
      .meta({ title: "Name", description: "the function name that goes over the wire" }),
    description: z.string().max(textLengthMax).meta({ title: "Description", description: "what the model is told about it, `\"\"` for nothing; material, because it steers the model" }),
    file: RelativePath.optional().meta({ title: "File", description: "JSON Schema of the parameters; either file or schema" }),
    schema: JsonObject.optional().meta({ title: "Schema", description: "JSON Schema of the parameters; either file or schema" }),
    strict: z.boolean().optional().meta({ title: "Strict", description: "the `strict` flag on the wire" }),
    power: z.enum(toolPowers).meta({ title: "Power", description: "the strongest thing it can do" }),
  })
  .meta({ title: "Tool", description: "a function that the model may call" });
export type Tool = z.output<typeof Tool>;

export const Service = z
  .strictObject({
    name: Name,
    vendor: Label.meta({ title: "Vendor", description: "the company behind it" }),
    endpoint: z.url({ protocol: /^https?$/u }).max(500).optional().meta({ title: "Endpoint", description: "compared with the registered one, never dialled" }),
    description: Description,
  })
  .meta({ title: "Service", description: "an external service with its vendor" });
export type Service = z.output<typeof Service>;

export const Components = z
  .strictObject({
    models: z.array(Model).min(1).max(componentsMax).meta({ title: "Models", description: "at least one" }),
    prompts: z.array(Prompt).max(componentsMax).optional().meta({ title: "Prompts", description: "system and developer messages" }),
    datasets: z.array(Dataset).max(componentsMax).optional().meta({ title: "Datasets", description: "training, test and retrieval data" }),
    tools: z.array(Tool).max(componentsMax).optional().meta({ title: "Tools", description: "functions that the model may call" }),
    services: z.array(Service).max(componentsMax).optional().meta({ title: "Services", description: "external services" }),
  })
  .meta({ title: "Components", description: "what the system is made of; at most 10,000 in all" });
export type Components = z.output<typeof Components>;

export const componentKinds = ["models", "prompts", "datasets", "tools", "services"] as const;
