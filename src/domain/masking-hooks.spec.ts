/** Plugins choose names and codes: what they make of them must hide no secret, and break no fact. */
import { expect, it } from '@jest/globals';
import { createMasker } from './masking.js';

it('keeps how a hook ended, and nothing secret of what its plugin names', () => {
  const known = createMasker(['release-command', 'pre_deploy', 'passed', 'hunter2-hunter2']);
  const ended = { plugin: 'release-command', hook: 'pre_deploy', outcome: 'passed' };
  const code = 'hunter2-hunter2';
  const findings = [{ severity: 'info', code, message: 'seen' }];
  const fact = { type: 'hook_ended', result: { ...ended, code, findings, outputs: { 'hunter2-hunter2': 1 } } };
  expect(known.maskDeep({ fact })).toEqual({
    fact: {
      ...fact,
      result: { ...ended, code: '***', findings: [{ ...findings[0], code: '***' }], outputs: { '***': 1 } },
    },
  });
  const outputs = { image: 'passed' };
  expect(known.maskDeep({ fact: { outputs } })).toEqual({ fact: { outputs } });
});
