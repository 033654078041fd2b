import { createHash, randomBytes } from "node:crypto";
import { LicetError, type RouteAnswer } from "@licet/contract";
import { parseJson } from "@licet/evidence";
import { z } from "zod";
import { newId } from "../base/ids.ts";
import { findRelease, releaseNumbers } from "../inventory/store.ts";
import type { Recorder } from "../ledger/recorder.ts";
import { emailsOf } from "../oversight/store.ts";
import { observeWaiver } from "../oversight/waivers.ts";
import { atoFor, credentialsOf, findCredential, findDeployment, type DeploymentRow, type Reader } from "./store.ts";
import { atoState } from "./view.ts";

export interface DeploymentAsked {
  readonly space: string;
  readonly system: string;
  readonly release: string;
  readonly environment: string;
  readonly stage: "experiment" | "pilot" | "production";
  readonly credentialDays: number;
  readonly by: string;
}

export interface Issued {
  readonly deployment: string;
  readonly credential: { readonly id: string; readonly secret: string; readonly expiresAt: number };
}

/** What the gateway compares is observed; this is what only the deploy record says. */
const attested = ["application code outside prompts, tools and models", "retrieval index and its content", "that nothing else than this release runs in the environment"];

/**
 * Puts an authorised release into an environment and issues its credential; the secret is in no record and shown once.
 * Throws `not_found`, `release_unknown`, `ato_not_granted`, `ato_not_in_force`.
 */
export async function recordDeployment(recorder: Recorder, asked: DeploymentAsked): Promise<Issued> {
  const { space, system, release, environment, stage, by } = asked;
  const secret = `lct_${randomBytes(32).toString("base64url")}`;
  const digest = `sha256:${createHash("sha256").update(secret).digest("hex")}`;
  const { value } = await recorder.commit(async (tx, time) => {
    const standing = await authorised(tx, asked, time);
    const deployment = newId("dep", time);
    const credential = { id: newId("crd", time), digest, hint: `${secret.slice(0, 8)}…`, expiresAt: time + asked.credentialDays * 86_400_000 };
    const body = { deployment, system, environment, stage, release, ...standing, recordedBy: by, attested, credential };
    return {
      entry: { kind: "deployment.recorded", space, actor: by, system, subject: `system:${system}`, class: "governance", body },
      value: { deployment, credential: { id: credential.id, secret, expiresAt: credential.expiresAt } },
    };
  });
  return value;
}

/** The authorization in force for exactly this; without one, the waiver under which the system is observed there. */
async function authorised(db: Reader, { space, system, release, environment, stage }: DeploymentAsked, now: number): Promise<{ readonly ato: string } | { readonly ato: null; readonly waiver: string }> {
  const known = await findRelease(db, space, system, release);
  if (known === undefined) throw new LicetError("release_unknown", { message: `\`${system}\` has no release \`${release}\`` });
  const ato = await atoFor(db, space, { system, release, stage, environment });
  const waiver = ato === undefined ? await observeWaiver(db, { space, system, environment }, now) : undefined;
  if (waiver !== undefined) return { ato: null, waiver: waiver.id };
  if (ato === undefined) throw new LicetError("ato_not_granted", { message: `release ${known.number} of \`${system}\` holds no authorization to operate at stage ${stage} in \`${environment}\`` });
  const state = atoState(ato, { now, held: false });
  if (state !== "granted") throw new LicetError("ato_not_in_force", { message: `the authorization to operate is ${state}`, at: { ato: ato.id } });
  return { ato: ato.id };
}

/** From the next snapshot on, within a second, the credential opens nothing. Throws `not_found`. */
export async function revokeCredential(recorder: Recorder, asked: { readonly space: string; readonly credential: string; readonly reason: string; readonly by: string }): Promise<number> {
  const { space, credential, reason, by } = asked;
  const { value } = await recorder.commit(async (tx, time) => {
    const row = await findCredential(tx, space, credential);
    const deployment = row === undefined ? undefined : await findDeployment(tx, space, row.deployment);
    if (row === undefined || deployment === undefined) throw new LicetError("not_found", { message: `there is no credential \`${credential}\` in this space` });
    if (row.revoked_at !== null) return { nothing: row.revoked_at };
    const { system } = deployment;
    return { entry: { kind: "credential.revoked", space, actor: by, system, subject: `system:${system}`, class: "governance", body: { credential, digest: `sha256:${row.digest}`, deployment: deployment.id, system, release: deployment.release, reason, revokedBy: by } }, value: time };
  });
  return value;
}

export type DeploymentView = RouteAnswer<"recordDeployment">["deployment"];
const Stage = z.enum(["experiment", "pilot", "production"]);

export async function deploymentViews(db: Reader, space: string, rows: readonly DeploymentRow[]): Promise<DeploymentView[]> {
  const emails = await emailsOf(db, space, rows.map((row) => row.recorded_by));
  const credentials = await credentialsOf(db, space, rows.map((row) => row.id));
  const releases = await releaseNumbers(db, space, rows.map((row) => row.release));
  return rows.map((row) => ({
    id: row.id,
    environment: row.environment,
    stage: Stage.parse(row.stage),
    release: row.release,
    releaseNumber: releases.find((each) => each.system === row.system && each.digest === row.release)?.number ?? 0,
    active: row.active === 1,
    recordedBy: emails.get(row.recorded_by) ?? row.recorded_by,
    recordedAt: row.recorded_at,
    attested: z.array(z.string()).parse(parseJson(row.attested)),
    credentials: credentials
      .filter((each) => each.deployment === row.id)
      .map((each) => ({ id: each.id, hint: each.hint, issuedAt: each.issued_at, expiresAt: each.expires_at, revokedAt: each.revoked_at })),
  }));
}
