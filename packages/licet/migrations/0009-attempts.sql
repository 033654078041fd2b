-- Tickets: record: checks whose verdict stood already when they were asked for.
alter table ticket add column settled text;

-- record: what each ticket reserved, one row for each check that it runs: the order of attempts on a subject.
create table check_attempt (
  space text not null,
  ticket text not null,
  check_id text not null,
  system text not null,
  release text not null,
  producer text not null,
  kind text not null,
  version text not null,
  subject text not null,
  data text,
  configuration text not null,
  reads text not null,
  attempt_index integer not null,
  alpha double precision not null,
  previous text not null,
  seed text not null,
  drawn_as text not null,
  repeats text,
  result text,
  stands integer not null,
  reserved_at bigint not null,
  entry text not null,
  primary key (space, ticket, check_id)
);
create index check_attempt_by_subject on check_attempt (space, system, subject, kind, version);

-- record: each ticket that a data set judged something for.
create table dataset_use (
  space text not null,
  system text not null,
  digest text not null,
  ticket text not null,
  used_at bigint not null,
  primary key (space, system, digest, ticket)
);

-- record: results that were made a second time; `repeat` is the second one, null where the server's runner only compared.
create table check_repeat (
  space text not null,
  id text not null,
  system text not null,
  release text not null,
  ticket text not null,
  check_id text not null,
  reported text not null,
  repeat text,
  drawn text,
  agrees integer not null,
  differences text not null,
  repeated_at bigint not null,
  entry text not null,
  primary key (space, id)
);
create index check_repeat_by_reported on check_repeat (space, reported);
create index check_repeat_by_ticket on check_repeat (space, ticket);
