import { LicetError, ReleaseBundle } from "@licet/contract";
import { canonicalize } from "@licet/evidence";
import { refusedRead, type ComponentSources, type Read } from "./component-sources.ts";
import { diagnose } from "./diagnose.ts";
import { hasErrors } from "./diagnostic.ts";

/**
 * Judges a pushed bundle as if nothing in it were true: the manifest is read again from its text, with the same
 * diagnostics as on the pusher's machine, and every part must belong to it. Throws `manifest_invalid` (with
 * diagnostics), `bundle_incomplete`, `bundle_mismatch`. Weights and data were not sent: their digests are the pusher's word.
 */
export function checkedBundle(bundle: ReleaseBundle): ReleaseBundle {
  const diagnosis = diagnose({ bytes: new TextEncoder().encode(bundle.manifestText), file: "licet.yaml", sources: bundleSources(bundle) });
  if (diagnosis.accepted === undefined) {
    const missing = diagnosis.diagnostics.find((each) => each.code === "manifest_file_missing");
    if (missing !== undefined) throw new LicetError("bundle_incomplete", { message: missing.message, at: { pointer: missing.pointer } });
    throw new LicetError("manifest_invalid", { at: { diagnostics: diagnosis.diagnostics.filter((each) => hasErrors([each])) } });
  }
  const { manifest, contents } = diagnosis.accepted;
  const read = { v: bundle.v, manifest, manifestText: bundle.manifestText, prompts: contents.prompts, tools: contents.tools, files: contents.files };
  for (const part of ["manifest", "manifestText", "prompts", "tools", "files"] as const) {
    if (!same(read[part], bundle[part])) throw new LicetError("bundle_mismatch", { message: `\`${part}\` of the bundle is not what its manifest text says`, at: { part } });
  }
  return ReleaseBundle.parse(read);
}

/** What cannot be written canonically, such as hostile nesting, is the same as nothing. */
function same(a: unknown, b: unknown): boolean {
  try {
    return ordered(a) === ordered(b);
  } catch {
    return false;
  }
}

/** Parts are sets: their order on the wire says nothing. */
function ordered(part: unknown): string {
  return canonicalize(Array.isArray(part) ? part.map((item) => canonicalize(item)).sort() : part);
}

function bundleSources(bundle: ReleaseBundle): ComponentSources {
  const prompts = new Map(bundle.prompts.map((each) => [each.name, each.text]));
  const tools = new Map(bundle.tools.map((each) => [each.name, each.schema]));
  const files = new Map(bundle.files.map(({ path, digest, bytes }) => [path, { digest, bytes }]));
  return {
    promptText: (prompt) => (prompt.text === undefined ? pushed(prompts.get(prompt.name), prompt.file) : { kind: "read", value: prompt.text }),
    toolSchema: (tool) => (tool.schema === undefined ? pushed(tools.get(tool.name), tool.file) : { kind: "read", value: tool.schema }),
    fileFacts: (path) => pushed(files.get(path), path),
  };
}

function pushed<T>(value: T | undefined, path: string | undefined): Read<T> {
  return value === undefined ? refusedRead("manifest_file_missing", `\`${path ?? ""}\` was not pushed`) : { kind: "read", value };
}
