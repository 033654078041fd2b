-- Record tables say which key sealed the payload that a row comes from, so that an erasure finds its rows.
alter table entry add column kid text not null default '';
alter table decision add column kid text not null default '';
alter table decision add column outcome_kid text;

-- record: where each recorded prompt or answer stands in the log; never its text.
create table content (
  space text not null,
  id text not null,
  log_index bigint not null,
  kid text not null,
  decision text not null,
  part text not null,
  mode text not null,
  truncated integer not null,
  recorded_at bigint not null,
  primary key (space, id)
);
create index content_by_decision on content (space, decision);
create index content_by_kid on content (kid);

-- record: what is recorded of calls and how long it is kept; a space without a row has the defaults.
create table privacy_setting (
  space text not null,
  content_modes text not null,
  retention_days text not null,
  set_by text not null,
  set_at bigint not null,
  entry text not null,
  primary key (space)
);

-- record: erasures on request and by schedule; state 'intended' or 'done'.
create table erasure (
  space text not null,
  id text not null,
  occasion text not null,
  state text not null,
  body text not null,
  intended_at bigint not null,
  done_at bigint,
  entry text not null,
  primary key (space, id)
);

-- operational: one row while erased rows may still lie in the raw file of the database.
create table scrub (
  id text primary key,
  due_at bigint not null
);

-- The new columns come from the log: the next start gives every record table again.
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
delete from decision;
update installation set applied_index = -1, projected_index = -1;
