import type { ModelsOptions, ServedModel } from "@licet/assurance";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { endpointsOf, type EndpointOptions } from "./check-endpoints.ts";

/**
 * Where declared models that predict and have no file answer, as the command line says it, and what a check may spend on
 * them. An endpoint never stands in for a file: what is declared by its bytes is tested by its bytes.
 */
export function servedModels(project: Project, options: EndpointOptions, queryBudget: ModelsOptions["queryBudget"] = {}): ModelsOptions {
  const endpoints = endpointsOf(options);
  if (endpoints === undefined) return {};
  const components = new Map(releaseOf(bundleOf(project)).components.flatMap((each) => (each.kind === "model" ? [[each.name, each] as const] : [])));
  const served: Record<string, ServedModel> = {};
  for (const { name, model, version, file, scoring } of project.manifest.components.models) {
    const endpoint = endpoints(name);
    const component = components.get(name);
    if (file !== undefined || endpoint === undefined || component === undefined) continue;
    served[name] = {
      ...endpoint,
      model,
      digest: component.digest,
      ...(version !== undefined && { version }),
      ...(component.addressedBy === "content" && { weights: component.digest }),
      ...(scoring !== undefined && { scoring }),
    };
  }
  return { served, queryBudget };
}
