import { hash, randomBytes } from "node:crypto";
import { releaseOf } from "../../inventory/release.ts";
import type { TestedRelease } from "../../assurance/runner-asks.ts";
import type { CredentialView, DeploymentView, ModelView, ProviderView, Snapshot } from "../snapshot.ts";
import { releaseViews } from "../standing-views.ts";

/** A release as if it were authorised and deployed in production: what a test asks is what its rules do then. */
export interface Tested {
  readonly token: string;
  readonly credential: CredentialView;
}

const leaseMs = 60 * 60 * 1000;

export function testedRelease({ space, system, bundle }: TestedRelease, tier: string, now: number): Tested {
  const token = `lic_test_${randomBytes(24).toString("hex")}`;
  const release = releaseOf(bundle).digest;
  const place = { stage: "production", environment: "test", release } as const;
  const deployment: DeploymentView = {
    ...releaseViews(bundle),
    ...place,
    id: "dep_test",
    space,
    system,
    active: true,
    tier,
    ato: { ...place, id: "ato_test", state: "granted", notBefore: now - leaseMs, notAfter: now + 24 * leaseMs, entry: "ent_test" },
  };
  const credential: CredentialView = { id: "cred_test", space, digest: hash("sha256", token, "hex"), expiresAt: now + 24 * leaseMs, revokedAt: null, deployment };
  return { token, credential };
}

/**
 * The standing of the release's space with nobody in it but the release under test: its published policies and detectors decide.
 * INVARIANT: it is handed to no gateway that listens, and its provider is a script.
 */
export function testedSnapshot(present: Snapshot, { credential }: Tested, now: number): Snapshot {
  const { space } = credential;
  const view = present.spaces.get(space);
  const providers = [...(view?.providers ?? [])].map(([id, provider]) => [id, scripted(provider)] as const);
  return {
    version: present.version,
    builtAt: now,
    renewedAt: now,
    leaseUntil: now + leaseMs,
    byCredentialDigest: new Map([[credential.digest, credential]]),
    spaces: new Map([[space, { ...view, holds: [], providers: new Map(providers) }]]),
    byClientDigest: new Map(),
    applications: new Map(),
  };
}

/** The script speaks one protocol, in place of whom the provider is. */
function scripted({ id, baseUrl, region, vendor, keyRef }: ProviderView): ProviderView {
  return { id, baseUrl, region, vendor, keyRef };
}

/** The fields without which a request is not one that the release declares. Two names of one limit count as one. */
export function conformingFields({ bounds, responseFormat }: Pick<ModelView, "bounds" | "responseFormat">): Readonly<Record<string, unknown>> {
  const values = Object.entries(bounds).flatMap(([name, bound]) => {
    const value = bound?.max ?? bound?.min;
    return value === undefined ? [] : [[name === "max_completion_tokens" ? "max_tokens" : name, value] as const];
  });
  return { ...Object.fromEntries(values), ...(responseFormat !== undefined && { response_format: responseFormat }) };
}
