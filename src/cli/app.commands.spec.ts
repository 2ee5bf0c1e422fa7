import { describe, expect, it } from '@jest/globals';
import { withServer } from '../../test/support/command-line.js';
import { ID, ScriptedDeployment } from '../../test/support/scripted-deployment.js';

const cli = withServer();

const app = {
  app_name: 'web',
  environment: 'production',
  live: { release: 3, version: '1.2' },
  config: { replicas: 2 },
};

describe('apps', () => {
  it('are listed with what is live', async () => {
    cli.server.answer(() => ({
      json: {
        apps: [
          { ...app, hosts: ['web.example.com'] },
          { app_name: 'new', environment: 'staging', hosts: [] },
        ],
      },
    }));
    const { code, stdout } = await cli.run('apps');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'APP  ENVIRONMENT  RELEASE  VERSION  REPLICAS  HOSTS',
        'web  production   3        1.2      2         web.example.com',
        'new  staging      –        –        0',
        '',
      ].join('\n'),
    );
  });
});

describe('releases', () => {
  it('of an app are listed, the live one marked', async () => {
    const release = {
      release: 3,
      live: true,
      version: '1.2',
      source: 'nginx:1.2',
      actor: 'admin',
      created_at: '2026-02-03T10:00:00.123Z',
      deployment_id: ID,
    };
    cli.server.answer(() => ({ json: { releases: [release], total: 4 } }));
    const { stdout, stderr } = await cli.run('releases web --environment staging --limit 1');
    expect(stdout).toContain(`3 live   1.2      2026-02-03 10:00:00  nginx:1.2  admin  ${ID}`);
    expect(stderr).toContain('3 older ones: --limit 4');
    const { query } = cli.server.to('GET /api/v1/apps/web/releases')[0]!;
    expect([query.get('environment'), query.get('limit')]).toEqual(['staging', '1']);
  });
});

describe('a change of an app', () => {
  it.each([
    ['rollback web', 'rollback', {}],
    ['rollback web --to 3', 'rollback', { release: 3 }],
    ['rollback web --version 1.2', 'rollback', { version: '1.2' }],
    ['scale web 4 --environment staging', 'scale', { replicas: 4, environment: 'staging' }],
    ['restart web --reason slow', 'restart', { reason: 'slow' }],
  ])('%s asks for it and prints the id', async (line, route, body) => {
    cli.server.answer(() => ({ status: 202, json: { deployment_id: ID } }));
    expect(await cli.run(`${line} --detach --idempotency-key k1`)).toMatchObject({ code: 0, stdout: `${ID}\n` });
    const [request] = cli.server.to(`POST /api/v1/apps/web/${route}`);
    expect(request?.json).toEqual(body);
    expect(request?.headers['idempotency-key']).toBe('k1');
  });

  it('is watched to its end, and its verdict is the exit code', async () => {
    const deployment = new ScriptedDeployment([{ message: 'one', phase: 'deploy' }], { status: 'failed' });
    cli.server.answer((request) =>
      request.route.startsWith('POST') ? { status: 202, json: deployment.view('pending') } : deployment.answer(request),
    );
    const { code, stdout } = await cli.run('restart web');
    expect(stdout).toContain(`Deployment ${ID}`);
    expect(stdout).toContain('[deploy] one');
    expect(code).toBe(1);
  });

  it.each(['scale web', 'scale web many', 'rollback web --to first', 'rollback web --to 1 --version 2', 'rollback'])(
    '%s is wrong usage',
    async (line) => {
      expect((await cli.run(line)).code).toBe(2);
      expect(cli.server.requests).toEqual([]);
    },
  );
});

describe('a word to a rollout', () => {
  it.each([
    [`promote ${ID} --full`, 'promote', { full: true }],
    [`pause ${ID} --reason lunch`, 'pause', { reason: 'lunch' }],
    [`resume ${ID}`, 'resume', {}],
    [`abort ${ID} --reason bad`, 'abort', { reason: 'bad' }],
  ])('%s', async (line, word, body) => {
    cli.server.answer(() => ({ status: 202, json: new ScriptedDeployment([], { status: 'deploying' }).view() }));
    const { code } = await cli.run(`${line} --json`);
    expect(cli.server.requests.map(({ route, json }) => [route, json])).toEqual([
      [`POST /api/v1/deployments/${ID}/${word}`, body],
    ]);
    expect(code).toBe(0);
  });
});
