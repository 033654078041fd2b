import { componentKinds, componentsMax, Dataset, Model, Prompt, Service, Tool, type Manifest } from "@licet/contract";
import { isRecord } from "@licet/evidence";
import type { z } from "zod";
import type { Path, Problem } from "./diagnostic.ts";

/** A part of the manifest that has the right shape, whatever is wrong elsewhere. */
export interface Declared<T> {
  readonly value: T;
  readonly path: Path;
}

/** The components that can be read, so that one broken line does not hide what is wrong with the others. */
export interface DeclaredComponents {
  readonly models: readonly Declared<Model>[];
  readonly prompts: readonly Declared<Prompt>[];
  readonly datasets: readonly Declared<Dataset>[];
  readonly tools: readonly Declared<Tool>[];
  readonly services: readonly Declared<Service>[];
}

export function declaredComponents(data: unknown): DeclaredComponents {
  return {
    models: items(data, "models", Model),
    prompts: items(data, "prompts", Prompt),
    datasets: items(data, "datasets", Dataset),
    tools: items(data, "tools", Tool),
    services: items(data, "services", Service),
  };
}

/** The same from a manifest that has the right shape as a whole: nothing is parsed twice. */
export function acceptedComponents({ components }: Manifest): DeclaredComponents {
  const placed = <T>(kind: string, list: readonly T[] = []) => list.map((value, index) => ({ value, path: ["components", kind, index] }));
  return {
    models: placed("models", components.models),
    prompts: placed("prompts", components.prompts),
    datasets: placed("datasets", components.datasets),
    tools: placed("tools", components.tools),
    services: placed("services", components.services),
  };
}

/** The value under a top-level key, if it has the right shape. */
export function declaredPart<S extends z.ZodType>(data: unknown, key: string, schema: S): z.output<S> | undefined {
  const result = schema.safeParse(isRecord(data) ? data[key] : undefined);
  return result.success ? result.data : undefined;
}

/** Counted before anything else is done with them. */
export function tooManyComponents(data: unknown): Problem | undefined {
  const count = componentKinds.reduce((sum, kind) => sum + list(data, kind).length, 0);
  if (count <= componentsMax) return undefined;
  return { code: "manifest_too_many_components", message: `the manifest declares ${count} components; ${componentsMax} are allowed`, path: ["components"], atKey: true };
}

function items<S extends z.ZodType>(data: unknown, kind: (typeof componentKinds)[number], schema: S): readonly Declared<z.output<S>>[] {
  return list(data, kind).flatMap((item, index) => {
    const result = schema.safeParse(item);
    return result.success ? [{ value: result.data, path: ["components", kind, index] }] : [];
  });
}

function list(data: unknown, kind: string): readonly unknown[] {
  const components = isRecord(data) ? data["components"] : undefined;
  const found: unknown = isRecord(components) ? components[kind] : undefined;
  return Array.isArray(found) ? found : [];
}
