-- record: how long the server has to make a drawn check again, in milliseconds, and what the run may spend on questions to models.
alter table ticket add column repeat_within bigint;
alter table ticket add column budget text;
create index ticket_by_producer on ticket (producer, issued_at);

-- record: the result whose verdict stands in another release or under another id.
alter table check_result add column carried_from text;

-- record: why a drawn check was not made again within its time.
alter table check_repeat add column voided text;
