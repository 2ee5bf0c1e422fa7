-- Up Migration

-- Apps that were forgotten while something of them may still be there: the next request to remove them goes on from here.
create table removals (
  app_name text not null,
  environment text not null,
  -- The last one of the app: its number tells the removed life of the app from the next one.
  release integer not null,
  removal jsonb not null,
  primary key (app_name, environment)
);
