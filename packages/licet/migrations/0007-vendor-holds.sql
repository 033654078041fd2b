-- Holds: record: of scope 'vendor', whose providers nothing is sent to.
alter table hold add column vendor text;
