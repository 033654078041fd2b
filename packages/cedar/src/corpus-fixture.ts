import { policySetTextToParts, schemaToJson } from "@cedar-policy/cedar-wasm/nodejs";
import { existsSync, readFileSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { authorize } from "./authorize.ts";
import type { EntityStore } from "./entities.ts";
import { entityStore } from "./entity-store.ts";
import { wasmPolicyJson } from "./format-wasm-fixture.ts";
import type { EntityJson, PolicyJson, RequestJson, SchemaJson } from "./json.ts";
import { parseJson } from "./parse-json.ts";
import { compilePolicySet, type PolicySet } from "./policy-set.ts";
import { prepareRequest } from "./request.ts";
import { compileSchema, type Schema } from "./schema.ts";

/** Cedar's own integration tests, beside the repository: an archive, or wherever somebody unpacked it. */
export const corpusPath = fileURLToPath(new URL("../../../../shared/policy/cedar-corpus.tar.gz", import.meta.url));
export const corpusIsHere = existsSync(corpusPath);

export interface Corpus {
  readonly tests: readonly string[];
  read(name: string): string;
}

/** Opens the corpus from a directory or from its `.tar.gz`. */
export function openCorpus(path: string): Corpus {
  const files = statSync(path).isDirectory() ? filesBelow(path) : filesInTar(gunzipSync(readFileSync(path)));
  const tests = [...files.keys()].filter((name) => name.endsWith(".json") && !/entit(?:y|ies)\.json$/u.test(name)).sort();
  return {
    tests,
    read(name) {
      const read = files.get(name);
      if (read === undefined) throw new Error(`the corpus has no file \`${name}\``);
      return read();
    },
  };
}

function filesBelow(root: string): ReadonlyMap<string, () => string> {
  const names = readdirSync(root, { recursive: true, encoding: "utf8" });
  return new Map(names.map((name) => [name, () => readFileSync(join(root, name), "utf8")]));
}

const blockBytes = 512;

/** Plain tar, without long names: all that the archive is. */
function filesInTar(tar: Buffer): ReadonlyMap<string, () => string> {
  const files = new Map<string, () => string>();
  const text = (from: number, to: number) => tar.toString("latin1", from, to).replace(/\0.*$/su, "");
  for (let at = 0; at + blockBytes <= tar.length; ) {
    const begin = at + blockBytes;
    const size = Number.parseInt(text(at + 124, at + 136), 8) || 0;
    files.set(text(at, at + 100), () => tar.toString("utf8", begin, begin + size));
    at = begin + Math.ceil(size / blockBytes) * blockBytes;
  }
  return files;
}

interface CorpusTest {
  readonly policies: string;
  readonly entities: string;
  readonly schema: string;
  readonly requests: readonly CorpusRequest[];
}

interface CorpusRequest extends RequestJson {
  readonly validateRequest?: boolean;
  readonly decision: "allow" | "deny";
  readonly reason: readonly string[];
  readonly errors: readonly string[];
}

export interface CorpusDifference {
  readonly test: string;
  readonly request: number;
  readonly ours: string;
  readonly cedar: string;
}

export interface CorpusFigures {
  readonly tests: number;
  readonly policies: number;
  readonly requests: number;
  readonly same: number;
  readonly differences: readonly CorpusDifference[];
  /** Tests that cedar-wasm itself does not take, by its reason. */
  readonly skipped: Readonly<Record<string, number>>;
}

const differencesShownMax = 20;

/** Decides the corpus' requests and compares decision, reasons and erroring policies with those that Cedar recorded there. */
export function compareCorpus(corpus: Corpus, tests: readonly string[] = corpus.tests): CorpusFigures {
  const skipped: Record<string, number> = {};
  const figures = { tests: 0, policies: 0, requests: 0, same: 0, differences: new Array<CorpusDifference>(), skipped };
  for (const name of tests) {
    const test = parseJson(corpus.read(name));
    if (!isTest(test)) throw new Error(`\`${name}\` is no test of the corpus`);
    const world = readWorld(corpus, test);
    if (typeof world === "string") {
      figures.skipped[world] = (figures.skipped[world] ?? 0) + 1;
      continue;
    }
    figures.tests += 1;
    figures.policies += world.policies.policies.length;
    test.requests.forEach((request, index) => {
      const ours = decide(world, request);
      const cedar = outcome(request.decision, request.reason, request.errors);
      figures.requests += 1;
      if (ours === cedar) figures.same += 1;
      else if (figures.differences.length < differencesShownMax) figures.differences.push({ test: name, request: index, ours, cedar });
    });
  }
  return figures;
}

interface World {
  readonly policies: PolicySet;
  readonly schema: Schema;
  readonly store: EntityStore;
}

/** The test's policies and entities, or why cedar-wasm does not take its schema or policies. */
function readWorld(corpus: Corpus, test: CorpusTest): World | string {
  const schemaJson = schemaToJson(corpus.read(test.schema));
  if (schemaJson.type !== "success") return `schema: ${schemaJson.errors[0]?.message}`;
  const parts = policySetTextToParts(corpus.read(test.policies));
  if (parts.type !== "success") return `policies: ${parts.errors[0]?.message}`;
  const policies = readPolicies(parts.policies);
  if (typeof policies === "string") return policies;
  const entities = parseJson(corpus.read(test.entities));
  if (!isSchema(schemaJson.json) || !areEntities(entities)) throw new Error(`\`${test.entities}\` is no list, or the schema no object`);
  const schema = compileSchema(schemaJson.json);
  return { policies: compilePolicySet({ staticPolicies: policies }), schema, store: entityStore(entities, { schema }) };
}

function isTest(json: unknown): json is CorpusTest {
  return typeof json === "object" && json !== null && "requests" in json;
}

function isSchema(json: unknown): json is SchemaJson {
  return typeof json === "object" && json !== null;
}

function areEntities(json: unknown): json is readonly EntityJson[] {
  return Array.isArray(json);
}

function isPolicy(json: unknown): json is PolicyJson {
  return typeof json === "object" && json !== null;
}

/** The recorded ids count policies in the order of the text; cedar-wasm gives the parts sorted by those ids. */
function readPolicies(texts: readonly string[]): Record<string, PolicyJson> | string {
  const ids = texts.map((_, index) => `policy${index}`).sort();
  const policies: Record<string, PolicyJson> = {};
  for (const [index, text] of texts.entries()) {
    const json = wasmPolicyJson(text);
    if (typeof json === "string") return `policy: ${json}`;
    if (!isPolicy(json)) throw new Error("a policy is an object");
    policies[ids[index] ?? ""] = json;
  }
  return policies;
}

function decide({ policies, schema, store }: World, request: CorpusRequest): string {
  try {
    const prepared = prepareRequest(request, request.validateRequest === false ? {} : { schema });
    const { decision, reasons, errors } = authorize(policies, prepared, store);
    return outcome(decision, reasons, errors.map(({ policy }) => policy));
  } catch (error) {
    return `refused: ${String(error)}`;
  }
}

/** One text for what must be equal. */
export function outcome(decision: string, reasons: readonly string[], errors: readonly string[]): string {
  return `${decision} because of [${reasons.toSorted().join()}], errors in [${errors.toSorted().join()}]`;
}
