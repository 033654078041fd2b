import { LicetError } from "../../base/errors.ts";
import { licetVersion } from "../../base/version.ts";
import { admit, type Admission, type PipelineParts } from "../admission.ts";
import { answerRefusal, type Caller, type DataPlaneMount, type Inbound } from "../answer.ts";
import { declaredModel } from "../conform.ts";
import { providerRefusal, registered, undeclared } from "../judge.ts";
import { unsupported } from "../pipeline.ts";
import { protocolOf } from "../provider.ts";
import { refuse, type Refusal } from "../refusal.ts";
import { standingRefusal, vendorRefusal } from "../standing.ts";
import { liftsStanding } from "../observe-mode.ts";
import { oipForm } from "./error-form.ts";
import { infer, type InferRoute, type OipParts } from "./infer.ts";
import { ModelMetadataCache, type ModelMetadata, type Serving } from "./metadata.ts";
import { oipPrefix, oipRoute } from "./paths.ts";

/** The Open Inference Protocol (v2, REST) on the data plane: `/oip/v2/…`; passed to the gateway as part of `mount`. */
export function oipApi(): (mounting: { readonly parts: PipelineParts }) => DataPlaneMount {
  return ({ parts: pipeline }) => {
    const oip: OipParts = { pipeline, metadata: new ModelMetadataCache(pipeline.clock) };
    return (inbound, caller) => (inbound.path === "/oip" || inbound.path.startsWith(oipPrefix) ? serve(oip, inbound, caller) : undefined);
  };
}

/** Serves a path with the first that knows it. */
export function mounts<M>(...made: readonly ((mounting: M) => DataPlaneMount)[]): (mounting: M) => DataPlaneMount {
  return (mounting) => {
    const all = made.map((make) => make(mounting));
    return (inbound, caller) => {
      for (const mount of all) {
        const served = mount(inbound, caller);
        if (served !== undefined) return served;
      }
      return undefined;
    };
  };
}

async function serve(oip: OipParts, inbound: Inbound, caller: Caller): Promise<void> {
  const route = oipRoute(inbound);
  if (route === undefined) return unsupported(oip.pipeline, inbound, caller, { refusal: refuse("endpoint_unsupported"), form: oipForm });
  switch (route.kind) {
    case "infer":
      return infer(oip, route, inbound, caller);
    case "metadata":
    case "model-ready":
      return model(oip, route, inbound, caller);
    case "server":
      return known(oip, inbound, caller, () => caller.json(200, {}, JSON.stringify({ name: "licet", version: licetVersion, extensions: [] })));
    case "live":
      return caller.json(200, {}, JSON.stringify({ live: true }));
    case "ready":
      return ready(oip, caller);
    default:
      return route satisfies never;
  }
}

function ready({ pipeline }: OipParts, caller: Caller): void {
  const fresh = pipeline.snapshots.current() !== undefined;
  caller.json(fresh ? 200 : 503, {}, JSON.stringify({ ready: fresh }));
}

/** Of whoever holds a credential; a stranger's guesses are answered and not recorded, as nothing is done for them. */
async function known({ pipeline }: OipParts, inbound: Inbound, caller: Caller, answer: (admission: Admission) => void | Promise<void>): Promise<void> {
  const admitted = admit(pipeline, inbound);
  if ("stranger" in admitted) return answerRefusal(caller, admitted.stranger, admitted.stranger.headers, oipForm);
  return answer(admitted.admission);
}

/** What the provider says of a declared model; asked by the gateway for itself, and for no deployment that may not score. */
async function model(oip: OipParts, route: InferRoute, inbound: Inbound, caller: Caller): Promise<void> {
  return known(oip, inbound, caller, async (admission) => {
    const serving = await servingOf(oip, admission, route);
    if ("code" in serving) {
      return route.kind === "model-ready" ? caller.json(503, {}, JSON.stringify({ name: route.model, ready: false })) : answerRefusal(caller, { refusal: serving }, {}, oipForm);
    }
    return route.kind === "model-ready" ? modelReady(oip, serving, caller) : metadata(oip, serving, caller);
  });
}

async function servingOf({ pipeline }: OipParts, admission: Admission, route: InferRoute): Promise<Serving | Refusal> {
  const { credential, now } = admission;
  const standing = standingRefusal(admission);
  if (standing !== undefined && !liftsStanding(standing, credential.deployment, now)) return standing;
  const declared = declaredModel(credential.deployment, route.model);
  if (declared === undefined || (route.version !== undefined && route.version !== declared.version)) return undeclared(route.model);
  const provider = registered(admission, declared);
  const refusal = vendorRefusal(admission, provider?.vendor) ?? providerRefusal(credential.deployment, provider);
  if (provider === undefined || refusal !== undefined) return refusal ?? refuse("provider_unknown");
  if (protocolOf(provider) !== "oip") return refuse("provider_mismatch", { param: "model" });
  return { outbound: await pipeline.lines.open(credential.space, provider), key: await pipeline.providerKey(credential.space, provider.id), model: declared, provider };
}

async function modelReady(oip: OipParts, serving: Serving, caller: Caller): Promise<void> {
  const isReady = await oip.metadata.ready(serving).catch(unreachable);
  caller.json(isReady === true ? 200 : 503, {}, JSON.stringify({ name: serving.model.name, ready: isReady === true }));
}

async function metadata(oip: OipParts, serving: Serving, caller: Caller): Promise<void> {
  const found = await oip.metadata.read(serving).catch(unreachable);
  if (found === undefined) return answerRefusal(caller, { refusal: refuse("upstream_unreachable", { message: "the provider has no readable metadata of this model" }) }, {}, oipForm);
  caller.json(200, {}, JSON.stringify(shownMetadata(found, serving)));
}

function shownMetadata({ platform = "", inputs = [], outputs = [] }: ModelMetadata, { model: { name, version, digest } }: Serving): object {
  return { name, ...(version !== undefined && { versions: [version] }), platform, inputs, outputs, ...(digest !== undefined && { parameters: { digest } }) };
}

function unreachable(error: unknown): undefined {
  if (error instanceof LicetError) return undefined;
  throw error;
}
