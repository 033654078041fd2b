-- Files and batches: record: ids that providers gave out, bound to the system and the release whose content went there. A
-- row is never written over: one with `ends` says that the id means nothing from there on.
create table bound_id (
  space text not null,
  provider text not null,
  id text not null,
  entry text not null,
  log_index bigint not null,
  ends bigint not null,
  object text not null,
  system text not null,
  deployment text not null,
  release text not null,
  detail text not null,
  recorded_at bigint not null,
  kid text not null,
  primary key (space, provider, id, entry)
);
create index bound_id_by_place on bound_id (log_index);
create index bound_id_by_kid on bound_id (kid);
