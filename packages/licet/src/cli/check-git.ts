import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { posix, relative } from "node:path";
import { Tool } from "@licet/contract";
import { refusedRead, type ComponentSources, type Read } from "../inventory/component-sources.ts";
import { diagnose } from "../inventory/diagnose.ts";
import type { Project } from "../inventory/project.ts";
import { parseYaml } from "../inventory/yaml-document.ts";
import { UsageError } from "./failure.ts";

const blobBytesMax = 1024 * 1024 * 1024;

/** The project as a commit has it; undefined where its manifest is not there or has errors. Throws `UsageError` where there is no such commit. */
export function projectAt(project: Project, ref: string): Project | undefined {
  const prefix = prefixAt(project.folder, ref);
  const blob = (path: string): Buffer | undefined => {
    const place = posix.normalize(`${prefix}${path}`);
    if (place.startsWith("../") || place.startsWith("/")) return undefined;
    return git(project.folder, ["show", `${ref}:${place}`]);
  };
  const bytes = blob(relative(project.folder, project.file));
  const accepted = bytes === undefined ? undefined : diagnose({ bytes, file: project.file, sources: sourcesOf(blob) }).accepted;
  if (accepted === undefined) return undefined;
  const { manifest, contents } = accepted;
  return { ...project, manifest, prompts: [...contents.prompts], tools: [...contents.tools], files: [...contents.files] };
}

function prefixAt(folder: string, ref: string): string {
  // What begins with a dash would be an option of git.
  const found = ref.startsWith("-") ? undefined : git(folder, ["rev-parse", "--verify", "--quiet", `${ref}^{commit}`]);
  const prefix = found === undefined ? undefined : git(folder, ["rev-parse", "--show-prefix"]);
  if (prefix === undefined) throw new UsageError(`\`${ref}\` is no commit of a repository around \`${folder}\`: fetch it, or name another`);
  return prefix.toString("utf8").trim();
}

function git(folder: string, args: readonly string[]): Buffer | undefined {
  try {
    return execFileSync("git", ["-C", folder, ...args], { maxBuffer: blobBytesMax, stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

function sourcesOf(blob: (path: string) => Buffer | undefined): ComponentSources {
  const missing = (path: string): Read<never> => refusedRead("manifest_file_missing", `\`${path}\` is not in the commit`);
  return {
    promptText: ({ text, file = "" }) => {
      if (text !== undefined) return { kind: "read", value: text };
      const found = blob(file);
      return found === undefined ? missing(file) : { kind: "read", value: found.toString("utf8") };
    },
    toolSchema: ({ schema, file = "" }) => {
      if (schema !== undefined) return { kind: "read", value: schema };
      const parsed = parseYaml(blob(file)?.toString("utf8") ?? "");
      const found = Tool.shape.schema.unwrap().safeParse(parsed.kind === "document" ? parsed.document.data : undefined).data;
      return found === undefined ? missing(file) : { kind: "read", value: found };
    },
    fileFacts: (path) => {
      const found = blob(path);
      return found === undefined ? missing(path) : { kind: "read", value: { digest: digestOfBlob(found), bytes: found.length } };
    },
  };
}

const pointerBytesMax = 1024;

/** Of a file that Git LFS keeps elsewhere, the commit holds the digest itself. */
function digestOfBlob(bytes: Buffer): `sha256:${string}` {
  const text = bytes.length > pointerBytesMax ? "" : bytes.toString("latin1");
  const [, pointed] = /^version https:\/\/git-lfs[^\n]*\noid sha256:([0-9a-f]{64})\n/u.exec(text) ?? [];
  return `sha256:${pointed ?? createHash("sha256").update(bytes).digest("hex")}`;
}
