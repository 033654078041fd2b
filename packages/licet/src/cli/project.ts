import { existsSync } from "node:fs";
import { join } from "node:path";
import { manifestFileName } from "@licet/contract";
import { bundleOf, readProject, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { UsageError } from "./failure.ts";
import type { ServerOptions } from "./session.ts";

export interface SubjectOptions extends ServerOptions {
  readonly dir: string;
  readonly system?: string;
}

export interface Here {
  readonly system: string;
  /** Absent when a system was named: then the server's latest release is meant. */
  readonly release?: string;
  readonly project?: Project;
}

/** The system that a command is about: the one named, else that of the folder. */
export function projectHere(options: SubjectOptions): Here {
  if (options.system !== undefined) return { system: options.system };
  if (!existsSync(join(options.dir, manifestFileName)) && !existsSync(options.dir)) {
    throw new UsageError(`there is no \`${join(options.dir, manifestFileName)}\`: give --dir or --system`);
  }
  const project = readProject(options.dir);
  return { system: project.manifest.name, release: releaseOf(bundleOf(project)).digest, project };
}
