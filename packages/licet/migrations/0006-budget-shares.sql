-- record: of `budget_spent`, what each run of a gateway process has spent, by its entries that came over.
create table budget_spent_run (
  space text not null,
  run text not null,
  system text not null,
  day bigint not null,
  currency text not null,
  tokens bigint not null,
  micros bigint not null,
  primary key (space, run, system, day, currency)
);

-- operational: what each run of a gateway process may use of limits, written before it is told; `terms` is JSON.
create table budget_share (
  space text not null,
  gateway text not null,
  run text not null,
  terms text not null,
  seen_at bigint not null,
  primary key (space, gateway, run)
);
