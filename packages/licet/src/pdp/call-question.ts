import { LicetError } from "@licet/contract";
import { declaredModel } from "../gateway/conform.ts";
import { cedarCall } from "../gateway/decide.ts";
import { registered } from "../gateway/judge.ts";
import type { CredentialView, Snapshot, SnapshotSource } from "../gateway/snapshot.ts";
import { holdOn, vendorHoldOn } from "../gateway/standing.ts";
import type { CallAsked } from "../policy/explain-route.ts";
import type { PolicyRequest } from "../policy/request.ts";

/**
 * The question that the gateway would put to the policies if a system's deployment called a model now. What it spent is
 * no part of it: that is counted at the call. Throws `not_found` where no deployment of the system could call at all.
 */
export function callQuestion({ snapshots, now }: { readonly snapshots: SnapshotSource; readonly now: () => number }): (space: string, asked: CallAsked) => PolicyRequest {
  return (space, { system, model, environment, dataClasses = [] }) => {
    const snapshot = snapshots.current();
    if (snapshot === undefined) throw new LicetError("explain_question", { message: "the gateway's view of this space is not current; ask again in a moment" });
    const time = now();
    const credential = calling(snapshot, { space, system, environment, time });
    if (credential === undefined) throw new LicetError("not_found", { message: `\`${system}\` has no deployment${environment === undefined ? "" : ` in \`${environment}\``} with a credential in force: record a deployment and issue one` });
    const asking = { snapshot, credential, now: time };
    const declared = declaredModel(credential.deployment, model);
    const provider = registered(asking, declared);
    return cedarCall({
      action: "callModel",
      credential,
      model: { name: model, ...(declared && { declared }), ...(provider && { provider }) },
      held: holdOn(asking) !== undefined,
      suspended: vendorHoldOn(asking, provider?.vendor) !== undefined,
      dataClasses,
      now: time,
    });
  };
}

interface Calling {
  readonly space: string;
  readonly system: string;
  readonly environment: string | undefined;
  readonly time: number;
}

/** A deployment that is active comes first. */
function calling(snapshot: Snapshot, { space, system, environment, time }: Calling): CredentialView | undefined {
  const all = [...snapshot.byCredentialDigest.values()].filter(
    (view) => view.space === space && view.deployment.system === system && (environment === undefined || view.deployment.environment === environment) && time < view.expiresAt && (view.revokedAt === null || time < view.revokedAt),
  );
  return all.find(({ deployment }) => deployment.active) ?? all[0];
}
