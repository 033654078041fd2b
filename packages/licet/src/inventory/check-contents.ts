import type { Dataset, Prompt, Tool } from "@licet/contract";
import type { ComponentSources, FileFacts, JsonSchema, Read } from "./component-sources.ts";
import type { Declared, DeclaredComponents } from "./declared.ts";
import { quoted, type Path, type Problem } from "./diagnostic.ts";
import { holesIn } from "./hole-pattern.ts";

/** The contents that a manifest refers to, and what is wrong with them. */
export interface Contents {
  readonly prompts: readonly { readonly name: string; readonly text: string }[];
  readonly tools: readonly { readonly name: string; readonly schema: JsonSchema }[];
  readonly files: readonly ({ readonly path: string } & FileFacts)[];
  readonly problems: readonly Problem[];
}

export function checkContents({ models, prompts, datasets, tools }: DeclaredComponents, sources: ComponentSources): Contents {
  const problems: Problem[] = [];
  const keep = <T>(read: Read<T>, path: Path): readonly T[] => {
    if (read.kind === "read") return [read.value];
    problems.push({ code: read.code, message: read.message, path });
    return [];
  };
  const files = new Map<string, FileFacts>();
  for (const { value, path } of [...models, ...datasets]) {
    if (value.file === undefined) continue;
    for (const facts of keep(sources.fileFacts(value.file), [...path, "file"])) {
      files.set(value.file, facts);
      if (value.digest !== undefined && value.digest !== facts.digest) {
        problems.push({ code: "manifest_digest_differs", message: `${quoted(value.file)} has the digest ${facts.digest}`, path: [...path, "digest"] });
      }
    }
  }
  for (const { value, path } of datasets) {
    if (value.lineage === undefined) continue;
    for (const facts of keep(sources.fileFacts(value.lineage), [...path, "lineage"])) files.set(value.lineage, facts);
  }
  return {
    prompts: prompts.filter(({ value }) => given(value.file, value.text)).flatMap(({ value, path }) => keep(sources.promptText(value), [...path, "file"]).map((text) => ({ name: value.name, text }))),
    tools: tools.filter(({ value }) => given(value.file, value.schema)).flatMap(({ value, path }) => keep(sources.toolSchema(value), [...path, "file"]).map((schema) => ({ name: value.name, schema }))),
    files: [...files].map(([path, facts]) => ({ path, ...facts })),
    problems: [...problems, ...prompts.flatMap((prompt) => holes(prompt, sources)), ...datasets.flatMap((dataset) => strangeLineage(dataset, { sources, files }))],
  };
}

/** A lineage must be that of the data beside it. One that cannot be found was told already. */
function strangeLineage({ value, path }: Declared<Dataset>, { sources, files }: { readonly sources: ComponentSources; readonly files: ReadonlyMap<string, FileFacts> }): readonly Problem[] {
  if (value.lineage === undefined || sources.lineage === undefined || !files.has(value.lineage)) return [];
  const place = [...path, "lineage"];
  const read = sources.lineage(value.lineage);
  if (read.kind === "refused") return [{ code: read.code, message: read.message, path: place }];
  const data = value.file === undefined ? value.digest : files.get(value.file)?.digest;
  const { digest } = read.value.output;
  return data === undefined || digest === data ? [] : [{ code: "manifest_digest_differs", message: `${quoted(value.lineage)} is the lineage of other data: ${digest}`, path: place }];
}

function given(file: Tool["file"], inline: Prompt["text"] | Tool["schema"]): boolean {
  return (file === undefined) !== (inline === undefined);
}

function holes({ value, path }: Declared<Prompt>, sources: ComponentSources): readonly Problem[] {
  if (!given(value.file, value.text)) return [];
  const read = sources.promptText(value);
  if (read.kind === "refused") return [];
  const inText = holesIn(read.value);
  const declared = Object.keys(value.template?.holes ?? {});
  const place = [...path, value.file === undefined ? "text" : "file"];
  return [
    ...inText.filter((hole) => !declared.includes(hole)).map((hole): Problem => undeclared(hole, place, value.template !== undefined)),
    ...declared.filter((hole) => !inText.includes(hole)).map((hole): Problem => ({ code: "manifest_hole_unused", message: `the hole ${quoted(hole)} does not occur in the text`, path: [...path, "template", "holes", hole], atKey: true })),
  ];
}

/** In a literal prompt the braces may be meant as they stand, so there it is only a warning. */
function undeclared(hole: string, path: Path, template: boolean): Problem {
  const message = `${quoted(`{{${hole}}}`)} is not declared as a hole`;
  return { code: "manifest_hole_undeclared", message, path, severity: template ? "error" : "warning" };
}
