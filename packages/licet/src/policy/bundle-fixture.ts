import { digestOf } from "@licet/evidence";
import type { PackManifest } from "@licet/contract";
import type { Bundle, BundlePolicy } from "./bundle-form.ts";
import type { PackSource } from "./pack.ts";
import { cedarWasm } from "./wasm.ts";

/** For tests: a bundle of policies as they are, with nothing of what the compiler would refuse refused. */
export function uncheckedBundle({ schema, texts }: { readonly schema: string; readonly texts: readonly string[] }): Bundle {
  const answer = cedarWasm().schemaToJsonWithResolvedTypes(schema);
  if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
  const content = { v: 2 as const, schema, schemaJson: answer.json, packs: [], policies: texts.flatMap(policiesIn), golden: [] };
  return { ...content, digest: digestOf(content) };
}

export function policiesIn(text: string): readonly BundlePolicy[] {
  const parts = cedarWasm().policySetTextToParts(text);
  if (parts.type === "failure") throw new Error(parts.errors.map(({ message }) => message).join("; "));
  return parts.policies.map((part) => {
    const parsed = cedarWasm().policyToJson(part);
    if (parsed.type === "failure") throw new Error(parsed.errors.map(({ message }) => message).join("; "));
    const { id = "", mode, ...annotations } = Object.fromEntries(Object.entries(parsed.json.annotations ?? {}).map(([name, value]) => [name, value ?? ""]));
    return { id, pack: "fixture", effect: parsed.json.effect, text: part, json: parsed.json, annotations, mode: mode === "warn" || mode === "shadow" ? mode : "enforce" };
  });
}

/** The bundle with one more policy, unchecked. */
export function withPolicy(bundle: Bundle, text: string): Bundle {
  const { digest: _, ...before } = bundle;
  const content = { ...before, golden: [], policies: [...before.policies, ...policiesIn(text)] };
  return { ...content, digest: digestOf(content) };
}

/** One pack of one file, with as many scenario files as given. */
export function packOf(manifest: Partial<PackManifest> & Pick<PackManifest, "name" | "kind">, policies: string, rest: { readonly schema?: string; readonly scenarios?: string } = {}): PackSource {
  return {
    name: manifest.name,
    manifest: { v: 1, title: manifest.name, description: "A pack of a test.", ...manifest },
    policies: [{ path: "policies.cedar", text: policies }],
    scenarios: rest.scenarios === undefined ? [] : [{ path: "tests/scenarios.yaml", text: rest.scenarios }],
    ...(rest.schema !== undefined && { schema: rest.schema }),
  };
}
