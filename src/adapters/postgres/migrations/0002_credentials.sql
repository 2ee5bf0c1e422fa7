-- Up Migration

-- The one administrator.
create table admin_credential (
  single boolean primary key default true check (single),
  password_hash text not null,
  changed_at timestamptz not null default now()
);

-- API tokens. A revoked one stays listed; its hash stays taken.
create table tokens (
  id text primary key,
  hash text not null unique,
  name text not null,
  scopes text[] not null,
  apps text[],
  agent text,
  created_at timestamptz not null,
  expires_at timestamptz,
  last_used_at timestamptz,
  revoked_at timestamptz
);
create index tokens_newest on tokens (created_at desc, id);

create table sessions (
  hash text primary key,
  expires_at timestamptz not null
);
create index sessions_by_end on sessions (expires_at);

-- Who changed what, when, and how it ended. Rows are added, never changed.
create table audit (
  number bigint generated always as identity primary key,
  at timestamptz not null,
  actor jsonb not null,
  action text not null,
  target text not null,
  outcome text not null
);
create index audit_newest on audit (at desc, number desc);
