import { policySetTextToParts, policyToJson, schemaToJson } from "@cedar-policy/cedar-wasm/nodejs";
import type { PolicyJson, SchemaJson } from "@licet/cedar";
import type { PackSource } from "@licet/contract";
import type { Bundle } from "../policy/bundle-form.ts";
import { createDecider } from "../policy/decide.ts";
import { applicationPolicies } from "./application.ts";
import { Applications } from "./applications.ts";
import { ApplicationData } from "./data.ts";
import type { CedarEntity } from "../policy/request.ts";

type Policies = Bundle["policies"];

/** The applications of a space from pack sources alone, for tests that need no server and no publication. */
export function applicationsOf(packs: readonly PackSource[], entities: readonly CedarEntity[]): Applications {
  const schemaJson = schemaOf(packs.map(({ schema }) => schema ?? "").join("\n"));
  const policies: Policies = packs.flatMap((pack) => pack.policies.flatMap(({ text }) => partsOf(text)).map((text) => policyOf(pack.name, text)));
  const digest = `sha256:${"d".repeat(64)}`;
  const bundle: Bundle = { v: 2, schema: "", golden: [], digest, packs: packs.map(({ name, manifest }) => ({ name, title: manifest.title, description: manifest.description, kind: "application" as const, digest: "", scenarios: 0, covered: [], authzen: manifest.authzen })), policies, schemaJson };
  return new Applications({ space: "main", digest, decider: createDecider(bundle), policies: applicationPolicies(bundle), data: new ApplicationData(entities) });
}

function schemaOf(text: string): SchemaJson {
  const answer = schemaToJson(text);
  if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
  const json: SchemaJson = JSON.parse(JSON.stringify(answer.json));
  return json;
}

function partsOf(text: string): readonly string[] {
  const answer = policySetTextToParts(text);
  if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
  return answer.policies;
}

function policyOf(pack: string, text: string): Policies[number] {
  const answer = policyToJson(text);
  if (answer.type === "failure") throw new Error(answer.errors.map(({ message }) => message).join("; "));
  const json: PolicyJson = JSON.parse(JSON.stringify(answer.json));
  const annotations = Object.fromEntries(Object.entries(json.annotations ?? {}).map(([name, value]) => [name, value ?? ""]));
  return { id: annotations["id"] ?? "", pack, effect: json.effect, text, json, annotations, mode: "enforce" };
}
