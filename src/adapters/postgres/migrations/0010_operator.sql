-- Up Migration

-- What narrows a token down beside scopes and apps: environments, max_replicas, strategies, deploys_per_hour, approval.
alter table tokens add column limits jsonb not null default '{}';

-- Orders of tokens, for their number per hour.
create table token_orders (
  deployment_id text primary key,
  token_id text not null,
  at timestamptz not null default clock_timestamp()
);
create index token_orders_newest on token_orders (token_id, at desc);

-- What people are asked to approve. `verdict` is null until one has decided.
create table approvals (
  id text primary key,
  token_id text not null,
  actor jsonb not null,
  action jsonb not null,
  app_name text not null,
  plan_hash text not null,
  summary text not null,
  asked_at timestamptz not null default clock_timestamp(),
  expires_at timestamptz not null,
  verdict text check (verdict in ('approved', 'rejected')),
  decided_at timestamptz,
  decided_by jsonb,
  reason text,
  used_at timestamptz
);
create index approvals_of_plan on approvals (token_id, plan_hash, asked_at desc);
create index approvals_newest on approvals (asked_at desc, id);

-- While there is a row, no agent may change anything.
create table agent_freeze (
  single boolean primary key default true check (single),
  at timestamptz not null,
  by jsonb not null,
  reason text not null
);

-- Deployments of agents, newest first.
create index deployments_of_agents on deployments ((state -> 'identity' -> 'actor' ->> 'agent'), created_at)
  where state -> 'identity' -> 'actor' ->> 'agent' is not null;
