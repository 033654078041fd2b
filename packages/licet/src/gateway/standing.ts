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
  return holds.find((hold) => hold.scope === "all" || hold.system === system);
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
