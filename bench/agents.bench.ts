/** What an agent pays for its work: tokens for each part of a task, and the size and time of answers out of a log of a million lines. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import Docker from 'dockerode';
import type { Database } from '../src/adapters/postgres/database.js';
import { BUDGET, deployDiagnoseRollBack, type Part } from '../test/support/agent-task.ts';
import type { ToolServer } from '../test/support/scripted-agent.ts';
import { now, quantile, ratio, spread, type Benchmark, type Table } from './support/benchmark.ts';
import { Deployments, lines } from './support/deployments.ts';
import { load } from './support/http-load.ts';
import { removeLeftovers } from './support/leftovers.ts';
import { FLUKEDEPLOY, logIn, startServer } from './support/server.ts';
import { startStores } from './support/stores.ts';
import { connectTools } from './support/tool-client.ts';

const LINES = 1_000_000;
const BATCH = 500;
/** An answer may hold no more, however much there is. */
const ANSWER_BYTES = 16_384;
/** Of one round. */
const CALLS = 40;
const PARTS = Object.keys(BUDGET) as Part[];

export const agents: Benchmark = async (scope, { quick, rounds }) => {
  const prefix = `fdbench-${randomBytes(4).toString('hex')}`;
  const docker = new Docker();
  scope.defer(() => removeLeftovers(docker, prefix));
  const { database, environment, root } = await startStores(scope);
  const id = await fill(database, `${prefix}-log`, quick ? LINES / 100 : LINES);
  const own = { DATA_DIR: join(root, 'data'), HTTP_PORT: '0' };
  const server = await startServer(scope, FLUKEDEPLOY, { ...environment, ...own });
  const token = await logIn(server);
  const tools = await connectTools(scope, server.url, token);

  const tasks = await tasksOf(tools, prefix, rounds);
  const rest = { url: server.url, headers: { authorization: `Bearer ${token}` }, calls: quick ? 4 : CALLS, rounds };
  return [tasks, await answers(tools, rest, id, `${prefix}-log`)];
};

async function tasksOf(tools: ToolServer, prefix: string, rounds: number): Promise<Table> {
  const spent: Record<Part, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    spent.push((await deployDiagnoseRollBack(tools, `${prefix}-${round}`)).spent);
  }
  const row = (what: string, parts: readonly Part[]): string[] => {
    const budget = parts.reduce((sum, part) => sum + BUDGET[part], 0);
    const figures = spent.map((each) => parts.reduce((sum, part) => sum + each[part], 0));
    if (Math.max(...figures) > budget) throw new Error(`${what} took ${Math.max(...figures)} tokens of ${budget}`);
    return [what, spread(figures), spread([budget])];
  };
  return {
    title: 'Tokens that pass through the context of an agent',
    columns: ['', 'FlukeDeploy', 'budget'],
    rows: [...PARTS.map((part) => row(part, [part])), row('the whole task', PARTS)],
  };
}

interface Rest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly calls: number;
  readonly rounds: number;
}

async function answers(tools: ToolServer, rest: Rest, deployment_id: string, app_name: string): Promise<Table> {
  const log = `/api/v1/deployments/${deployment_id}/logs`;
  const asked: readonly [string, string, Record<string, unknown>, string][] = [
    ['the newest 50 entries (default)', 'deploy_logs', { deployment_id }, `${log}?limit=50`],
    ['the newest 500', 'deploy_logs', { deployment_id, limit: 500 }, `${log}?limit=500`],
    ['the oldest 500', 'deploy_logs', { deployment_id, from: 'start', limit: 500 }, `${log}?limit=500`],
    ['the newest 50 errors', 'deploy_logs', { deployment_id, errors_only: true }, `${log}?limit=50&level=error`],
    [
      'the newest 500, detailed',
      'deploy_logs',
      { deployment_id, limit: 500, response_format: 'detailed' },
      `${log}?limit=500`,
    ],
    ['status', 'deploy_status', { deployment_id }, `/api/v1/deployments/${deployment_id}`],
    ['history', 'deploy_history', { app_name }, `/api/v1/apps/${app_name}/deployments?limit=10`],
  ];
  const rows: string[][] = [];
  for (const [what, tool, args, path] of asked) {
    const [sizes, ours, raw]: [number[], number[], number[]] = [[], [], []];
    const order = { url: rest.url + path, headers: rest.headers, connections: 1, requests: rest.calls };
    for (let round = 0; round < rest.rounds; round++) {
      ours.push(quantile(await timed(tools, tool, args, rest.calls, sizes), 0.5));
      raw.push(quantile(await load(order), 0.5));
    }
    const largest = Math.max(...sizes);
    if (largest > ANSWER_BYTES) throw new Error(`${tool} answered ${largest} bytes`);
    rows.push([what, spread([largest / 1024]), spread(ours), spread(raw), ratio(ours, raw)]);
  }
  return {
    title: 'Answers out of a log of a million lines',
    columns: ['', 'answer, kB (of 16)', 'tool, p50 in ms', 'the same by REST', 'ratio'],
    rows,
  };
}

async function timed(
  tools: ToolServer,
  tool: string,
  args: Readonly<Record<string, unknown>>,
  calls: number,
  sizes: number[],
): Promise<number[]> {
  const durations: number[] = [];
  for (let left = calls; left > 0; left--) {
    const began = now();
    const { text } = await tools.call(tool, args);
    durations.push(now() - began);
    sizes.push(Buffer.byteLength(text));
  }
  return durations;
}

/** One deployment with that many lines; answers its id. */
async function fill(database: Database, app: string, count: number): Promise<string> {
  const deployments = new Deployments(database);
  const claim = await deployments.begin(app);
  for (let line = 0; line < count; line += BATCH) await deployments.append(claim, lines(BATCH, line));
  await deployments.finish(claim);
  await database.query('vacuum analyze');
  return claim.record.id;
}
