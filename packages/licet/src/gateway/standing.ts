import { sameVendor } from "../inventory/vendor-name.ts";
import { refuse, type Refusal } from "./refusal.ts";
import type { AtoView, CredentialView, DeploymentView, HoldView, Snapshot } from "./snapshot.ts";

const trafficStages: readonly string[] = ["experiment", "pilot", "production"];
const openStates: readonly string[] = ["granted", "conditional"];

export interface Standing {
  readonly snapshot: Snapshot;
  readonly credential: CredentialView;
  readonly now: number;
}

/** The hold that stops this deployment, if any. */
export function holdOn({ snapshot, credential }: Standing): HoldView | undefined {
  const { system, space } = credential.deployment;
  const holds = snapshot.spaces.get(space)?.holds ?? [];
  return holds.find((hold) => hold.scope === "all" || (hold.scope === "system" && hold.system === system));
}

/** The hold that suspends a vendor, if any. */
export function vendorHoldOn({ snapshot, credential }: Pick<Standing, "snapshot" | "credential">, vendor: string | undefined): HoldView | undefined {
  if (vendor === undefined) return undefined;
  const holds = snapshot.spaces.get(credential.space)?.holds ?? [];
  return holds.find((hold) => hold.scope === "vendor" && hold.vendor !== undefined && sameVendor(hold.vendor, vendor));
}

/** Whether anything may be sent to this vendor. */
export function vendorRefusal(standing: Pick<Standing, "snapshot" | "credential">, vendor: string | undefined): Refusal | undefined {
  const hold = vendorHoldOn(standing, vendor);
  return hold && refuse("vendor_suspended", { message: `the vendor \`${vendor ?? ""}\` is suspended: ${hold.reason}`, param: "model", policy: `hold:${hold.id}` });
}

/** Whether a deployment may carry traffic at all, whatever the call. A hold comes first: it is the stop button. */
export function standingRefusal(standing: Standing): Refusal | undefined {
  const hold = holdOn(standing);
  const { deployment } = standing.credential;
  if (hold !== undefined) {
    return refuse("held", { message: `a hold stops this system: ${hold.reason}`, policy: `hold:${hold.id}` });
  }
  if (!deployment.active || !trafficStages.includes(deployment.stage)) {
    return refuse("deployment_inactive");
  }
  return atoRefusal(deployment, standing.now);
}

function atoRefusal(deployment: DeploymentView, now: number): Refusal | undefined {
  const { ato } = deployment;
  if (ato === undefined) {
    return refuse("ato_missing");
  }
  const stateRefusal = stateRefusals[ato.state];
  if (stateRefusal !== undefined) {
    return refuse(stateRefusal);
  }
  if (!openStates.includes(ato.state) || !coversPlace(ato, deployment) || now < ato.notBefore) {
    return refuse("ato_missing");
  }
  if (now >= ato.notAfter) {
    return refuse("ato_expired", { message: `the authorization to operate ran out at ${new Date(ato.notAfter).toISOString()}` });
  }
  return ato.release === deployment.release
    ? undefined
    : refuse("release_mismatch", { message: "the authorization to operate covers another release", component: "release" });
}

const stateRefusals: Readonly<Record<string, "ato_suspended" | "ato_revoked" | "ato_expired" | undefined>> = {
  suspended: "ato_suspended",
  revoked: "ato_revoked",
  expired: "ato_expired",
};

function coversPlace(ato: AtoView, deployment: DeploymentView): boolean {
  return ato.stage === deployment.stage && ato.environment === deployment.environment;
}
