import { declaredModel } from "../conform.ts";
import { registered, undeclared, type Asking } from "../judge.ts";
import { protocolOf } from "../provider.ts";
import { refuse, shown, type Refusal } from "../refusal.ts";
import type { ModelView, ProviderView } from "../snapshot.ts";
import { permits, type StorePower } from "./power.ts";

/** Whose files they are: a model that may read them, and its provider. */
export interface Served {
  readonly model: ModelView;
  readonly provider: ProviderView;
}

export type ServedBy = { readonly served: Served } | { readonly refusal: Refusal };

/** Names the model that is meant, where the release's models are of several providers. */
export const modelHeader = "x-licet-model";

/** The provider that the release's models use with this power; nothing is guessed where there are several. */
export function servedBy(asking: Asking, power: StorePower, named: string | undefined): ServedBy {
  const { models } = asking.credential.deployment;
  const only = named === undefined ? undefined : declaredModel(asking.credential.deployment, named);
  if (named !== undefined && only === undefined) return { refusal: undeclared(shown(named)) };
  const permitted = (only === undefined ? models : [only]).filter((model) => permits(model, power));
  if (permitted.length === 0) return { refusal: unpermitted(power, only) };
  const known = permitted.flatMap((model): readonly Served[] => {
    const provider = registered(asking, model);
    return provider === undefined ? [] : [{ model, provider }];
  });
  const speaking = known.filter(({ provider }) => protocolOf(provider) === "openai");
  const [first] = speaking;
  if (first === undefined) return { refusal: refuse(known.length === 0 ? "provider_unknown" : "provider_mismatch") };
  const others = new Set(speaking.map(({ provider }) => provider.id));
  return others.size > 1 ? { refusal: refuse("provider_ambiguous", { message: `the release permits \`${power}\` for models of ${[...others].sort().join(" and ")}` }) } : { served: first };
}

export function unpermitted(power: StorePower, model: ModelView | undefined): Refusal {
  return refuse("permission_undeclared", {
    message: model === undefined ? `the release permits \`${power}\` for none of its models` : `the release does not permit \`${power}\` for model \`${model.name}\``,
    remedy: `list the permission \`${power}\` under the model's \`permissions\` in licet.yaml and push a new release`,
    ...(model !== undefined && { component: `model:${model.name}` }),
  });
}
