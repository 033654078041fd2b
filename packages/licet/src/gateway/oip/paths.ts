export const oipPrefix = "/oip/";

/** What a path of the protocol asks for. */
export type OipRoute =
  | { readonly kind: "server" | "live" | "ready" }
  | { readonly kind: "metadata" | "model-ready" | "infer"; readonly model: string; readonly version: string | undefined };

const modelPath = /^\/oip\/v2\/models\/(?<model>[^/]{1,400})(?:\/versions\/(?<version>[^/]{1,200}))?(?:\/(?<verb>ready|infer))?$/u;

const plain: Readonly<Record<string, OipRoute>> = {
  "GET /oip/v2": { kind: "server" },
  "GET /oip/v2/": { kind: "server" },
  "GET /oip/v2/health/live": { kind: "live" },
  "GET /oip/v2/health/ready": { kind: "ready" },
};

/** Undefined for every endpoint that is none of the protocol's core: extensions are denied until somebody checks them. */
export function oipRoute({ method, path }: { readonly method: string; readonly path: string }): OipRoute | undefined {
  const route = `${method} ${path}`;
  if (Object.hasOwn(plain, route)) return plain[route];
  const groups = modelPath.exec(path)?.groups ?? {};
  const model = decoded(groups["model"]);
  const version = decoded(groups["version"]);
  const kind = kindOf(method, groups["verb"]);
  if (kind === undefined || model === undefined || (groups["version"] !== undefined && version === undefined)) return undefined;
  return { kind, model, version };
}

function kindOf(method: string, verb: string | undefined): "infer" | "model-ready" | "metadata" | undefined {
  if (verb === "infer") return method === "POST" ? "infer" : undefined;
  if (method !== "GET") return undefined;
  return verb === "ready" ? "model-ready" : "metadata";
}

function decoded(part: string | undefined): string | undefined {
  if (part === undefined) return undefined;
  try {
    const text = decodeURIComponent(part);
    return text.isWellFormed() ? text : undefined;
  } catch {
    return undefined;
  }
}
