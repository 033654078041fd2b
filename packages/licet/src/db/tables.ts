import type { Insertable, Selectable } from "kysely";
import type { AccountTable, PasskeyTable, SessionTable, UserTable, VerificationTable } from "./account-tables.ts";
import type { GatewayShipmentTable, GatewayTable } from "./fleet-tables.ts";
import type { BoundIdTable } from "./stored-tables.ts";
import type { BudgetLimitTable, BudgetShareTable, BudgetSpentRunTable, BudgetSpentTable, ModelPriceTable } from "./budget-tables.ts";
import type { CheckAttemptTable, CheckRepeatTable, DatasetUseTable } from "./attempt-tables.ts";
import type { CiRegistrationTable, CiRunTable } from "./ci-tables.ts";
import type { BacktestTable, PolicyClientTable, PolicyEntityTable, PolicyMismatchTable, PolicyPublicationTable, SpaceTable } from "./policy-tables.ts";
import type { WaiverRefusalTable, WaiverTable } from "./waiver-tables.ts";
import type { ContentTable, ErasureTable, PrivacySettingTable, ScrubTable } from "./privacy-tables.ts";

/** The typed tables; a drift test compares them with the migrated schema. Times are milliseconds, flags 0 or 1. */
export interface InstallationTable {
  id: string;
  applied_index: number;
  projected_index: number;
  checkpoint: string | null;
  created_at: number;
}

export interface EntryTable {
  space: string;
  id: string;
  log_index: number;
  kind: string;
  v: number;
  system: string | null;
  actor: string;
  time: number;
  kid: string;
}

export interface PersonTable {
  space: string;
  id: string;
  email: string;
  name: string;
  created_by: string;
  created_at: number;
  disabled_at: number | null;
  entry: string;
}

export interface RoleGrantTable {
  space: string;
  person: string;
  role: string;
  granted_by: string;
  granted_at: number;
  early: number;
  revoked_at: number | null;
  entry: string;
}

export interface SystemTable {
  space: string;
  name: string;
  title: string;
  purpose: string;
  stage: string;
  stage_since: number;
  latest_release: string;
  created_at: number;
  updated_at: number;
  entry: string;
}

export interface ReleaseTable {
  space: string;
  system: string;
  digest: string;
  number: number;
  file_digest: string;
  materiality: string;
  bundle: string;
  pushed_by: string;
  pushed_at: number;
  entry: string;
}

export interface AnswerTable {
  space: string;
  system: string;
  question: string;
  value: string;
  reason: string;
  person: string;
  statement: string;
  answered_at: number;
  entry: string;
}

export interface TicketTable {
  space: string;
  id: string;
  system: string;
  release: string;
  producer: string;
  checks: string;
  datasets: string;
  seed: string;
  status: string;
  attempt: number;
  issued_to: string;
  issued_at: number;
  lease_until: number;
  entry: string;
  /** JSON; null before attempts were counted. */
  settled: string | null;
  /** Milliseconds; null where a drawn check has the default time, or none is drawn. */
  repeat_within: number | null;
  /** JSON; null where the run asks no model of the installation. */
  budget: string | null;
}

export interface CheckResultTable {
  space: string;
  id: string;
  ticket: string;
  system: string;
  release: string;
  check_id: string;
  verdict: string;
  producer: string;
  produced_by: string;
  result: string;
  statement: string;
  produced_at: number;
  entry: string;
  /** The result whose verdict stands here. */
  carried_from: string | null;
}

export interface RequestTable {
  space: string;
  id: string;
  move: string;
  system: string | null;
  release: string | null;
  stage: string | null;
  environment: string | null;
  detail: string;
  status: string;
  requested_by: string;
  requested_at: number;
  closed_at: number | null;
  outcome: string | null;
  entry: string;
}

export interface ApprovalTable {
  space: string;
  id: string;
  request: string;
  role: string;
  person: string;
  answer: string;
  comment: string;
  facts_digest: string;
  policy_digest: string;
  method: string;
  authenticated_at: number;
  not_after: number;
  statement: string;
  statement_digest: string;
  given_at: number;
  spent_by: string | null;
  entry: string;
}

export interface AtoTable {
  space: string;
  id: string;
  system: string;
  release: string;
  stage: string;
  environment: string;
  state: string;
  not_before: number;
  not_after: number;
  request: string;
  statement: string;
  granted_at: number;
  state_since: number;
  state_reason: string | null;
  entry: string;
}

export interface DeploymentTable {
  space: string;
  id: string;
  system: string;
  environment: string;
  stage: string;
  release: string;
  active: number;
  recorded_by: string;
  recorded_at: number;
  attested: string;
  entry: string;
}

export interface CredentialTable {
  space: string;
  id: string;
  deployment: string;
  digest: string;
  hint: string;
  issued_by: string;
  issued_at: number;
  expires_at: number;
  revoked_at: number | null;
  entry: string;
}

export interface HoldTable {
  space: string;
  id: string;
  scope: string;
  system: string | null;
  reason: string;
  placed_by: string;
  placed_at: number;
  lifted_by: string | null;
  lifted_at: number | null;
  entry: string;
  vendor: string | null;
}

export interface ProviderTable {
  space: string;
  id: string;
  /** Its kind: `openai`, `azure` or `anthropic`. */
  dialect: string;
  base_url: string;
  vendor: string;
  region: string;
  allow_private: number;
  registered_by: string;
  registered_at: number;
  active: number;
  entry: string;
  /** Empty for none. */
  api_version: string;
}

export interface PolicyBundleTable {
  space: string;
  digest: string;
  bundle: string;
  published_by: string;
  published_at: number;
  active: number;
  entry: string;
}

export interface DecisionTable {
  space: string;
  id: string;
  log_index: number;
  gateway: string;
  seq: number;
  kind: string;
  system: string | null;
  deployment: string | null;
  release: string | null;
  action: string;
  decision: string;
  code: string | null;
  model: string | null;
  detail: string;
  outcome: string | null;
  decided_at: number;
  kid: string;
  outcome_kid: string | null;
}

export interface ProviderKeyTable {
  space: string;
  provider: string;
  sealed: string;
  updated_at: number;
}

export interface OneTimeLinkTable {
  digest: string;
  purpose: string;
  person: string | null;
  created_at: number;
  expires_at: number;
  used_at: number | null;
}

export interface TaskTable {
  space: string;
  id: string;
  kind: string;
  payload: string;
  run_at: number;
  attempts: number;
  max_attempts: number;
  leased_until: number | null;
  lease_owner: string | null;
  last_error: string | null;
  created_at: number;
  done_at: number | null;
}

export interface Tables {
  installation: InstallationTable;
  entry: EntryTable;
  person: PersonTable;
  role_grant: RoleGrantTable;
  system: SystemTable;
  release: ReleaseTable;
  answer: AnswerTable;
  ticket: TicketTable;
  check_result: CheckResultTable;
  check_attempt: CheckAttemptTable;
  check_repeat: CheckRepeatTable;
  dataset_use: DatasetUseTable;
  ci_registration: CiRegistrationTable;
  ci_run: CiRunTable;
  request: RequestTable;
  approval: ApprovalTable;
  ato: AtoTable;
  deployment: DeploymentTable;
  credential: CredentialTable;
  hold: HoldTable;
  provider: ProviderTable;
  policy_bundle: PolicyBundleTable;
  decision: DecisionTable;
  content: ContentTable;
  privacy_setting: PrivacySettingTable;
  erasure: ErasureTable;
  scrub: ScrubTable;
  policy_publication: PolicyPublicationTable;
  policy_entity: PolicyEntityTable;
  policy_client: PolicyClientTable;
  space: SpaceTable;
  policy_mismatch: PolicyMismatchTable;
  backtest: BacktestTable;
  waiver: WaiverTable;
  waiver_refusal: WaiverRefusalTable;
  budget_limit: BudgetLimitTable;
  model_price: ModelPriceTable;
  budget_spent: BudgetSpentTable;
  budget_spent_run: BudgetSpentRunTable;
  budget_share: BudgetShareTable;
  bound_id: BoundIdTable;
  provider_key: ProviderKeyTable;
  gateway: GatewayTable;
  gateway_shipment: GatewayShipmentTable;
  one_time_link: OneTimeLinkTable;
  task: TaskTable;
  user: UserTable;
  session: SessionTable;
  account: AccountTable;
  verification: VerificationTable;
  passkey: PasskeyTable;
}

export type Row<T extends keyof Tables> = Selectable<Tables[T]>;
export type NewRow<T extends keyof Tables> = Insertable<Tables[T]>;

/** What the drift test compares, and what `licet db rebuild` empties: record tables only. */
export const tableColumns = {
  installation: { kind: "operational", columns: ["id", "applied_index", "projected_index", "checkpoint", "created_at"] },
  entry: { kind: "record", columns: ["space", "id", "log_index", "kind", "v", "system", "actor", "time", "kid"] },
  person: { kind: "record", columns: ["space", "id", "email", "name", "created_by", "created_at", "disabled_at", "entry"] },
  role_grant: { kind: "record", columns: ["space", "person", "role", "granted_by", "granted_at", "early", "revoked_at", "entry"] },
  system: { kind: "record", columns: ["space", "name", "title", "purpose", "stage", "stage_since", "latest_release", "created_at", "updated_at", "entry"] },
  release: { kind: "record", columns: ["space", "system", "digest", "number", "file_digest", "materiality", "bundle", "pushed_by", "pushed_at", "entry"] },
  answer: { kind: "record", columns: ["space", "system", "question", "value", "reason", "person", "statement", "answered_at", "entry"] },
  ticket: { kind: "record", columns: ["space", "id", "system", "release", "producer", "checks", "datasets", "seed", "status", "attempt", "issued_to", "issued_at", "lease_until", "entry", "settled", "repeat_within", "budget"] },
  check_result: { kind: "record", columns: ["space", "id", "ticket", "system", "release", "check_id", "verdict", "producer", "produced_by", "result", "statement", "produced_at", "entry", "carried_from"] },
  check_attempt: { kind: "record", columns: ["space", "ticket", "check_id", "system", "release", "producer", "kind", "version", "subject", "data", "configuration", "reads", "attempt_index", "alpha", "previous", "seed", "drawn_as", "repeats", "result", "stands", "reserved_at", "entry"] },
  check_repeat: { kind: "record", columns: ["space", "id", "system", "release", "ticket", "check_id", "reported", "repeat", "drawn", "agrees", "differences", "repeated_at", "entry", "voided"] },
  dataset_use: { kind: "record", columns: ["space", "system", "digest", "ticket", "used_at"] },
  ci_registration: { kind: "record", columns: ["space", "id", "system", "kind", "issuer", "audience", "names", "claims", "allow_private", "registered_by", "registered_at", "request", "outcome", "removed_by", "removed_at", "removed_because", "entry"] },
  ci_run: { kind: "record", columns: ["space", "id", "registration", "system", "token_use", "secret_digest", "provenance", "authors", "exchanged_at", "expires_at", "ticket", "replayed_at", "entry"] },
  request: { kind: "record", columns: ["space", "id", "move", "system", "release", "stage", "environment", "detail", "status", "requested_by", "requested_at", "closed_at", "outcome", "entry"] },
  approval: { kind: "record", columns: ["space", "id", "request", "role", "person", "answer", "comment", "facts_digest", "policy_digest", "method", "authenticated_at", "not_after", "statement", "statement_digest", "given_at", "spent_by", "entry"] },
  ato: { kind: "record", columns: ["space", "id", "system", "release", "stage", "environment", "state", "not_before", "not_after", "request", "statement", "granted_at", "state_since", "state_reason", "entry"] },
  deployment: { kind: "record", columns: ["space", "id", "system", "environment", "stage", "release", "active", "recorded_by", "recorded_at", "attested", "entry"] },
  credential: { kind: "record", columns: ["space", "id", "deployment", "digest", "hint", "issued_by", "issued_at", "expires_at", "revoked_at", "entry"] },
  hold: { kind: "record", columns: ["space", "id", "scope", "system", "reason", "placed_by", "placed_at", "lifted_by", "lifted_at", "entry", "vendor"] },
  provider: { kind: "record", columns: ["space", "id", "dialect", "base_url", "vendor", "region", "allow_private", "registered_by", "registered_at", "active", "entry", "api_version"] },
  policy_bundle: { kind: "record", columns: ["space", "digest", "bundle", "published_by", "published_at", "active", "entry"] },
  decision: { kind: "record", columns: ["space", "id", "log_index", "gateway", "seq", "kind", "system", "deployment", "release", "action", "decision", "code", "model", "detail", "outcome", "decided_at", "kid", "outcome_kid"] },
  content: { kind: "record", columns: ["space", "id", "log_index", "kid", "decision", "part", "mode", "truncated", "recorded_at"] },
  privacy_setting: { kind: "record", columns: ["space", "content_modes", "retention_days", "set_by", "set_at", "entry"] },
  erasure: { kind: "record", columns: ["space", "id", "occasion", "state", "body", "intended_at", "done_at", "entry"] },
  scrub: { kind: "operational", columns: ["id", "due_at"] },
  policy_publication: { kind: "record", columns: ["space", "id", "digest", "previous", "occasion", "request", "outcome", "approvals", "packs", "composed", "changed", "comment", "compiled_by", "published_by", "published_at", "entry"] },
  policy_entity: { kind: "record", columns: ["space", "type", "id", "entity", "entry", "updated_at"] },
  policy_client: { kind: "record", columns: ["space", "id", "name", "digest", "created_by", "created_at", "expires_at", "revoked_at", "entry"] },
  space: { kind: "record", columns: ["name", "title", "created_by", "created_at", "entry"] },
  policy_mismatch: { kind: "record", columns: ["space", "id", "bundle", "ours", "reference", "request", "found_at", "entry"] },
  backtest: { kind: "operational", columns: ["space", "id", "asked_by", "asked_at", "candidate_digest", "candidate", "active_digest", "from_time", "to_time", "system", "state", "cursor", "progress", "tally", "report", "error", "entry"] },
  waiver: { kind: "record", columns: ["space", "id", "kind", "system", "environment", "reason", "compensation", "request", "requested_by", "outcome", "approvals", "not_before", "not_after", "ended_at", "ended_by", "end_cause", "end_reason", "entry"] },
  waiver_refusal: { kind: "record", columns: ["space", "decision", "code", "policy", "waiver", "decided_at", "kid"] },
  gateway: { kind: "record", columns: ["space", "id", "name", "token_digest", "token_expires_at", "added_by", "added_at", "public_key", "log_origin", "trust", "joined_at", "joined_entry", "removed_at", "entry"] },
  gateway_shipment: { kind: "operational", columns: ["space", "gateway", "log", "next_index", "seen_at"] },
  budget_limit: { kind: "record", columns: ["space", "system", "limits", "reason", "changed_by", "changed_at", "entry"] },
  model_price: { kind: "record", columns: ["space", "provider", "model", "known", "source", "changed_by", "changed_at", "entry"] },
  budget_spent: { kind: "record", columns: ["space", "system", "day", "currency", "tokens", "micros"] },
  budget_spent_run: { kind: "record", columns: ["space", "run", "system", "day", "currency", "tokens", "micros"] },
  budget_share: { kind: "operational", columns: ["space", "gateway", "run", "terms", "seen_at"] },
  bound_id: { kind: "record", columns: ["space", "provider", "id", "entry", "log_index", "ends", "object", "system", "deployment", "release", "detail", "recorded_at", "kid"] },
  provider_key: { kind: "operational", columns: ["space", "provider", "sealed", "updated_at"] },
  one_time_link: { kind: "operational", columns: ["digest", "purpose", "person", "created_at", "expires_at", "used_at"] },
  task: { kind: "operational", columns: ["space", "id", "kind", "payload", "run_at", "attempts", "max_attempts", "leased_until", "lease_owner", "last_error", "created_at", "done_at"] },
  user: { kind: "operational", columns: ["id", "name", "email", "emailVerified", "image", "createdAt", "updatedAt"] },
  session: { kind: "operational", columns: ["id", "expiresAt", "token", "createdAt", "updatedAt", "ipAddress", "userAgent", "userId", "method", "authenticatedAt"] },
  account: { kind: "operational", columns: ["id", "accountId", "providerId", "userId", "accessToken", "refreshToken", "idToken", "accessTokenExpiresAt", "refreshTokenExpiresAt", "scope", "password", "createdAt", "updatedAt"] },
  verification: { kind: "operational", columns: ["id", "identifier", "value", "expiresAt", "createdAt", "updatedAt"] },
  passkey: { kind: "operational", columns: ["id", "name", "publicKey", "userId", "credentialID", "counter", "deviceType", "backedUp", "transports", "createdAt", "aaguid"] },
} as const satisfies Record<keyof Tables, { kind: "record" | "operational"; columns: readonly string[] }>;
