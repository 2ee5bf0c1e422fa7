import { describe, expect, it } from '@jest/globals';
import { withServer } from '../../test/support/command-line.js';

const cli = withServer();

const approval = {
  approval_id: 'apr-0123456789abcdef',
  status: 'pending',
  kind: 'deploy',
  app_name: 'web',
  environment: 'production',
  summary: 'image web:2; sets replicas',
  actor: 'ci',
  agent: 'OPERATOR',
  expires_at: '2026-02-03T11:00:00.000Z',
};

describe('agents', () => {
  it('are listed, and whether they are frozen', async () => {
    cli.server.answer(() => ({
      json: {
        agents: [{ agent: 'OPERATOR', tokens: [{ id: 'a' }], deployments_24h: 3, frozen: true }],
        frozen: { at: '2026-02-03T10:00:00.000Z', by: { name: 'admin' }, reason: 'odd deploys' },
      },
    }));
    const { code, stdout } = await cli.run('agents');
    expect(code).toBe(0);
    expect(stdout.split('\n')).toEqual([
      'Frozen by admin at 2026-02-03 10:00:00: odd deploys',
      'AGENT     TOKENS  LAST USED  DEPLOYMENTS 24H',
      'OPERATOR  1       –          3',
      '',
    ]);
  });

  it('are frozen with a reason, and what they have asked for is cancelled on request', async () => {
    const frozen = { at: '2026-02-03T10:00:00.000Z', by: { name: 'admin' }, reason: 'odd' };
    cli.server.answer(() => ({ json: { frozen, cancelled: ['dep-1'] } }));
    const { code, stdout } = await cli.run('agents freeze --reason odd --cancel-running --json');
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({ frozen, cancelled: ['dep-1'] });
    expect(cli.server.to('POST /api/v1/agents/freeze')[0]?.json).toEqual({ reason: 'odd', cancel_running: true });
  });

  it('are not frozen without a reason', async () => {
    expect((await cli.run('agents freeze')).code).not.toBe(0);
    expect(cli.server.to('POST /api/v1/agents/freeze')).toEqual([]);
  });
});

describe('approvals', () => {
  it('are listed by status', async () => {
    cli.server.answer(() => ({ json: { approvals: [approval] } }));
    const { stdout } = await cli.run('approvals --status pending');
    expect(stdout).toContain('apr-0123456789abcdef  pending  deploy web/production  OPERATOR');
    expect(cli.server.to('GET /api/v1/approvals')[0]?.query.get('status')).toBe('pending');
  });

  it.each(['approve', 'reject'] as const)('%s sends the reason', async (word) => {
    cli.server.answer(() => ({ json: { ...approval, status: 'done' } }));
    expect((await cli.run(`${word} ${approval.approval_id} --reason seen`)).code).toBe(0);
    const route = `POST /api/v1/approvals/${approval.approval_id}/${word}`;
    expect(cli.server.to(route)[0]?.json).toEqual({ reason: 'seen' });
  });

  it('that are needed are named when a command is refused', async () => {
    const problem = { code: 'approval_required', title: 'A person must approve this first.', rule: 'approval' };
    cli.server.answer(() => ({ status: 403, json: { ...problem, status: 403, approval_id: approval.approval_id } }));
    const { code, stderr } = await cli.run('scale web 3 --detach');
    expect(code).toBe(2);
    expect(stderr).toContain(`approval: ${approval.approval_id}`);
  });
});

describe('token create', () => {
  it('prints the token alone, made with the limits that are asked for', async () => {
    cli.server.answer(() => ({
      status: 201,
      json: { id: 'a1', token: 'fd_secret', expires_at: '2026-03-05T10:00:00.000Z' },
    }));
    const limits = '--environment staging --max-replicas 3 --strategy rolling --approval-in prod*';
    const { stdout, stderr } = await cli.run(`token create ops --operator --agent OPERATOR ${limits}`);
    expect(stdout).toBe('fd_secret\n');
    expect(stderr).toContain('It expires 2026-03-05 10:00:00.');
    expect(cli.server.to('POST /api/v1/tokens')[0]?.json).toEqual({
      name: 'ops',
      persona: 'operator',
      agent: 'OPERATOR',
      environments: ['staging'],
      max_replicas: 3,
      strategies: ['rolling'],
      approval: { environments: ['prod*'] },
    });
  });

  it.each([
    ['--approval-by-elicitation', { by_elicitation: true }],
    ['--approval-in staging --approval-by-elicitation', { environments: ['staging'], by_elicitation: true }],
  ])('lets the person at the client approve with %s only', async (flags, approval) => {
    cli.server.answer(() => ({ status: 201, json: { id: 'a1', token: 'fd_secret' } }));
    await cli.run(`token create ops --operator ${flags}`);
    expect(cli.server.to('POST /api/v1/tokens')[0]?.json).toMatchObject({ approval });
  });
});
