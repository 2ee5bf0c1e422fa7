/** What an agent is there for, from the first deployment to the way back, with nothing but tools: the same for tests and benchmarks. */
import type { Told } from './mcp-client.js';
import { ScriptedAgent, type ToolServer } from './scripted-agent.ts';
import { QUICK_CHECK, serving, shell } from './web-apps.ts';

const CRASHING = {
  image: 'busybox:1',
  command: shell('echo looking for the database; echo DATABASE_URL is not set >&2; exit 3'),
  health_check: QUICK_CHECK,
};

/** What each part may take of a model's context, in tokens. The list is read once, before anything can be done. */
export const BUDGET = {
  'tool list': 5_000,
  deploy: 800,
  'next version': 800,
  diagnose: 1_400,
  'roll back': 1_300,
};
export type Part = keyof typeof BUDGET;

export interface AgentTask {
  readonly spent: Readonly<Record<Part, number>>;
  readonly calls: readonly string[];
  /** Both good versions, at their end. */
  readonly deployed: readonly [Told, Told];
  readonly failed: Told;
  /** What it read of the failed one's log. */
  readonly errors: Told;
  /** The answer to the version that it had guessed. */
  readonly refused: Told;
  readonly back: Told;
}

/** Deploys two versions and a broken one, finds out why that failed, and goes back to the first. */
export async function deployDiagnoseRollBack(server: ToolServer, app_name: string): Promise<AgentTask> {
  const agent = await ScriptedAgent.begin(server);
  let before = 0;
  const sinceBefore = (): number => {
    const spent = agent.tokens - before;
    before = agent.tokens;
    return spent;
  };
  const deploy = async (wish: Readonly<Record<string, unknown>>): Promise<Told> =>
    agent.untilEnd(await agent.call('deploy_app', { app_name, ...wish }));

  const list = sinceBefore();
  const first = await deploy({ ...serving('one'), version: '1.0.0' });
  const forFirst = sinceBefore();
  const second = await deploy({ ...serving('two'), version: '2.0.0' });
  const forSecond = sinceBefore();

  const failed = await deploy({ ...CRASHING, version: '3.0.0' });
  const errors = await agent.follow(failed);
  const forDiagnosis = sinceBefore();

  // It was asked for "version 1", which is not what the version is called; the refusal says where that can be seen.
  const refused = await agent.call('deploy_rollback', { app_name, version: '1' });
  const history = await agent.follow(refused);
  const meant = (history['deployments'] as readonly Told[]).find(({ version }) => String(version).startsWith('1.'));
  const order = { app_name, deployment_id: meant?.['deployment_id'] };
  const back = await agent.untilEnd(await agent.call('deploy_rollback', order));

  return {
    spent: {
      'tool list': list,
      deploy: forFirst,
      'next version': forSecond,
      diagnose: forDiagnosis,
      'roll back': sinceBefore(),
    },
    calls: agent.calls,
    deployed: [first, second],
    failed,
    errors,
    refused,
    back,
  };
}
