import { openChat, type LanguageTargets } from "@licet/assurance";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";
import { UsageError } from "./failure.ts";

export interface EndpointOptions {
  /** `URL` for every model, or `NAME=URL` for one. */
  readonly endpoint?: readonly string[];
  /** Environment variable with the credential. */
  readonly endpointKey?: string;
  readonly dialect?: string;
  readonly queries?: string;
  readonly tokens?: string;
  readonly seconds?: string;
}

/** Where the declared models of providers answer, as the command line says it. Undefined where it says nothing. */
export function languageTargets(project: Project, options: EndpointOptions): LanguageTargets | undefined {
  const addresses = new Map((options.endpoint ?? []).map(addressOf));
  if (addresses.size === 0) return undefined;
  const { dialect = "openai" } = options;
  if (dialect !== "openai" && dialect !== "anthropic") throw new UsageError("`--dialect` is openai or anthropic");
  const credential = options.endpointKey === undefined ? undefined : process.env[options.endpointKey];
  if (options.endpointKey !== undefined && credential === undefined) throw new UsageError(`the variable \`${options.endpointKey}\` is not set`);
  const models = new Map(releaseOf(bundleOf(project)).components.flatMap((each) => (each.kind === "model" ? [[each.name, each] as const] : [])));
  return {
    open: (name) => {
      const model = models.get(name);
      const baseUrl = addresses.get(name) ?? addresses.get("");
      return model === undefined || baseUrl === undefined ? undefined : { chat: openChat({ dialect, baseUrl, model: model.model, ...(credential !== undefined && { credential }) }), digest: model.digest };
    },
    system: (prompt) => ({ prompt: promptOf(project, prompt) }),
    budget: budgetOf(options),
  };
}

function addressOf(text: string): readonly [string, string] {
  const [, name = "", url = ""] = /^(?:([a-z0-9-]+)=)?(https?:\/\/.+)$/u.exec(text) ?? [];
  if (!URL.canParse(url)) throw new UsageError(`\`${text}\`: give an endpoint as https://host/v1, or as NAME=https://host/v1 for one model`);
  return [name, url];
}

function promptOf({ manifest, prompts }: Project, wanted: string | undefined): string {
  const declared = (manifest.components.prompts ?? []).filter(({ role, name }) => role === "system" && (wanted === undefined || name === wanted));
  const [only, another] = declared;
  if (wanted !== undefined && only === undefined) throw new UsageError(`the manifest declares no system prompt \`${wanted}\``);
  if (another !== undefined) throw new UsageError("the manifest declares several system prompts: name one in the check with `prompt`");
  return prompts.find(({ name }) => name === only?.name)?.text ?? "";
}

function budgetOf({ queries, tokens, seconds }: EndpointOptions): NonNullable<LanguageTargets["budget"]> {
  const number = (text: string | undefined, name: string): number | undefined => {
    if (text === undefined) return undefined;
    const value = Number(text);
    if (!(value > 0)) throw new UsageError(`\`${name}\` is a number above 0`);
    return value;
  };
  const [queriesMax, tokensMax, secondsMax] = [number(queries, "--queries"), number(tokens, "--tokens"), number(seconds, "--seconds")];
  return { ...(queriesMax && { queriesMax }), ...(tokensMax && { tokensMax }), ...(secondsMax && { timeMsMax: secondsMax * 1000 }) };
}
