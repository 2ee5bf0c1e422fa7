import { beforeEach, describe, expect, it } from '@jest/globals';
import { z } from 'zod';
import { MemoryAuditTrail } from '../../../test/support/memory-audit-trail.js';
import { DeployError } from '../../domain/errors.js';
import type { Principal } from '../../domain/ports.js';
import { Auditor } from '../audit/index.js';
import type { ApprovalsService } from '../policy/index.js';
import { answer } from './answer.js';
import type { ApprovalQuestion } from './approval-question.js';
import { ChangingTool, ReadingTool, type Changed, type ToolDefinition } from './tool.js';
import type { ToolCall } from './tool-call.js';
import { ToolRuns } from './tool-runs.js';
import { TOOLS } from './tools/index.js';

const DEFINITION: ToolDefinition = {
  name: 'thing_paint',
  title: 'Paint',
  description: 'Paints a thing.',
  scope: 'deploy',
  input: z.object({}),
  output: z.object({}),
};

/** Any tool that changes something, also one that nobody has written yet. */
class PaintTool extends ChangingTool {
  readonly definition = DEFINITION;
  readonly action = 'thing.paint';
  painted = 0;
  error: Error | undefined;

  targetOf({ thing }: Readonly<Record<string, unknown>>): string {
    return String(thing);
  }

  plan(): Promise<ReturnType<typeof answer>> {
    if (this.error) return Promise.reject(this.error);
    return Promise.resolve(answer({ plan: 'paint it' }));
  }

  change(): Promise<Changed> {
    if (this.error) return Promise.reject(this.error);
    this.painted++;
    return Promise.resolve({
      told: { approval_id: 'apr-1' },
      answer: () => Promise.resolve(answer({ painted: true })),
    });
  }
}

class LookTool extends ReadingTool {
  readonly definition = { ...DEFINITION, name: 'thing_look' };
  error: Error | undefined;

  run(): Promise<ReturnType<typeof answer>> {
    if (this.error) return Promise.reject(this.error);
    return Promise.resolve(answer({ seen: true }));
  }
}

const PRINCIPAL: Principal = {
  actor: { kind: 'token', name: 'ops', agent: 'OPERATOR', on_behalf_of: 'Ada' },
  scopes: ['deploy'],
  token_id: 'aaaaaaaaaaaa',
};

describe('a tool', () => {
  it.each(TOOLS.map((tool) => [tool.name, tool] as const))(
    'such as %s looks, or changes what is recorded',
    (_, tool) => {
      const kinds = [ReadingTool, ChangingTool].filter((kind) => tool.prototype instanceof kind);
      expect(kinds).toHaveLength(1);
      // Whoever changes something has no other way to be run than the recorded one.
      if (kinds[0] === ChangingTool) expect(tool.prototype).not.toHaveProperty('run');
    },
  );
});

let trail: MemoryAuditTrail;
let tool: PaintTool;
let runs: ToolRuns;
beforeEach(() => {
  trail = new MemoryAuditTrail();
  tool = new PaintTool();
  const nobody = (): never => {
    throw new Error('nobody is to be asked');
  };
  runs = new ToolRuns(
    new Auditor(trail),
    { find: nobody } as unknown as ApprovalsService,
    { ask: nobody } as unknown as ApprovalQuestion,
  );
});

const call = (given: Readonly<Record<string, unknown>> = {}): ToolCall => ({
  principal: PRINCIPAL,
  arguments: { thing: 'the door', ...given },
  origin: { address: '192.0.2.7', request_id: 'request-1' },
  canAsk: true,
  word: undefined,
  signal: AbortSignal.timeout(60_000),
  progress: () => Promise.resolve(),
});

describe('a tool that changes something', () => {
  it('leaves one record of who did what, by which request, and under which approval', async () => {
    await runs.run(tool, call());
    expect(trail.records).toEqual([
      {
        at: expect.any(String),
        actor: { ...PRINCIPAL.actor, token_id: PRINCIPAL.token_id },
        action: 'thing.paint',
        target: 'the door',
        outcome: 'succeeded',
        rule: 'approval: apr-1',
        address: '192.0.2.7',
        request_id: 'request-1',
      },
    ]);
  });

  it.each([
    [new DeployError('invalid_field', 'red is no colour'), 'invalid_field', undefined],
    [
      new DeployError('policy_denied', 'not here', { policy: { rule: 'environment' } }),
      'policy_denied',
      'environment: not here',
    ],
    [
      new DeployError('approval_required', 'first', { policy: { approval_id: 'apr-2' } }),
      'approval_required',
      'apr-2: first',
    ],
    [new Error('the password is hunter2'), 'internal', undefined],
  ])('is recorded as refused where it is: %s', async (error, outcome, rule) => {
    tool.error = error;
    await expect(runs.run(tool, call())).rejects.toBe(error);
    expect(trail.records).toMatchObject([{ action: 'thing.paint', outcome, request_id: 'request-1' }]);
    expect(trail.records[0]?.rule).toBe(rule);
  });

  it('changes nothing where it cannot be recorded', async () => {
    trail.broken = true;
    await expect(runs.run(tool, call())).rejects.toMatchObject({ code: 'unavailable' });
    expect(tool.painted).toBe(0);
  });

  it('that only shows its plan leaves no record', async () => {
    expect(await runs.run(tool, call({ dry_run: true }))).toMatchObject({ structuredContent: { plan: 'paint it' } });
    expect([tool.painted, trail.records, trail.intents.size]).toEqual([0, [], 0]);
  });

  it('takes no other word for a dry run', async () => {
    await runs.run(tool, call({ dry_run: 'true' }));
    expect(trail.records).toHaveLength(1);
  });
});

describe('a look', () => {
  const denied = new DeployError('policy_denied', 'not here', { policy: { rule: 'environment' } });
  const looking = new LookTool();

  it.each([
    ['a tool that only looks', looking, { app_name: 'web', deployment_id: 'dep-1' }, 'web'],
    ['one that is about a deployment', looking, { deployment_id: 'dep-1' }, 'dep-1'],
    ['one that is about nothing', looking, { app_name: 7 }, 'thing_look'],
    ['a plan', undefined, { dry_run: true }, 'the door'],
  ])('with %s is recorded where somebody is kept from it', async (_, look, given, target) => {
    (look ?? tool).error = denied;
    await expect(runs.run(look ?? tool, call(given))).rejects.toBe(denied);
    expect(trail.records).toEqual([
      {
        at: expect.any(String),
        actor: { ...PRINCIPAL.actor, token_id: PRINCIPAL.token_id },
        action: 'read',
        target,
        outcome: 'policy_denied',
        rule: 'environment: not here',
        address: '192.0.2.7',
        request_id: 'request-1',
      },
    ]);
    expect(trail.intents.size).toBe(0);
  });

  it.each([
    ['what it asks for is not there', new DeployError('app_not_found')],
    ['it makes no sense', new DeployError('invalid_field')],
    ['something is broken', new Error('the password is hunter2')],
  ])('leaves no record where %s', async (_, error) => {
    looking.error = tool.error = error;
    await expect(runs.run(looking, call())).rejects.toBe(error);
    await expect(runs.run(tool, call({ dry_run: true }))).rejects.toBe(error);
    expect(trail.records).toEqual([]);
  });

  it('stays refused where that cannot be recorded', async () => {
    trail.broken = true;
    looking.error = denied;
    await expect(runs.run(looking, call())).rejects.toBe(denied);
  });
});
