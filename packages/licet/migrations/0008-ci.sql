-- record: whose CI tokens may begin counted runs of a system.
create table ci_registration (
  space text not null,
  id text not null,
  system text not null,
  kind text not null,
  issuer text not null,
  audience text not null,
  names text not null,
  claims text not null,
  allow_private integer not null,
  registered_by text not null,
  registered_at bigint not null,
  request text not null,
  outcome text not null,
  removed_by text,
  removed_at bigint,
  removed_because text,
  entry text not null,
  primary key (space, id)
);
create index ci_registration_by_system on ci_registration (space, system, removed_at);

-- record: tokens that were exchanged, each for the right to one counted run; `token_use` is used once in the whole installation.
create table ci_run (
  space text not null,
  id text not null,
  registration text not null,
  system text not null,
  token_use text not null,
  secret_digest text not null,
  provenance text not null,
  authors text not null,
  exchanged_at bigint not null,
  expires_at bigint not null,
  ticket text,
  replayed_at bigint,
  entry text not null,
  primary key (space, id)
);
create unique index ci_run_by_token on ci_run (token_use);
create index ci_run_by_secret on ci_run (space, secret_digest);
create index ci_run_by_registration on ci_run (space, registration);
