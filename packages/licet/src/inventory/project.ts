import { readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { LicetError, manifestBytesMax, manifestFileName, type ReleaseBundle } from "@licet/contract";
import { diagnose, type Diagnosis } from "./diagnose.ts";
import { quoted } from "./diagnostic.ts";
import { folderSources } from "./folder-sources.ts";

/** A manifest with the contents it refers to, gathered from a folder: a bundle that also knows where it lies. */
export interface Project extends ReleaseBundle {
  readonly folder: string;
  readonly file: string;
}

export interface OpenedProject {
  readonly file: string;
  readonly folder: string;
  readonly diagnosis: Diagnosis;
  /** Present exactly when the diagnosis holds no error. */
  readonly project?: Project;
}

/** Opens a manifest by its path or its folder's. Throws `manifest_unreadable`; what is wrong inside is in the diagnosis. */
export function openProject(path: string): OpenedProject {
  const file = manifestPath(path);
  const folder = dirname(file);
  const diagnosis = diagnose({ bytes: readManifest(file), file, sources: folderSources(folder) });
  if (diagnosis.accepted === undefined) return { file, folder, diagnosis };
  const { manifest, contents } = diagnosis.accepted;
  const { prompts, tools, files } = contents;
  const project: Project = { v: 1, manifest, manifestText: diagnosis.source.text, prompts: [...prompts], tools: [...tools], files: [...files], folder, file };
  return { file, folder, diagnosis, project };
}

/** A project without errors. Throws `manifest_unreadable`, and `manifest_invalid` with the diagnostics. */
export function readProject(path: string): Project {
  const { project, file, diagnosis } = openProject(path);
  if (project !== undefined) return project;
  const errors = diagnosis.diagnostics.filter((each) => each.severity === "error");
  throw new LicetError("manifest_invalid", { message: `${quoted(file)} has ${errors.length} error${errors.length === 1 ? "" : "s"}`, at: { diagnostics: errors } });
}

/** What `licet push` sends. */
export function bundleOf(project: Project): ReleaseBundle {
  const { folder: _folder, file: _file, ...bundle } = project;
  return bundle;
}

function manifestPath(path: string): string {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat?.isDirectory() === true ? join(path, manifestFileName) : path;
}

/** One byte over the bound is enough to tell that a file is too large. */
function readManifest(file: string): Uint8Array {
  try {
    const stat = statSync(file);
    if (!stat.isFile()) throw new LicetError("manifest_unreadable", { message: `${quoted(file)} is not a regular file` });
    return stat.size > manifestBytesMax ? new Uint8Array(manifestBytesMax + 1) : readFileSync(file);
  } catch (cause) {
    if (cause instanceof LicetError) throw cause;
    const missing = cause instanceof Error && "code" in cause && cause.code === "ENOENT";
    throw new LicetError("manifest_unreadable", { message: `${quoted(file)} ${missing ? "does not exist" : "cannot be read"}`, cause });
  }
}
