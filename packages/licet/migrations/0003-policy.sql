-- record: every publication of a bundle, by people and by the server; `packs` holds the space's own packs in full.
create table policy_publication (
  space text not null,
  id text not null,
  digest text not null,
  previous text,
  occasion text not null,
  request text,
  outcome text not null,
  approvals text not null,
  packs text not null,
  composed text not null,
  changed text not null,
  comment text not null,
  compiled_by text not null,
  published_by text not null,
  published_at bigint not null,
  entry text not null,
  primary key (space, id)
);
create index policy_publication_by_request on policy_publication (space, request);

-- record: what an application pack knows of its subjects and resources.
create table policy_entity (
  space text not null,
  type text not null,
  id text not null,
  entity text not null,
  entry text not null,
  updated_at bigint not null,
  primary key (space, type, id)
);

-- record: clients of the decision API; the digest of a credential, never the credential.
create table policy_client (
  space text not null,
  id text not null,
  name text not null,
  digest text not null,
  created_by text not null,
  created_at bigint not null,
  expires_at bigint not null,
  revoked_at bigint,
  entry text not null,
  primary key (space, id)
);
create unique index policy_client_by_digest on policy_client (digest);

-- record: spaces beside the first one, which needs no row.
create table space (
  name text not null,
  title text not null,
  created_by text not null,
  created_at bigint not null,
  entry text not null,
  primary key (name)
);

-- record: live decisions that were decided again and came out otherwise.
create table policy_mismatch (
  space text not null,
  id text not null,
  bundle text not null,
  ours text not null,
  reference text not null,
  request text not null,
  found_at bigint not null,
  entry text not null,
  primary key (space, id)
);

-- operational: replays of recorded decisions against a candidate; the end of each is in the log, with its report.
create table backtest (
  space text not null,
  id text not null,
  asked_by text not null,
  asked_at bigint not null,
  candidate_digest text not null,
  candidate text not null,
  active_digest text not null,
  from_time bigint not null,
  to_time bigint not null,
  system text,
  state text not null,
  cursor bigint not null,
  progress text not null,
  tally text,
  report text,
  error text,
  entry text,
  primary key (space, id)
);

-- The history of publications comes from the log: the next start gives every governance table again.
delete from entry;
delete from person;
delete from role_grant;
delete from system;
delete from release;
delete from answer;
delete from ticket;
delete from check_result;
delete from request;
delete from approval;
delete from ato;
delete from deployment;
delete from credential;
delete from hold;
delete from provider;
delete from policy_bundle;
delete from privacy_setting;
delete from erasure;
update installation set applied_index = -1;
