-- Up Migration

-- The audit trail as a chain: each row holds the hash of the one before, and only the database itself can link them.
-- Rows from before are chained in the order in which they were written; their numbers lose their gaps.

alter table audit alter column number drop identity;
alter table audit
  add column rule text,
  add column address text,
  add column plan_hash text,
  add column request_id text,
  add column prev_hash text,
  add column hash text;

-- RFC 8785, for objects whose names are ASCII and whose numbers are whole: jsonb writes the rest as the RFC wants it.
create function canonical_json(value jsonb) returns text language sql immutable strict as $$
  select case jsonb_typeof(value)
    when 'object' then '{' || coalesce((
      select string_agg(to_jsonb(name)::text || ':' || canonical_json(member), ',' order by name collate "C")
      from jsonb_each(value) as members (name, member)
    ), '') || '}'
    when 'array' then '[' || coalesce((
      select string_agg(canonical_json(element), ',' order by place)
      from jsonb_array_elements(value) with ordinality as elements (element, place)
    ), '') || ']'
    else value::text
  end
$$;

-- Everything but the hash itself; what is null is left out, as it is in the entries that clients get.
create function audit_hash(entry audit) returns text language sql stable as $$
  select encode(sha256(convert_to(canonical_json(jsonb_strip_nulls(jsonb_build_object(
    'number', entry.number,
    'at', to_char(entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
    'actor', entry.actor,
    'action', entry.action,
    'target', entry.target,
    'outcome', entry.outcome,
    'rule', entry.rule,
    'address', entry.address,
    'plan_hash', entry.plan_hash,
    'request_id', entry.request_id,
    'prev_hash', entry.prev_hash
  ))), 'UTF8')), 'hex')
$$;

-- The last link. Its row lock is what puts writers in a line.
create table audit_head (
  single boolean primary key default true check (single),
  number bigint not null,
  hash text not null
);
insert into audit_head (number, hash) values (0, repeat('0', 64));

create function audit_link(entry audit) returns audit language plpgsql as $$
declare
  head audit_head;
begin
  select * into strict head from audit_head for update;
  entry.number := head.number + 1;
  -- What clients read has milliseconds; what is hashed is what they read.
  entry.at := date_trunc('milliseconds', entry.at);
  entry.prev_hash := head.hash;
  entry.hash := audit_hash(entry);
  update audit_head set number = entry.number, hash = entry.hash;
  return entry;
end
$$;

do $$
declare
  old audit;
  linked audit;
begin
  for old in select * from audit order by number loop
    linked := audit_link(old);
    update audit set number = linked.number, at = linked.at, prev_hash = linked.prev_hash, hash = linked.hash
      where number = old.number;
  end loop;
end
$$;

alter table audit alter column prev_hash set not null, alter column hash set not null;
create index audit_by_target on audit (target, number);
create index audit_by_action on audit (action, number);

create function audit_append() returns trigger language plpgsql as $$
begin
  return audit_link(new);
end
$$;
create trigger audit_chained before insert on audit for each row execute function audit_append();

create function audit_refuse() returns trigger language plpgsql as $$
begin
  raise exception 'the audit trail is append-only: % of % is refused', lower(tg_op), tg_table_name
    using errcode = 'insufficient_privilege';
end
$$;
create trigger audit_kept before update or delete or truncate on audit
  for each statement execute function audit_refuse();
create trigger audit_head_kept before insert or delete or truncate on audit_head
  for each statement execute function audit_refuse();
-- Only the trigger of an append moves it.
create trigger audit_head_moved before update on audit_head
  for each row when (pg_trigger_depth() = 0) execute function audit_refuse();

-- What is about to be done, until its outcome is in the trail.
create table audit_intents (
  key text primary key,
  begun_at timestamptz not null default now(),
  record jsonb not null
);
create index audit_intents_by_age on audit_intents (begun_at);
