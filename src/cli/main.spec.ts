import { describe, expect, it } from '@jest/globals';
import { FlukeDeployEventType as Event } from '../domain/log-entry.js';
import { run, withServer } from '../../test/support/command-line.js';
import { entryOf, ID, ScriptedDeployment } from '../../test/support/scripted-deployment.js';
import { PAGE_ENTRIES } from './api.js';

const cli = withServer();

const failed = () =>
  new ScriptedDeployment(
    [
      { message: 'one', phase: 'build' },
      { message: 'two\nlines', phase: 'build' },
      { message: 'three', event_type: Event.DEPLOY_ERROR, level: 'error' },
    ],
    { status: 'failed' },
  );
describe('logs', () => {
  it('of a deployment is all there is by now, page by page', async () => {
    failed().on(cli.server);
    const { code, stdout } = await cli.run(`logs ${ID} --phase build --level warn`);
    const stamp = `2026-02-03T10:00:00.123Z ${ID}`;
    expect(stdout).toBe(
      [
        `${stamp} [build] one`,
        `${stamp} [build] two`,
        `${stamp} [build] lines`,
        `${stamp} [deployment] error: three`,
        '',
      ].join('\n'),
    );
    expect(code).toBe(0);
    expect(
      cli.server.requests.map(({ query }) => [query.get('cursor'), query.get('phase'), query.get('level')]),
    ).toEqual([
      [null, 'build', 'warn'],
      ['2', 'build', 'warn'],
    ]);
  });

  it('--follow ends with the deployment, and with its verdict', async () => {
    failed().on(cli.server);
    const { code, stdout } = await cli.run(`logs ${ID} -f`);
    expect(code).toBe(1);
    expect(stdout).toContain('✗ web 1.0 failed');
  });

  it('of an app reads on by cursor', async () => {
    const entries = Array.from({ length: PAGE_ENTRIES + 1 }, (_, index) =>
      entryOf({ message: `m${index}` }, index + 1),
    );
    cli.server.answer(({ query }) => {
      const from = Number(query.get('cursor') ?? 0);
      return { json: { entries: entries.slice(from, from + PAGE_ENTRIES), next_cursor: String(from + PAGE_ENTRIES) } };
    });
    const { stdout } = await cli.run('logs --app web --since 5 --json');
    expect(
      stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(entries);
    expect(cli.server.requests[0]?.query.toString()).toContain('app_name=web&since_minutes=5');
  });

  it.each([
    'logs',
    `logs ${ID} --app web`,
    'logs --app web -f',
    'logs --app web --phase build',
    `logs ${ID} --since 5`,
    `logs ${ID} --level loud`,
  ])('%s is refused', async (line) => {
    expect(await cli.run(line)).toMatchObject({ code: 2, stdout: '' });
    expect(cli.server.requests).toEqual([]);
  });
});

describe('status, cancel and history', () => {
  it('status shows phases and source', async () => {
    failed().on(cli.server);
    const { code, stdout } = await cli.run(`status ${ID}`);
    expect(code).toBe(0);
    expect(stdout).toContain('● web 1.0 is building');
    expect(stdout).toContain('source nginx:1.0');
    expect(stdout).toContain(`watch: flukedeploy logs ${ID} --follow`);
  });

  it('cancel sends the reason', async () => {
    cli.server.answer(() => ({ status: 202, json: failed().view() }));
    expect(await cli.run(`cancel ${ID} --reason changed`)).toMatchObject({ code: 0 });
    expect(cli.server.requests[0]).toMatchObject({
      route: `POST /api/v1/deployments/${ID}/cancel`,
      json: { reason: 'changed' },
    });
  });

  it('history is a table', async () => {
    cli.server.answer(() => ({ json: { deployments: [{ ...failed().view('success'), duration_ms: 900 }], total: 3 } }));
    const { stdout, stderr } = await cli.run('history web --limit 1');
    expect(stdout.split('\n')).toEqual([
      'RELEASE  VERSION  ENVIRONMENT  STATUS   REQUESTED            TIME  BY     DEPLOYMENT',
      '7        1.0      production   success  2026-02-03 10:00:00  0.9s  admin  dep-01',
      '',
    ]);
    expect(stderr).toBe('2 older ones: --limit 3\n');
  });

  it.each([`status ${ID}`, `cancel ${ID}`, 'history web'])('%s --json is the answer itself', async (line) => {
    const answer = { deployment_id: ID, anything: ['else'] };
    cli.server.answer(() => ({ json: answer }));
    const { stdout } = await cli.run(`${line} --json`);
    expect(JSON.parse(stdout)).toEqual(answer);
  });
});

describe('help', () => {
  it.each([
    ['--help', 0],
    ['--version', 0],
    ['deploy --help', 0],
    ['', 2],
    ['deplyo', 2],
  ])('"%s" is exit code %d', async (line, expected) => {
    const { code, stdout, stderr } = await run(line.split(' ').filter(Boolean));
    expect(code).toBe(expected);
    expect(stdout + stderr).not.toBe('');
  });

  it('lists the exit codes', async () => {
    expect((await run(['--help'])).stdout).toContain('130  interrupted');
  });
});
