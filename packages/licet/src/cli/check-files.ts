import type { Project } from "../inventory/project.ts";

interface ComponentPath {
  readonly path: string;
  readonly digest: string;
}

/** Declared models and data sets that have a file here. */
export function componentFiles(project: Pick<Project, "manifest" | "files">): Readonly<Record<string, ComponentPath>> {
  const digests = new Map(project.files.map((file) => [file.path, file.digest]));
  const { models, datasets = [] } = project.manifest.components;
  const files: Record<string, ComponentPath> = {};
  for (const { name, file } of [...models, ...datasets]) {
    const digest = file === undefined ? undefined : digests.get(file);
    if (file !== undefined && digest !== undefined) files[name] = { path: file, digest };
  }
  return files;
}
