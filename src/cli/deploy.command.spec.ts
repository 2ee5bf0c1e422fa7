import { describe, expect, it } from '@jest/globals';
import { FlukeDeployEventType as Event } from '../domain/log-entry.js';
import { withServer, type RunOptions } from '../../test/support/command-line.js';
import {
  DEPLOY,
  ID,
  LOGS,
  ScriptedDeployment,
  success,
  SUCCESS_LINES,
} from '../../test/support/scripted-deployment.js';

const cli = withServer();
const deploy = (line: string, options?: RunOptions) => cli.run(`deploy ${line}`, options);
const on = (deployment: ScriptedDeployment) => deployment.on(cli.server);

describe('deploy', () => {
  it('sends the order, tells the log in its order, and ends with the verdict', async () => {
    success().on(cli.server);
    const { code, stdout, stderr } = await deploy('--app web --image nginx:1.0 --replicas 2');
    expect(stdout.split('\n')).toEqual([
      `Deployment ${ID}`,
      ...SUCCESS_LINES,
      '✓ pre_build 1.2s · ✓ build 1.2s · ✓ pre_deploy 1.2s · ✓ deploy 1.2s · ✓ post_deploy 1.2s',
      '✓ web 1.0 is live as release 7 after 1m 05s',
      '  image sha256:abc',
      '',
    ]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [order] = cli.server.to(DEPLOY);
    expect(order?.json).toEqual({ app_name: 'web', image: 'nginx:1.0', replicas: 2 });
    expect(order?.headers).toMatchObject({ authorization: 'Bearer fd_test', 'idempotency-key': expect.any(String) });
  });

  it('shows a failure whole, with exit code 1', async () => {
    on(
      new ScriptedDeployment([{ message: 'boom', phase: 'build', level: 'error', event_type: Event.BUILD_ERROR }], {
        status: 'failed',
        failed_phase: 'build',
        error: {
          code: 'build_failed',
          message: 'make: exit 2',
          retryable: false,
          hint: 'Read the lines.',
          evidence: ['cc: error', '\u001b[2Jfoo.c missing'],
        },
      }),
    );
    const { code, stdout } = await deploy('--app web --image a');
    expect(code).toBe(1);
    expect(stdout).toContain(
      [
        '✗ web 1.0 failed in build after 1m 05s',
        '  build_failed: make: exit 2',
        '  │ cc: error',
        '  │ foo.c missing',
        '  hint: Read the lines.',
        '',
      ].join('\n'),
    );
  });

  it.each([
    ['rolled_back', 1, /was rolled back/],
    ['cancelled', 3, /was cancelled/],
  ] as const)('%s is exit code %d', async (status, expected, text) => {
    on(new ScriptedDeployment([{ message: 'over', event_type: Event.DEPLOY_ERROR }], { status }));
    const { code, stdout } = await deploy('--app web --image a');
    expect(code).toBe(expected);
    expect(stdout).toMatch(text);
  });

  it('prints JSON lines, the deployment as the last one', async () => {
    success().on(cli.server);
    const { stdout } = await deploy('--app web --image a --json');
    const documents = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(documents.map((document) => document['message'] ?? document['status'])).toEqual([
      'requested',
      'Build started',
      'Step 1/1',
      'careful',
      'web 1.0 is live',
      'success',
    ]);
  });

  it('returns at once with --detach, and prints nothing but the id', async () => {
    success().on(cli.server);
    expect(await deploy('--app web --image a --detach')).toEqual({ code: 0, stdout: `${ID}\n`, stderr: '' });
    expect(cli.server.to(LOGS)).toEqual([]);
  });

  it('keeps the phases below the log of a terminal, and lets nothing of the log move its cursor', async () => {
    on(new ScriptedDeployment([{ message: '\u001b[2J\u001b[Hevil\rgone', phase: 'build' }], { status: 'success' }));
    const { stdout } = await deploy('--app web --image a', { columns: 120 });
    const phases = '✓ pre_build 1.2s · ✓ build 1.2s · ✓ pre_deploy 1.2s · ✓ deploy 1.2s · ✓ post_deploy 1.2s';
    const sequences = new Set(stdout.match(/\u001b\[[^a-zA-Z]*[a-zA-Z]|\r/g));
    expect(sequences.has('\u001b[2J') || sequences.has('\u001b[H')).toBe(false);
    const text = stdout.replace(/\u001b\[\d*m/g, '');
    expect(text).toContain(`\r\u001b[2K[build] evil\n[build] gone\n${phases}`);
  });

  it('has no colours where NO_COLOR is set', async () => {
    success().on(cli.server);
    const { stdout } = await deploy('--app web --image a', {
      columns: 120,
      environment: { NO_COLOR: '1' },
    });
    expect(stdout).not.toMatch(/\u001b\[\d*m/);
  });
});

describe('Ctrl-C', () => {
  it('leaves the deployment alone and says how to go on', async () => {
    const deployment = success();
    cli.server.answer((request) => (request.query.get('cursor') === '4' ? 'silence' : deployment.answer(request)));
    const interrupt = new AbortController();
    const onOutput = (text: string) => text.includes('careful') && interrupt.abort();
    const { code, stderr } = await deploy('--app web --image a', { interrupted: interrupt.signal, onOutput });
    expect(code).toBe(130);
    expect(stderr).toBe(
      `The deployment goes on.\n  watch it:  flukedeploy logs ${ID} --follow\n  cancel it: flukedeploy cancel ${ID}\n`,
    );
    expect(cli.server.requests.every(({ route }) => !route.includes('cancel'))).toBe(true);
  });
});

describe('a refusal', () => {
  const problem = {
    status: 400,
    code: 'invalid_field',
    title: 'A field has a value that is not allowed.',
    detail: 'replicas must not be greater than 100',
    errors: [{ path: 'replicas', message: 'must not be greater than 100' }],
  };

  it('names every field, with exit code 2 and without a stack', async () => {
    cli.server.answer(() => ({ status: 400, json: problem }));
    expect(await deploy('--app web --image a')).toEqual({
      code: 2,
      stdout: '',
      stderr: [
        'error: A field has a value that is not allowed. (invalid_field)',
        '  replicas must not be greater than 100',
        '  - replicas: must not be greater than 100',
        '',
      ].join('\n'),
    });
    expect(cli.server.requests).toHaveLength(1);
  });

  it('is the one document of --json', async () => {
    cli.server.answer(() => ({ status: 400, json: problem }));
    expect(JSON.parse((await deploy('--app web --image a --json')).stdout)).toEqual(problem);
  });

  it('of something that is no FlukeDeploy is told as that', async () => {
    cli.server.answer(() => ({ status: 301, headers: { location: 'https://deploy.example.com/' } }));
    const { code, stderr } = await deploy('--app web --image a');
    expect(code).toBe(2);
    expect(stderr).toContain('another address: https://deploy.example.com/');
  });

  it('comes before anything is sent when the command is wrong', async () => {
    for (const line of ['--app web --image a --replicas x', '--app web --image a --tar b', '--image a', '--unknown']) {
      expect(await deploy(line)).toMatchObject({ code: 2, stdout: '', stderr: expect.stringMatching(/error/) });
    }
    expect(cli.server.requests).toEqual([]);
  });
});
