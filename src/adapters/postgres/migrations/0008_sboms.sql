-- Up Migration

-- What the image of a deployment is made of; gone with its release, or when it does not become one.
create table sboms (
  deployment_id text primary key references deployments on delete cascade,
  format text not null check (format in ('cyclonedx')),
  -- The JSON text, compressed by gzip: the database itself need not try once more.
  document bytea not null
);
alter table sboms alter column document set storage external;
