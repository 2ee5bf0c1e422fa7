import { describe, expect, it } from '@jest/globals';
import { withServer } from '../../test/support/command-line.js';
import type { ValidationAnswer } from './answers.js';

const VALIDATE = 'POST /api/v1/validate';
const GOOD: ValidationAnswer = {
  valid: true,
  issues: [],
  plan: [{ phase: 'deploy', action: 'switch', summary: 'All requests go to web_r2.' }],
  restart: { replicas: 2, reason: 'It is new.' },
  expected_downtime: { seconds: 0, reason: 'None.' },
  capacity: { replicas_extra: 1, cpus: 0.5, memory_mb: 64, fits: true },
  plan_hash: 'ab12',
};
const BAD: ValidationAnswer = {
  valid: false,
  issues: [
    {
      code: 'tests_failed',
      severity: 'error',
      stops: true,
      path: 'plugins',
      message: 'The tests failed.\u001b[2J',
      hint: 'Read the lines.',
      plugin: 'run-tests',
      evidence: ['1 of 2 failed'],
    },
    { code: 'runs_as_root', severity: 'warning', stops: false, message: 'It runs as root.' },
  ],
  plan: [],
};

const cli = withServer();
const validate = (line: string, answer = GOOD) => {
  cli.server.answer(() => ({ json: answer }));
  return cli.run(`validate ${line}`);
};

describe('validate', () => {
  it('sends what deploy would send, and shows what would be done', async () => {
    const { code, stdout } = await validate('--app web --image nginx:1.0 --replicas 2 --run-tests --security-scan');
    expect(cli.server.to(VALIDATE).map(({ json }) => json)).toEqual([
      { app_name: 'web', image: 'nginx:1.0', replicas: 2, run_tests: true, run_security_scan: true },
    ]);
    expect(stdout.split('\n')).toEqual([
      '[deploy] All requests go to web_r2.',
      '✓ nothing that was checked would stop web',
      '  replaced: 2 replicas. It is new.',
      '  downtime: none. None.',
      '  room: at most 1 more replicas at a time, which reserve 0.5 CPU and 64 MB',
      '',
    ]);
    expect(code).toBe(0);
  });

  it('ends with 1 where the deployment would be stopped, and says why', async () => {
    const { code, stdout } = await validate('--app web --image a', BAD);
    expect(stdout.split('\n')).toEqual([
      'error stops it: plugins: The tests failed. (tests_failed) by run-tests',
      '  │ 1 of 2 failed',
      '  hint: Read the lines.',
      'warning: It runs as root. (runs_as_root)',
      '✗ web would be stopped',
      '',
    ]);
    expect(code).toBe(1);
  });

  it('answers JSON as it is', async () => {
    const { stdout } = await validate('--app web --image a --json');
    expect(JSON.parse(stdout)).toEqual(GOOD);
  });

  it('asks about the app as it is live', async () => {
    await validate('--app web --live --replicas 3');
    expect(cli.server.to(VALIDATE).map(({ json }) => json)).toEqual([{ app_name: 'web', replicas: 3 }]);
  });

  it.each(['--app web --live --image a', '. --app web --live', '--image a', '--app web --image a --detach'])(
    'refuses %s',
    async (line) => {
      expect(await validate(line)).toMatchObject({ code: 2 });
      expect(cli.server.requests).toEqual([]);
    },
  );
});
