/** Where the requests go is a fact that the edge is told: masking must not change it. */
import { expect, it } from '@jest/globals';
import { createMasker } from './masking.js';

it('leaves alone where the requests go: a cookie that is matched, a host name that is a password', () => {
  const masker = createMasker(['deploy', 'message']);
  const match = [{ cookie: 'beta', value: 'on' }];
  const traffic = { hosts: ['deploy.test', 'message.test'], canary: { weight: 10, match } };
  const fact = { type: 'traffic_shifted', traffic, retiring: [{ service: 'message_r1' }], summary: 'deploy' };
  expect(masker.maskDeep({ fact })).toEqual({ fact: { ...fact, summary: '***' } });
  expect(masker.maskDeep({ details: { traffic: { cookie: 'beta' } } })).toEqual({
    details: { traffic: { cookie: '***' } },
  });
});
