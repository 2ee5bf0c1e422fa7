-- Up Migration

-- The one stream of all entries. Its single row is locked by whoever appends, until the commit: positions have no gap
-- and are in the order of commits, and so are the times.
create table stream (
  single boolean primary key default true check (single),
  epoch text not null default substr(md5(random()::text || clock_timestamp()::text), 1, 8),
  head bigint not null default 0,
  floor bigint not null default 0,
  last_at timestamptz not null default '-infinity',
  -- Fingerprint of a known text under the key that seals secrets: a process with another key must not start.
  key_check text
);
insert into stream default values;

-- Current configuration of an app in an environment: that of its last successful deployment. Env values are sealed.
create table apps (
  app_name text not null,
  environment text not null,
  project text not null,
  last_release integer not null,
  config jsonb,
  live_deployment text,
  primary key (app_name, environment)
);

-- Summary of each deployment: a fold of its entries, written in the transaction that appends them.
create table deployments (
  id text primary key,
  app_name text not null,
  environment text not null,
  release integer not null,
  status text not null,
  state jsonb not null,
  spec jsonb not null,
  config jsonb,
  sequence integer not null default 0,
  fence integer not null default 0,
  -- Number of the last batch of lines under this fence: one whose answer was lost is not stored twice.
  batch integer not null default 0,
  lease_owner text,
  lease_until timestamptz,
  due_at timestamptz,
  cancel_requested boolean not null default false,
  deadline_at timestamptz,
  created_at timestamptz not null default now(),
  started_at timestamptz,
  finished_at timestamptz,
  unique (app_name, environment, release)
);
-- At most one running deployment per app and environment: an index cannot be forgotten, as a lock can.
create unique index deployments_one_running on deployments (app_name, environment) where started_at is not null and finished_at is null;
create index deployments_unfinished on deployments (app_name, environment, release) where finished_at is null;
create index deployments_due on deployments (due_at) where due_at is not null;
create index deployments_newest on deployments (created_at desc, id desc);
create index deployments_of_app on deployments (app_name, created_at desc, id desc);
create index deployments_by_status on deployments (status);

create table entries (
  deployment_id text not null references deployments on delete cascade,
  sequence integer not null,
  position bigint not null,
  at timestamptz not null,
  level smallint not null,
  app_name text not null,
  environment text not null,
  status text not null,
  component text not null,
  instance text not null,
  phase text,
  attempt smallint,
  event_type text,
  message text not null,
  metadata jsonb,
  fact jsonb,
  primary key (deployment_id, sequence)
);
create unique index entries_position on entries (position);
create index entries_at on entries (at, position);
create index entries_of_app on entries (app_name, position);
create index entries_of_type on entries (event_type, position) where event_type is not null;
create index entries_warnings on entries (position) where level >= 2;
create index entries_errors on entries (position) where level >= 3;

create table idempotency_keys (
  key text primary key,
  fingerprint text not null,
  deployment_id text not null references deployments on delete cascade deferrable initially deferred,
  created_at timestamptz not null default now()
);

-- Uploaded archives, in pieces, until their deployment has ended: every worker on every machine can read them.
create table archive_pieces (
  deployment_id text not null references deployments on delete cascade deferrable initially deferred,
  number integer not null,
  bytes bytea not null,
  primary key (deployment_id, number)
);
alter table archive_pieces alter column bytes set storage external;
