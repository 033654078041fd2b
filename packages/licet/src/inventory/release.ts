import type { Digest, Hole, Model, ReleaseBundle, Tool } from "@licet/contract";
import { LicetError } from "@licet/contract";
import { digestOf, digestOfBytes } from "@licet/evidence";
import { materialFacts, materialityDigest } from "./materiality.ts";

/** A part of a release, addressed by its content. */
export type ReleaseComponent =
  | { readonly kind: "model"; readonly name: string; readonly digest: Digest; readonly provider: string; readonly model: string; readonly addressedBy: "content" | "reference" }
  | { readonly kind: "prompt"; readonly name: string; readonly digest: Digest; readonly role: "system" | "developer"; readonly form: "literal" }
  | {
      readonly kind: "prompt";
      readonly name: string;
      readonly digest: Digest;
      readonly role: "system" | "developer";
      readonly form: "template";
      readonly text: string;
      readonly holes: Readonly<Record<string, Hole>>;
    }
  | { readonly kind: "dataset"; readonly name: string; readonly digest: Digest; readonly sensitivity: string; readonly lineage?: Digest }
  | { readonly kind: "tool"; readonly name: string; readonly digest: Digest; readonly power: string }
  | { readonly kind: "service"; readonly name: string; readonly digest: Digest; readonly vendor: string };

export interface Release {
  readonly v: 1;
  /** What approvals, results and the ATO bind to: SHA-256 of RFC 8785 {v, materiality, facts, components}. */
  readonly digest: Digest;
  /** Digest of the list of immaterial paths that the facts were computed with. */
  readonly materiality: Digest;
  readonly facts: Readonly<Record<string, unknown>>;
  readonly components: readonly ReleaseComponent[];
  /** Digest of licet.yaml as written; binds nothing. */
  readonly fileDigest: Digest;
}

/** Computes the release from the pushed bundle alone: a project is one too. Throws `bundle_incomplete`. */
export function releaseOf(bundle: ReleaseBundle): Release {
  const facts = materialFacts(bundle.manifest);
  const components = componentsOf(bundle);
  const content = { v: 1 as const, materiality: materialityDigest, facts, components };
  return { ...content, digest: digestOf(content), fileDigest: digestOfBytes(bundle.manifestText) };
}

/** How a literal system or developer message is addressed: SHA-256 of its UTF-8 text, nothing trimmed. */
export function literalPromptDigest(text: string): Digest {
  return digestOfBytes(text);
}

/** How a tool is addressed: by what the model is told. `strict` absent means false, as on the wire. */
export function toolDigest(tool: { readonly name: string; readonly description: string; readonly parameters: unknown; readonly strict?: boolean | undefined }): Digest {
  return digestOf({ name: tool.name, description: tool.description, parameters: tool.parameters, strict: tool.strict ?? false });
}

function componentsOf(bundle: ReleaseBundle): readonly ReleaseComponent[] {
  const { models, prompts = [], datasets = [], tools = [], services = [] } = bundle.manifest.components;
  const files = new Map(bundle.files.map((file) => [file.path, file.digest]));
  const texts = new Map(bundle.prompts.map((prompt) => [prompt.name, prompt.text]));
  const schemas = new Map(bundle.tools.map((tool) => [tool.name, tool.schema]));
  const all: ReleaseComponent[] = [
    ...models.map((model) => modelComponent(model, files)),
    ...prompts.map((prompt): ReleaseComponent => {
      const text = present(texts.get(prompt.name), "prompt", prompt.name);
      const common = { kind: "prompt", name: prompt.name, role: prompt.role } as const;
      if (prompt.template === undefined) return { ...common, form: "literal", digest: literalPromptDigest(text) };
      const { holes } = prompt.template;
      return { ...common, form: "template", text, holes, digest: digestOf({ text, holes }) };
    }),
    ...datasets.map((dataset): ReleaseComponent => {
      const digest = dataset.file === undefined ? dataset.digest : files.get(dataset.file);
      return { kind: "dataset", name: dataset.name, digest: present(digest, "dataset", dataset.name), sensitivity: dataset.sensitivity, ...(dataset.lineage !== undefined && { lineage: present(files.get(dataset.lineage), "lineage", dataset.name) }) };
    }),
    ...tools.map((tool) => toolComponent(tool, schemas.get(tool.name))),
    ...services.map((service): ReleaseComponent => ({
      kind: "service",
      name: service.name,
      vendor: service.vendor,
      digest: digestOf({ vendor: service.vendor, endpoint: service.endpoint }),
    })),
  ];
  return all.sort((a, b) => compare(a.kind, b.kind) || compare(a.name, b.name));
}

function modelComponent(model: Model, files: ReadonlyMap<string, Digest>): ReleaseComponent {
  const common = { kind: "model", name: model.name, provider: model.provider, model: model.model } as const;
  const content = model.file === undefined ? model.digest : present(files.get(model.file), "model", model.name);
  if (content !== undefined) return { ...common, digest: content, addressedBy: "content" };
  // A hosted model's weights cannot be seen: what it is called is all there is to bind to.
  return { ...common, digest: digestOf({ provider: model.provider, model: model.model, version: model.version }), addressedBy: "reference" };
}

function toolComponent(tool: Tool, schema: unknown): ReleaseComponent {
  const parameters = present(schema, "tool", tool.name);
  return { kind: "tool", name: tool.name, power: tool.power, digest: toolDigest({ name: tool.name, description: tool.description, parameters, strict: tool.strict }) };
}

function present<T>(value: T | undefined, kind: string, name: string): T {
  if (value !== undefined) return value;
  throw new LicetError("bundle_incomplete", { message: `the content of the ${kind} \`${name}\` is not in the bundle`, at: { kind, name } });
}

/** By code unit, the same on every machine; locale order is not. */
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** One line for people about a component. */
export function componentDetail(component: ReleaseComponent): string {
  switch (component.kind) {
    case "model":
      return `${component.provider}/${component.model}, addressed by ${component.addressedBy}`;
    case "prompt":
      return `${component.role} message, ${component.form}`;
    case "dataset":
      return `${component.sensitivity} data${component.lineage === undefined ? "" : ", with its lineage"}`;
    case "tool":
      return `can ${component.power}`;
    case "service":
      return `by ${component.vendor}`;
    default:
      return component satisfies never;
  }
}
