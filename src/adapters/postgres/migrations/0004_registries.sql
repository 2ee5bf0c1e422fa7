-- Up Migration

-- Logins for registries, and the one that built images are pushed to. Passwords are sealed.
create table registries (
  name text primary key,
  url text not null,
  username text,
  password text,
  default_push boolean not null,
  created_at timestamptz not null
);
create unique index registries_one_default on registries (default_push) where default_push;
