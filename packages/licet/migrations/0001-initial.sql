-- Runs on SQLite and PostgreSQL: text ids, bigint milliseconds, JSON as text, 0/1 as integer.
-- Record tables are rebuilt from the log; operational tables are backed up, not rebuilt.

-- operational: one row; the commit point of the log (applied_index) and of its runtime projection.
create table installation (
  id text primary key,
  applied_index bigint not null,
  projected_index bigint not null,
  checkpoint text,
  created_at bigint not null
);

-- record: where each governance entry stands in the log.
create table entry (
  space text not null,
  id text not null,
  log_index bigint not null,
  kind text not null,
  v integer not null,
  system text,
  actor text not null,
  time bigint not null,
  primary key (space, id)
);
create unique index entry_by_index on entry (log_index);
create index entry_by_system on entry (space, system, log_index);

-- record
create table person (
  space text not null,
  id text not null,
  email text not null,
  name text not null,
  created_by text not null,
  created_at bigint not null,
  disabled_at bigint,
  entry text not null,
  primary key (space, id)
);
create unique index person_by_email on person (space, email);

-- record
create table role_grant (
  space text not null,
  person text not null,
  role text not null,
  granted_by text not null,
  granted_at bigint not null,
  early integer not null,
  revoked_at bigint,
  entry text not null,
  primary key (space, person, role)
);

-- record
create table system (
  space text not null,
  name text not null,
  title text not null,
  purpose text not null,
  stage text not null,
  stage_since bigint not null,
  latest_release text not null,
  created_at bigint not null,
  updated_at bigint not null,
  entry text not null,
  primary key (space, name)
);

-- record
create table release (
  space text not null,
  system text not null,
  digest text not null,
  number integer not null,
  file_digest text not null,
  materiality text not null,
  bundle text not null,
  pushed_by text not null,
  pushed_at bigint not null,
  entry text not null,
  primary key (space, system, digest)
);

-- record: answers that only a person may give.
create table answer (
  space text not null,
  system text not null,
  question text not null,
  value text not null,
  reason text not null,
  person text not null,
  statement text not null,
  answered_at bigint not null,
  entry text not null,
  primary key (space, system, question)
);

-- record
create table ticket (
  space text not null,
  id text not null,
  system text not null,
  release text not null,
  producer text not null,
  checks text not null,
  datasets text not null,
  seed text not null,
  status text not null,
  attempt integer not null,
  issued_to text not null,
  issued_at bigint not null,
  lease_until bigint not null,
  entry text not null,
  primary key (space, id)
);
create index ticket_by_system on ticket (space, system, release);

-- record
create table check_result (
  space text not null,
  id text not null,
  ticket text not null,
  system text not null,
  release text not null,
  check_id text not null,
  verdict text not null,
  producer text not null,
  produced_by text not null,
  result text not null,
  statement text not null,
  produced_at bigint not null,
  entry text not null,
  primary key (space, id)
);
create index check_result_by_release on check_result (space, system, release, check_id, produced_at);

-- record: a request for a gate move (promotion, lifting a hold, a provider, a role, a policy bundle).
create table request (
  space text not null,
  id text not null,
  move text not null,
  system text,
  release text,
  stage text,
  environment text,
  detail text not null,
  status text not null,
  requested_by text not null,
  requested_at bigint not null,
  closed_at bigint,
  outcome text,
  entry text not null,
  primary key (space, id)
);
create index request_by_status on request (space, status, requested_at);

-- record
create table approval (
  space text not null,
  id text not null,
  request text not null,
  role text not null,
  person text not null,
  answer text not null,
  comment text not null,
  facts_digest text not null,
  policy_digest text not null,
  method text not null,
  authenticated_at bigint not null,
  not_after bigint not null,
  statement text not null,
  statement_digest text not null,
  given_at bigint not null,
  spent_by text,
  entry text not null,
  primary key (space, id)
);
create index approval_by_request on approval (space, request);

-- record
create table ato (
  space text not null,
  id text not null,
  system text not null,
  release text not null,
  stage text not null,
  environment text not null,
  state text not null,
  not_before bigint not null,
  not_after bigint not null,
  request text not null,
  statement text not null,
  granted_at bigint not null,
  state_since bigint not null,
  state_reason text,
  entry text not null,
  primary key (space, id)
);
create index ato_by_system on ato (space, system, release, stage, environment);

-- record
create table deployment (
  space text not null,
  id text not null,
  system text not null,
  environment text not null,
  stage text not null,
  release text not null,
  active integer not null,
  recorded_by text not null,
  recorded_at bigint not null,
  attested text not null,
  entry text not null,
  primary key (space, id)
);
create index deployment_by_system on deployment (space, system, environment, active);

-- record: the digest of a credential, never the credential.
create table credential (
  space text not null,
  id text not null,
  deployment text not null,
  digest text not null,
  hint text not null,
  issued_by text not null,
  issued_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  entry text not null,
  primary key (space, id)
);
create unique index credential_by_digest on credential (digest);

-- record: scope 'all' or 'system'.
create table hold (
  space text not null,
  id text not null,
  scope text not null,
  system text,
  reason text not null,
  placed_by text not null,
  placed_at bigint not null,
  lifted_by text,
  lifted_at bigint,
  entry text not null,
  primary key (space, id)
);

-- record
create table provider (
  space text not null,
  id text not null,
  dialect text not null,
  base_url text not null,
  vendor text not null,
  region text not null,
  allow_private integer not null,
  registered_by text not null,
  registered_at bigint not null,
  active integer not null,
  entry text not null,
  primary key (space, id)
);

-- record
create table policy_bundle (
  space text not null,
  digest text not null,
  bundle text not null,
  published_by text not null,
  published_at bigint not null,
  active integer not null,
  entry text not null,
  primary key (space, digest)
);

-- record: projection of runtime entries, written after the log.
create table decision (
  space text not null,
  id text not null,
  log_index bigint not null,
  gateway text not null,
  seq bigint not null,
  kind text not null,
  system text,
  deployment text,
  release text,
  action text not null,
  decision text not null,
  code text,
  model text,
  detail text not null,
  outcome text,
  decided_at bigint not null,
  primary key (space, id)
);
create index decision_by_system on decision (space, system, decided_at);
create index decision_by_index on decision (log_index);

-- operational: keys of model providers, sealed by the root key.
create table provider_key (
  space text not null,
  provider text not null,
  sealed text not null,
  updated_at bigint not null,
  primary key (space, provider)
);

-- operational: one-time links (first set-up, invitations), by digest.
create table one_time_link (
  digest text primary key,
  purpose text not null,
  person text,
  created_at bigint not null,
  expires_at bigint not null,
  used_at bigint
);

-- operational: background work and the notification outbox.
create table task (
  space text not null,
  id text not null,
  kind text not null,
  payload text not null,
  run_at bigint not null,
  attempts integer not null,
  max_attempts integer not null,
  leased_until bigint,
  lease_owner text,
  last_error text,
  created_at bigint not null,
  done_at bigint,
  primary key (space, id)
);
create index task_due on task (done_at, run_at);

-- operational: better-auth's tables, in its own names. It runs with type "sqlite" on both engines:
-- flags are 0 or 1, times are ISO 8601 text.
create table "user" (
  "id" text primary key,
  "name" text not null,
  "email" text not null,
  "emailVerified" integer not null,
  "image" text,
  "createdAt" text not null,
  "updatedAt" text not null
);
create unique index user_by_email on "user" ("email");

create table "session" (
  "id" text primary key,
  "expiresAt" text not null,
  "token" text not null,
  "createdAt" text not null,
  "updatedAt" text not null,
  "ipAddress" text,
  "userAgent" text,
  "userId" text not null references "user" ("id") on delete cascade,
  "method" text not null,
  "authenticatedAt" bigint not null
);
create unique index session_by_token on "session" ("token");
create index session_by_user on "session" ("userId");

create table "account" (
  "id" text primary key,
  "accountId" text not null,
  "providerId" text not null,
  "userId" text not null references "user" ("id") on delete cascade,
  "accessToken" text,
  "refreshToken" text,
  "idToken" text,
  "accessTokenExpiresAt" text,
  "refreshTokenExpiresAt" text,
  "scope" text,
  "password" text,
  "createdAt" text not null,
  "updatedAt" text not null
);
create index account_by_user on "account" ("userId");

create table "verification" (
  "id" text primary key,
  "identifier" text not null,
  "value" text not null,
  "expiresAt" text not null,
  "createdAt" text not null,
  "updatedAt" text not null
);
create index verification_by_identifier on "verification" ("identifier");

create table "passkey" (
  "id" text primary key,
  "name" text,
  "publicKey" text not null,
  "userId" text not null references "user" ("id") on delete cascade,
  "credentialID" text not null,
  "counter" bigint not null,
  "deviceType" text not null,
  "backedUp" integer not null,
  "transports" text,
  "createdAt" text,
  "aaguid" text
);
create unique index passkey_by_credential on "passkey" ("credentialID");
create index passkey_by_user on "passkey" ("userId");
