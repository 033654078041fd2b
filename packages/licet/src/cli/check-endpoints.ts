import { createHash } from "node:crypto";
import { join } from "node:path";
import { fetchSend, openChat, type Endpoint, type LanguageTargets, type ResumedTargets } from "@licet/assurance";
import { defenceAt } from "./check-defence.ts";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { KeptAnswers, modelVersion } from "./check-answers.ts";
import type { CheckBudget } from "./check-budget.ts";
import type { ModelPrice } from "./check-prices.ts";
import { UsageError } from "./failure.ts";

export interface EndpointOptions {
  /** `URL` for every model, or `NAME=URL` for one. */
  readonly endpoint?: readonly string[];
  /** Environment variable with the credential: `VARIABLE` for every model, or `NAME=VARIABLE` for one. */
  readonly endpointKey?: readonly string[];
  readonly dialect?: string;
}

/** One answer, for whoever counts what is spent. */
export interface Answered {
  readonly tokens: number;
  readonly money: number;
}

/** How questions are asked during a run. */
export interface Asking {
  readonly shares: ReadonlyMap<string, CheckBudget>;
  /** Milliseconds since the epoch after which no attempt begins. */
  readonly until?: number;
  readonly prices: Readonly<Record<string, ModelPrice>>;
  /** Folder of answers of this run; absent where nothing is kept. */
  readonly answers?: string;
  readonly onAnswer?: (check: string, answered: Answered) => void;
}

interface Opening {
  readonly endpoint: Endpoint;
  readonly digest: string;
}

/** Where the declared models of providers answer, as the command line says it. Undefined where it says nothing. */
export function languageTargets(project: Project, options: EndpointOptions, asking?: Asking): LanguageTargets | undefined {
  const endpoints = endpointsOf(options);
  if (endpoints === undefined) return undefined;
  const { dialect = "openai" } = options;
  if (dialect !== "openai" && dialect !== "anthropic") throw new UsageError("`--dialect` is openai or anthropic");
  const models = new Map(releaseOf(bundleOf(project)).components.flatMap((each) => (each.kind === "model" ? [[each.name, each] as const] : [])));
  const opening = (name: string): Opening | undefined => {
    const model = models.get(name);
    const endpoint = endpoints(name);
    if (model === undefined || endpoint === undefined) return undefined;
    const { address, credential } = endpoint;
    return { endpoint: { dialect, baseUrl: address, model: model.model, ...(credential !== undefined && { credential }) }, digest: model.digest };
  };
  const targets: LanguageTargets = {
    open: (name) => {
      const found = opening(name);
      return found === undefined ? undefined : { chat: openChat(found.endpoint), digest: found.digest };
    },
    system: (prompt) => ({ prompt: promptOf(project, prompt) }),
    defence: defenceAt(project, { endpoint: (name) => opening(name)?.endpoint, prompt: (wanted) => promptOf(project, wanted) }),
  };
  return asking === undefined ? targets : { ...targets, forCheck: (check) => resumed(check, { targets, opening, asking }) };
}

interface Resuming {
  readonly targets: LanguageTargets;
  readonly opening: (name: string) => Opening | undefined;
  readonly asking: Asking;
}

function resumed(check: { readonly id: string; readonly seed: string }, { targets, opening, asking }: Resuming): ResumedTargets {
  const kept: KeptAnswers[] = [];
  const open: LanguageTargets["open"] = (name) => {
    const found = opening(name);
    if (found === undefined) return undefined;
    const { endpoint, digest } = found;
    const answers = asking.answers === undefined ? undefined : new KeptAnswers(answersOf(check.seed, found, asking.answers));
    if (answers !== undefined) kept.push(answers);
    const chat = openChat(endpoint, { send: answers?.through(fetchSend) ?? fetchSend });
    const price = asking.prices[name];
    return {
      digest,
      chat: async (request) => {
        const reply = await chat(request);
        const { promptTokens = 0, completionTokens = 0 } = reply.usage ?? {};
        asking.onAnswer?.(check.id, { tokens: promptTokens + completionTokens, money: price === undefined ? 0 : (promptTokens * price.prompt + completionTokens * price.completion) / 1e6 });
        return reply;
      },
    };
  };
  return { targets: { ...targets, open, budget: budgetOf(check.id, asking) }, changed: () => kept.some(({ changed }) => changed) };
}

/** Of several models of one check the dearest price counts, so that a share is never overdrawn. */
function budgetOf(check: string, { shares, until, prices }: Asking): NonNullable<LanguageTargets["budget"]> {
  const all = Object.values(prices);
  const price = all.length === 0 ? undefined : { prompt: Math.max(...all.map(({ prompt }) => prompt)), completion: Math.max(...all.map(({ completion }) => completion)) };
  return { ...shares.get(check), ...(price && { price }), ...(until !== undefined && { timeMsMax: Math.max(0, until - Date.now()) }) };
}

function answersOf(seed: string, { endpoint, digest }: Opening, folder: string): ConstructorParameters<typeof KeptAnswers>[0] {
  const { baseUrl, dialect, model, credential } = endpoint;
  const scope = ["1", digest, dialect, baseUrl, model, seed];
  const headers = dialect === "anthropic" ? { "anthropic-version": "2023-06-01", ...(credential !== undefined && { "x-api-key": credential }) } : { ...(credential !== undefined && { authorization: `Bearer ${credential}` }) };
  return { file: join(folder, `${createHash("sha256").update(JSON.stringify(scope)).digest("hex")}.jsonl`), scope, version: () => modelVersion({ baseUrl, model, headers }) };
}

export interface ModelEndpoint {
  readonly address: string;
  readonly credential?: string;
}

/** Where a model answers by its name. Undefined where the command line says nothing of endpoints. */
export function endpointsOf({ endpoint = [], endpointKey = [] }: EndpointOptions): ((name: string) => ModelEndpoint | undefined) | undefined {
  const addresses = new Map(endpoint.map(addressOf));
  if (addresses.size === 0) return undefined;
  const variables = new Map(endpointKey.map(variableOf));
  return (name) => {
    const address = addresses.get(name) ?? addresses.get("");
    const credential = variables.get(name) ?? variables.get("");
    return address === undefined ? undefined : { address, ...(credential !== undefined && { credential }) };
  };
}

function addressOf(text: string): readonly [string, string] {
  const [, name = "", url = ""] = /^(?:([a-z0-9-]+)=)?(https?:\/\/.+)$/u.exec(text) ?? [];
  if (!URL.canParse(url)) throw new UsageError(`\`${text}\`: give an endpoint as https://host/v1, or as NAME=https://host/v1 for one model`);
  return [name, url];
}

function variableOf(text: string): readonly [string, string] {
  const at = text.indexOf("=");
  const [name, variable] = at < 0 ? ["", text] : [text.slice(0, at), text.slice(at + 1)];
  const credential = process.env[variable];
  if (credential === undefined) throw new UsageError(`the variable \`${variable}\` is not set`);
  return [name, credential];
}

function promptOf({ manifest, prompts }: Project, wanted: string | undefined): string {
  const declared = (manifest.components.prompts ?? []).filter(({ role, name }) => role === "system" && (wanted === undefined || name === wanted));
  const [only, another] = declared;
  if (wanted !== undefined && only === undefined) throw new UsageError(`the manifest declares no system prompt \`${wanted}\``);
  if (another !== undefined) throw new UsageError("the manifest declares several system prompts: name one in the check with `prompt`");
  return prompts.find(({ name }) => name === only?.name)?.text ?? "";
}
