import { Logger } from '@nestjs/common';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../../test/support/until.js';
import type { AppStore } from '../../domain/ports.js';
import { CaptainName } from './captain-name.js';
import { CertificateRounds } from './certificate-rounds.js';
import type { CertificatesService } from './certificates.service.js';

let round: jest.Mock<CertificatesService['round']>;
let rounds: CertificateRounds;
beforeEach(() => {
  jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
  jest.spyOn(Logger.prototype, 'log').mockImplementation(() => undefined);
  round = jest.fn<CertificatesService['round']>();
  rounds = new CertificateRounds(
    { round } as Pick<CertificatesService, 'round'> as CertificatesService,
    { traffic: async () => [] } as Partial<AppStore> as AppStore,
    new CaptainName(undefined),
  );
});
afterEach(() => {
  jest.restoreAllMocks();
});

describe('the rounds', () => {
  it('go on after trouble, which is told when it begins and when it ends', async () => {
    round.mockRejectedValueOnce(new Error('away')).mockRejectedValueOnce(new Error('away')).mockResolvedValue();
    rounds.onApplicationBootstrap();
    await until(async () => round.mock.calls.length >= 4, 'four rounds', 25_000);
    await rounds.beforeApplicationShutdown();
    expect(Logger.prototype.warn).toHaveBeenCalledTimes(1);
    expect(Logger.prototype.log).toHaveBeenCalledTimes(1);
  });

  it('end with the process, once what is under way has been given back', async () => {
    let given = false;
    round.mockImplementation(
      (signal) =>
        new Promise((resolve) => {
          signal?.addEventListener('abort', () => {
            given = true;
            resolve();
          });
        }),
    );
    rounds.onApplicationBootstrap();
    await until(async () => round.mock.calls.length === 1, 'the first round');
    await rounds.beforeApplicationShutdown();
    expect([given, round.mock.calls.length]).toEqual([true, 1]);
  });
});
