-- Up Migration

-- How far the log has been looked at for FlukeBase, and what is known of it. No row: it was never switched on.
create table flukebase_feed (
  single boolean primary key default true check (single),
  position bigint not null,
  upstream jsonb not null default '{"breaker": "closed"}',
  told_at timestamptz not null default clock_timestamp()
);

-- How far FlukeBase has been told of each deployment. The log is the queue: a lane is a place in it, however much waits behind.
-- There is no foreign key on purpose: its lock would make the appends of deployments wait.
create table flukebase_lanes (
  id text primary key,
  deployment_id text not null,
  channel text not null check (channel in ('log', 'task', 'replay')),
  -- History goes after the present.
  backfill boolean not null default false,
  -- Sequence of the last entry that concerns it.
  head integer not null,
  done integer not null default 0,
  state jsonb not null default '{}',
  -- When it has something to tell, or tries again; absent while it rests.
  due_at timestamptz,
  lease_until timestamptz,
  -- Rises with each claim: who writes under an old one writes nothing.
  fence bigint not null default 0,
  touched_at timestamptz not null default clock_timestamp()
);
create index flukebase_lanes_due on flukebase_lanes (backfill, due_at) where due_at is not null;
create index flukebase_lanes_resting on flukebase_lanes (touched_at) where due_at is null;

-- What FlukeBase would not take, as a place in the log.
create table flukebase_dead_letters (
  id text primary key,
  deployment_id text not null,
  kind text not null check (kind in ('log', 'deployment', 'task')),
  first_sequence integer not null,
  last_sequence integer not null,
  error text not null,
  died_at timestamptz not null default clock_timestamp()
);
create index flukebase_dead_letters_newest on flukebase_dead_letters (died_at desc, id desc);
create index flukebase_dead_letters_of_deployment on flukebase_dead_letters (deployment_id, kind, last_sequence);
