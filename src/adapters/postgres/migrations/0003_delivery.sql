-- Up Migration

-- The release that is live; absent before the first success.
alter table apps add column live_release integer;

-- What succeeded, for good: rows are added, and go with their app. Values of env and secrets in `config` are sealed.
create table releases (
  app_name text not null,
  environment text not null,
  release integer not null,
  deployment_id text not null,
  version text not null,
  image text not null,
  image_digest text,
  commit text,
  source text not null,
  config jsonb not null,
  actor jsonb not null,
  -- The release whose content this is: its own number, or for a rollback that of its target.
  origin integer not null,
  created_at timestamptz not null,
  primary key (app_name, environment, release)
);

-- Where the requests go: the last `traffic_shifted` of each app, written in the transaction that appends it.
create table traffic (
  app_name text not null,
  environment text not null,
  traffic jsonb not null,
  retiring jsonb not null default '[]',
  changed_at timestamptz not null default clock_timestamp(),
  primary key (app_name, environment)
);

-- Host names belong to one app. One is claimed when a deployment that names it is accepted.
create table domains (
  host text primary key,
  app_name text not null,
  environment text not null
);
create index domains_of_app on domains (app_name, environment);

-- A way back goes first: it does not wait behind newer orders of its app.
alter table deployments add column urgent boolean not null default false;

-- How the edge reaches the API, told by the process that serves it last: every worker must bring the edge the same.
create table edge_settings (
  single boolean primary key default true check (single),
  captain jsonb
);
insert into edge_settings default values;
