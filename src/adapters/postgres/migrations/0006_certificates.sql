-- Up Migration

-- The account at each authority; its key is sealed.
create table acme_accounts (
  directory text primary key,
  sealed_key text not null,
  created_at timestamptz not null default clock_timestamp()
);

-- What HTTP-01 finds at the edge at the moment.
create table acme_challenges (
  token text primary key,
  key_authorization text not null,
  published_at timestamptz not null default clock_timestamp()
);

create table certificates (
  id text primary key,
  app_name text not null,
  environment text not null,
  -- The names wanted; what the certificate itself is for stands in issued_hosts.
  hosts text[] not null,
  origin text not null check (origin in ('acme', 'own')),
  state text not null check (state in ('pending', 'issued', 'failed', 'revoked')),
  alone boolean not null default false,
  issued_hosts text[],
  certificate text,
  sealed_key text,
  issued_at timestamptz,
  expires_at timestamptz,
  error_code text,
  error_message text,
  attempts integer not null default 0,
  next_attempt_at timestamptz,
  lease_until timestamptz,
  -- Rises with each claim: who writes under an old one writes nothing.
  fence bigint not null default 0,
  created_at timestamptz not null default clock_timestamp(),
  check (num_nulls(issued_hosts, certificate, sealed_key, issued_at, expires_at) in (0, 5))
);
create index certificates_by_app on certificates (app_name, environment);
create index certificates_due on certificates (next_attempt_at) where origin = 'acme';
