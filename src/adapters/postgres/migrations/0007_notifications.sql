-- Up Migration

-- Deployments whose end nobody has been told yet: added in the transaction that ends one, gone once it is planned who is told.
create table deployment_endings (
  deployment_id text primary key references deployments on delete cascade,
  ended_at timestamptz not null default clock_timestamp(),
  -- When it is planned, or planned again after somebody failed at it.
  due_at timestamptz not null default clock_timestamp()
);
create index deployment_endings_due on deployment_endings (due_at);

-- What each target is told. Addresses, secrets and the message itself are not kept: they follow from the configuration and
-- the deployment.
create table notifications (
  id text primary key,
  deployment_id text not null references deployments on delete cascade,
  -- Its name among the targets of the configuration.
  target text not null,
  -- Absent where the configuration could not be read.
  type text check (type in ('slack', 'discord', 'webhook')),
  event text not null check (event in ('deployment.succeeded', 'deployment.failed', 'deployment.cancelled')),
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  lease_until timestamptz,
  -- Rises with each claim: who writes under an old one writes nothing.
  fence bigint not null default 0,
  delivered_at timestamptz,
  dead_at timestamptz,
  last_error text,
  created_at timestamptz not null default clock_timestamp(),
  unique (deployment_id, target),
  check (num_nonnulls(next_attempt_at, delivered_at, dead_at) = 1)
);
create index notifications_due on notifications (next_attempt_at) where next_attempt_at is not null;
create index notifications_by_age on notifications (created_at);
