/** What the composition root takes for FlukeBase: without a token there is no client, and nothing that health could tell. */
import type { InjectionToken } from '@nestjs/common';
import { FlukeBaseClient } from './adapters/flukebase/flukebase-client.js';
import { PostgresFlukeBaseStore } from './adapters/postgres/postgres-flukebase-store.js';
import type { Config } from './config.js';
import { FlukeBase, FlukeBaseStore } from './domain/ports.js';
import type { Infrastructure } from './infrastructure.js';
import { FlukeBaseOptions, requireUpstream } from './modules/flukebase/index.js';
import type { Dependency } from './modules/health/index.js';

interface FlukeBaseParts {
  readonly values: readonly (readonly [InjectionToken, unknown])[];
  readonly dependencies: readonly Dependency[];
}

export function flukebaseParts(
  { FLUKEBASE_API_TOKEN: token, FLUKEBASE_API_URL: url, LOG_RETENTION_DAYS, ROOT_DOMAIN }: Config,
  { database, flukebaseAuthorities: authorities }: Infrastructure,
): FlukeBaseParts {
  const store = new PostgresFlukeBaseStore(database, LOG_RETENTION_DAYS);
  const origin = ROOT_DOMAIN === undefined ? '' : `https://captain.${ROOT_DOMAIN}`;
  const options = new FlukeBaseOptions(token !== undefined, url, origin);
  const always = [[FlukeBaseStore, store] as const, [FlukeBaseOptions, options] as const];
  if (token === undefined) return { values: always, dependencies: [] };
  return {
    values: [...always, [FlukeBase, new FlukeBaseClient({ url, token, authorities })]],
    dependencies: [{ name: 'flukebase', required: false, check: () => requireUpstream(store) }],
  };
}
