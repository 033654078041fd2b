import { AtoGranted, AtoStateChanged, CredentialRevoked, DeploymentRecorded } from "@licet/contract";
import { digestSubject, publishedStatement } from "../ledger/entry-statement.ts";
import type { EntryDefinition } from "../ledger/recorder.ts";
import { closeRequest, spendApprovals } from "../oversight/store.ts";
import { endCredential, findAto, insertAto, insertCredential, insertDeployment, restage, retireDeployments, setAtoState, supersedeAtos } from "./store.ts";

/** Grants, closes the request, spends its approvals and moves the system: one entry, so that no crash can part them. */
const atoGranted: EntryDefinition = {
  kind: "ato.granted",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = AtoGranted.parse(entry.body);
    const { space, time } = entry;
    const { system, release, stage, environment } = body;
    await insertAto(tx, {
      space,
      id: body.ato,
      system,
      release,
      stage,
      environment,
      state: "granted",
      not_before: body.notBefore,
      not_after: body.notAfter,
      request: body.request,
      statement: JSON.stringify(body.statement),
      granted_at: time,
      state_since: time,
      state_reason: null,
      entry: entry.id,
    });
    await supersedeAtos(tx, space, { id: body.ato, system, release, stage, environment, at: time });
    await closeRequest(tx, space, { id: body.request, status: "granted", outcome: body.ato, at: time });
    await spendApprovals(tx, space, { ids: body.approvals, by: body.ato });
    await restage(tx, space, { system, at: time });
  },
};

const atoStateChanged: EntryDefinition = {
  kind: "ato.state-changed",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = AtoStateChanged.parse(entry.body);
    const { space, time } = entry;
    await setAtoState(tx, space, { id: body.ato, state: body.state, reason: body.reason, at: time });
    const ato = await findAto(tx, space, body.ato);
    if (ato !== undefined) await restage(tx, space, { system: ato.system, at: time });
  },
};

const deploymentRecorded: EntryDefinition = {
  kind: "deployment.recorded",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = DeploymentRecorded.parse(entry.body);
    const { space, time, id } = entry;
    const { system, environment, stage, release, credential } = body;
    await retireDeployments(tx, space, { system, environment, release });
    await insertDeployment(tx, {
      space,
      id: body.deployment,
      system,
      environment,
      stage,
      release,
      active: 1,
      recorded_by: body.recordedBy,
      recorded_at: time,
      attested: JSON.stringify(body.attested),
      entry: id,
    });
    await insertCredential(tx, {
      space,
      id: credential.id,
      deployment: body.deployment,
      // Bare hexadecimal: what the gateway computes of the secret that a caller sends.
      digest: credential.digest.slice("sha256:".length),
      hint: credential.hint,
      issued_by: body.recordedBy,
      issued_at: time,
      expires_at: credential.expiresAt,
      revoked_at: null,
      entry: id,
    });
  },
  statement(entry) {
    const { credential, deployment, system, environment, stage, release, ato, waiver, recordedBy } = DeploymentRecorded.parse(entry.body);
    const said = { credential: credential.id, deployment, system, release, environment, stage, ato, ...(waiver !== undefined && { waiver }), expiresAt: credential.expiresAt };
    return publishedStatement("credential-event", digestSubject(`credential/${credential.id}`, credential.digest), { event: "issued", entry: entry.id, space: entry.space, ...said, by: recordedBy, at: entry.time });
  },
};

const credentialRevoked: EntryDefinition = {
  kind: "credential.revoked",
  v: 1,
  mode: "governance",
  async apply(tx, entry) {
    const body = CredentialRevoked.parse(entry.body);
    await endCredential(tx, entry.space, { id: body.credential, at: entry.time });
  },
  statement(entry) {
    const { statement: _, digest, revokedBy, ...body } = CredentialRevoked.parse(entry.body);
    if (digest === undefined) throw new TypeError("a revocation names the digest of its credential");
    return publishedStatement("credential-event", digestSubject(`credential/${body.credential}`, digest), { event: "revoked", entry: entry.id, space: entry.space, ...body, by: revokedBy, at: entry.time });
  },
};

export const atoEntries: readonly EntryDefinition[] = [atoGranted, atoStateChanged, deploymentRecorded, credentialRevoked];
