import { parentPort } from "node:worker_threads";
import type { Bundle } from "./bundle-form.ts";
import { deciderOn, type Decider, type PolicyDecision } from "./decide.ts";
import type { PolicyRequest } from "./request.ts";
import { wasmEngine } from "./wasm-engine.ts";

/** What cedar-wasm needs of a bundle; sent once. */
export type SampledBundle = Pick<Bundle, "digest" | "schema" | "schemaJson" | "policies">;

export interface SampleRequest {
  readonly id: number;
  readonly digest: string;
  readonly bundle?: SampledBundle;
  readonly request: PolicyRequest;
}

export interface SampleResponse {
  readonly id: number;
  readonly decision: PolicyDecision;
}

const judges = new Map<string, Pick<Decider, "decide">>();

function judgeOf({ digest, bundle }: SampleRequest): Pick<Decider, "decide"> {
  const known = judges.get(digest);
  if (known !== undefined) return known;
  if (bundle === undefined) throw new Error("a request came before its bundle");
  const judge = deciderOn({ v: 2, packs: [], golden: [], ...bundle }, wasmEngine(bundle));
  judges.set(digest, judge);
  return judge;
}

parentPort?.on("message", (message: SampleRequest) => {
  const response: SampleResponse = { id: message.id, decision: judgeOf(message).decide(message.request) };
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread, not a window
  parentPort?.postMessage(response);
});
