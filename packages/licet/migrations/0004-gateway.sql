-- Waivers: record: accepted deviations; under an `observe` waiver calls go on that would have been refused.
create table waiver (
  space text not null,
  id text not null,
  kind text not null,
  system text not null,
  environment text not null,
  reason text not null,
  compensation text not null,
  request text not null,
  requested_by text not null,
  outcome text not null,
  approvals text not null,
  not_before bigint not null,
  not_after bigint not null,
  ended_at bigint,
  ended_by text,
  end_cause text,
  end_reason text,
  entry text not null,
  primary key (space, id)
);
create index waiver_by_place on waiver (space, system, environment);

-- Waivers: record: what would have refused a call that went on under a waiver, one row for each reason.
create table waiver_refusal (
  space text not null,
  decision text not null,
  code text not null,
  policy text not null,
  waiver text not null,
  decided_at bigint not null,
  kid text not null,
  primary key (space, decision, code, policy)
);
create index waiver_refusal_by_waiver on waiver_refusal (space, waiver, code, policy);
create index waiver_refusal_by_kid on waiver_refusal (kid);
-- FEED
-- record: gateways that run as processes of their own; `trust` is the trust file of a gateway's own log.
create table gateway (
  space text not null,
  id text not null,
  name text not null,
  token_digest text not null,
  token_expires_at bigint not null,
  added_by text not null,
  added_at bigint not null,
  public_key text,
  log_origin text,
  trust text,
  joined_at bigint,
  joined_entry text,
  removed_at bigint,
  entry text not null,
  primary key (space, id)
);
create unique index gateway_by_name on gateway (space, name);

-- operational: up to where each gateway's log was taken over.
create table gateway_shipment (
  space text not null,
  gateway text not null,
  log text not null,
  next_index bigint not null,
  seen_at bigint not null,
  primary key (space, gateway, log)
);

-- OBSERVE: refusals are found among many calls without reading them.
create index decision_refused on decision (space, log_index) where decision = 'deny';
-- BUDGETS
-- record: limits that the operator set beside those of releases; system '' for all systems of the space together.
create table budget_limit (
  space text not null,
  system text not null,
  limits text not null,
  reason text not null,
  changed_by text not null,
  changed_at bigint not null,
  entry text not null,
  primary key (space, system)
);

-- record: the organisation's own prices of a provider's model.
create table model_price (
  space text not null,
  provider text not null,
  model text not null,
  known text not null,
  source text not null,
  changed_by text not null,
  changed_at bigint not null,
  entry text not null,
  primary key (space, provider, model)
);

-- record: what decisions reserved and outcomes settled, by day of UTC since the epoch; currency '' for none.
create table budget_spent (
  space text not null,
  system text not null,
  day bigint not null,
  currency text not null,
  tokens bigint not null,
  micros bigint not null,
  primary key (space, system, day, currency)
);

-- Providers: record: of Azure, the value of `api-version`; empty for none. The column `dialect` holds the kind.
alter table provider add column api_version text not null default '';
