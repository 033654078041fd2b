import type { GateFacts, ReleaseBundle } from "@licet/contract";
import { releaseOf } from "../inventory/release.ts";
import { assess } from "../risk/assess.ts";
import { declaredFacts, type Destination } from "./declared-facts.ts";

/**
 * The facts that a folder holds without a server: what only the record knows stays open, and the gate says of it
 * `unknown offline`. The tier is the stricter one, since no signed answer can be seen. `now` in milliseconds.
 */
export function offlineFacts(bundle: ReleaseBundle, asked: Destination & { readonly now: number }): GateFacts {
  const { manifest } = bundle;
  return {
    v: 1,
    offline: true,
    now: asked.now,
    system: manifest.name,
    release: releaseOf(bundle).digest,
    releasePushedAt: null,
    number: null,
    from: "proposed",
    to: asked.to,
    ...declaredFacts(bundle, assess({ manifest, answers: [], now: asked.now }), asked),
    unregisteredProviders: [],
    checks: [],
    approvals: [],
    authors: [manifest.owners.technical],
    requestedAt: null,
    holds: [],
    evidence: [],
    turns: { "technical-owner": [manifest.owners.technical], "business-owner": [manifest.owners.business], "risk-owner": [manifest.owners.risk] },
  };
}
