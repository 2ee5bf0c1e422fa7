import { randomBytes } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { at, identity, request } from '../../../test/support/deployment-fixtures.js';
import { orderOf } from '../../../test/support/deployment-order.js';
import { AesGcmSecrets } from '../../adapters/crypto/aes-gcm-secrets.js';
import { DEFAULT_CONFIG, type DeploySpec } from '../../domain/app-spec.js';
import { fold } from '../../domain/deployment.js';
import { contextOf } from '../deployments/index.js';
import { NO_SERVER_PLUGINS, Plugins } from '../plugins/index.js';
import { ConfiguredUses } from './configured-uses.js';

const USES = [{ name: 'notify', options: { targets: [] } }];
const SERVER = { SIGNING: 'of the server', LOOT: 'of the server' };

/** What each secret is for a deployment of an app that has SIGNING and OWN. */
async function secretsOf(uses: Pick<DeploySpec, 'plugins' | 'server_plugins'>): Promise<unknown> {
  const secrets = new AesGcmSecrets(randomBytes(32));
  const sealed = (name: string) => secrets.seal('of the app', contextOf('env', identity, name));
  const config = { ...DEFAULT_CONFIG, env: { SIGNING: sealed('SIGNING'), OWN: sealed('OWN') } };
  const plugins = new Plugins([], { ...NO_SERVER_PLUGINS, secrets: SERVER });
  const spec = { ...orderOf().spec, ...uses };
  const record = { id: identity.id, state: fold([request]), spec, config, fence: 1, created_at: at };
  const use = await new ConfiguredUses(plugins, secrets).of(record);
  return ['SIGNING', 'LOOT', 'OWN', 'constructor'].map((name) => use?.secret(name));
}

it('the secrets of the server are for what the server has switched on, and no app can put its own in their place', async () => {
  expect(await secretsOf({ server_plugins: USES })).toEqual([
    'of the server',
    'of the server',
    'of the app',
    undefined,
  ]);
});

it('an app, which chooses the address, can send no secret of the server there', async () => {
  const ofTheApp = ['of the app', undefined, 'of the app', undefined];
  expect(await secretsOf({ plugins: USES })).toEqual(ofTheApp);
  expect(await secretsOf({ server_plugins: USES, plugins: structuredClone(USES) })).toEqual(ofTheApp);
});
