import { fetchSend, type DefenceTarget, type LanguageTargets, type Send } from "@licet/assurance";
import { isRecord, parseJson } from "@licet/evidence";
import { wireResponseFormat } from "../gateway/conform.ts";
import { conformingFields } from "../gateway/tested/tested-release.ts";
import { bundleOf, type Project } from "../inventory/project.ts";
import { releaseOf } from "../inventory/release.ts";

interface DefenceOptions {
  readonly endpoint: (name: string) => { readonly baseUrl: string; readonly credential?: string } | undefined;
  /** The declared system prompt as it stands in the manifest. */
  readonly prompt: (wanted: string | undefined) => string;
}

/** The gateway at an endpoint, for `llm.defence.replay`: the provider behind it is `licet check upstream`. */
export function defenceAt(project: Project, { endpoint, prompt }: DefenceOptions): NonNullable<LanguageTargets["defence"]> {
  const { models, prompts = [] } = project.manifest.components;
  const digests = new Map(releaseOf(bundleOf(project)).components.flatMap((each) => (each.kind === "model" ? [[each.name, each.digest] as const] : [])));
  const holes = prompts.flatMap(({ template }) => Object.keys(template?.holes ?? {}));
  return (name, wanted): DefenceTarget | undefined => {
    const model = models.find((each) => each.name === name);
    const digest = digests.get(name);
    const at = endpoint(name);
    if (model === undefined || digest === undefined || at === undefined) return undefined;
    const { responseFormat, parameters = {} } = model;
    const fields = { ...conformingFields({ bounds: parameters, responseFormat: responseFormat === undefined ? undefined : wireResponseFormat(responseFormat) }), model: name };
    const { baseUrl, credential } = at;
    // A template with nothing in its holes is one that the gateway takes for its own.
    const text = holes.reduce((filled, hole) => filled.replaceAll(`{{${hole}}}`, ""), prompt(wanted));
    return { digest, notes: [`replayed through \`${new URL(baseUrl).origin}\``], gateway: { baseUrl, model: name, prompt: text, ...(credential !== undefined && { credential }), sendWith: () => sendWith(fields) } };
  };
}

function sendWith(fields: Readonly<Record<string, unknown>>): Send {
  return (request) => {
    const body = parseJson(request.body);
    return fetchSend({ ...request, body: JSON.stringify({ ...(isRecord(body) ? body : {}), ...fields }) });
  };
}
