import { createHash } from "node:crypto";
import type { PolicyJson } from "@licet/cedar";
import { LicetError } from "@licet/contract";
import { canonicalize, digestOf, isRecord, parseJson } from "@licet/evidence";
import type { Bundle, BundlePolicy } from "./bundle-form.ts";
import { capPolicyText, capSchemaText } from "./caps.ts";
import { createDecider } from "./decide.ts";
import { replayGolden } from "./golden.ts";
import { cedarWasm } from "./wasm.ts";

/**
 * A bundle as it stands in the record, proven: its content still has `digest`, and `@licet/cedar` decides its golden
 * requests as cedar-wasm did. Throws `policy_bundle_changed` and `policy_golden`. Version 1, of older data directories,
 * has no golden decisions and is parsed anew by cedar-wasm.
 */
export function readBundle(json: string, digest: string): Bundle {
  const value = parsed(json);
  if (!hasDigest(value, json, digest)) throw new LicetError("policy_bundle_changed");
  const bundle = isVersion2(value) ? { ...value, digest } : isVersion1(value) ? fromVersion1(value, digest) : undefined;
  if (bundle === undefined) throw new LicetError("policy_bundle_changed", { message: "the bundle in the record has a form that this version of Licet does not know" });
  // Its digest says that this very content was compiled and checked when it was published.
  replayGolden(bundle, createDecider(bundle, { lazily: true }));
  return bundle;
}

/** The text that `readBundle` reads: everything but the digest, in canonical form. */
export function bundleJson(bundle: Bundle): string {
  return canonicalize({ ...bundle, digest: undefined });
}

function parsed(json: string): unknown {
  try {
    return parseJson(json);
  } catch (cause) {
    throw new LicetError("policy_bundle_changed", { cause });
  }
}

/** Canonical text needs no second writing. */
function hasDigest(value: unknown, json: string, digest: string): boolean {
  return `sha256:${createHash("sha256").update(json).digest("hex")}` === digest || digestOf(value) === digest;
}

type Content = Omit<Bundle, "digest">;

/** The digest vouches for what this server wrote; only the form is asked. */
function isVersion2(value: unknown): value is Content {
  if (!isRecord(value) || value["v"] !== 2) return false;
  return typeof value["schema"] === "string" && isRecord(value["schemaJson"]) && ["packs", "policies", "golden"].every((name) => Array.isArray(value[name]));
}

interface Version1 {
  readonly v: 1;
  readonly schema: string;
  readonly policies: readonly { readonly id: string; readonly effect: "permit" | "forbid"; readonly text: string; readonly annotations: Readonly<Record<string, string>> }[];
}

function isVersion1(value: unknown): value is Version1 {
  if (!isRecord(value) || value["v"] !== 1 || typeof value["schema"] !== "string") return false;
  const { policies } = value;
  return Array.isArray(policies) && policies.every((policy: unknown) => isRecord(policy) && typeof policy["id"] === "string" && typeof policy["text"] === "string" && isRecord(policy["annotations"]));
}

/** The texts were validated when they were published, and passed the same caps. */
function fromVersion1({ schema, policies }: Version1, digest: string): Bundle {
  capSchemaText(schema);
  const schemaAnswer = cedarWasm().schemaToJsonWithResolvedTypes(schema);
  if (schemaAnswer.type === "failure") throw new LicetError("policy_bundle_changed", { message: "the schema of the bundle in the record is none" });
  return { v: 2, schema, schemaJson: schemaAnswer.json, packs: [], policies: policies.map(policyOfVersion1), golden: [], digest };
}

function policyOfVersion1({ id, text, annotations }: Version1["policies"][number]): BundlePolicy {
  capPolicyText(text);
  const answer = cedarWasm().policyToJson(text);
  if (answer.type === "failure") throw new LicetError("policy_bundle_changed", { message: `policy \`${id}\` of the bundle in the record is none` });
  const json: PolicyJson = answer.json;
  return { id, pack: "licet", effect: json.effect, text, json, annotations, mode: "enforce" };
}
