/** The server is killed -9 while a release command runs, and at every step around it: it runs once, and the deployment ends right. */
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import { DockerClient } from '../../src/adapters/docker/docker-client.js';
import { RunCounter } from '../support/job-fixtures.js';
import { until } from '../support/until.js';
import { serving, shell } from '../support/web-apps.js';
import { Workbench } from '../support/workbench.js';

let bench: Workbench;
let counter: RunCounter;

beforeAll(async () => {
  counter = new RunCounter();
  await counter.listen(await new DockerClient().calls());
  bench = await Workbench.set({ FLUKEDEPLOY_CONCURRENCY: '8', FLUKEDEPLOY_LEASE_SECONDS: '2' });
}, 120_000);
afterAll(async () => {
  await bench.clear();
  counter.close();
});

/** Each kill comes at another moment of all of these: they begin one after another. */
const NAMES = ['early', 'starting', 'running', 'ending', 'failing'] as const;

const migrating = (name: string) => {
  const end = name === 'failing' ? 'exit 3' : 'true';
  const script = `${counter.call(name)}; echo migrating ${name}; sleep 4; echo migrated ${name}; ${end}`;
  return {
    app_name: bench.app(name),
    ...serving(name),
    plugins: [{ name: 'release-command', options: { command: shell(script) } }],
  };
};

it('runs each release command once, however often the server dies', async () => {
  const ids = new Map<string, string>();
  for (const name of NAMES) {
    ids.set(name, (await bench.client.deploy(migrating(name))).deployment_id);
    // Some of those before have only been asked for, some run, some are being stopped.
    if (name !== 'early') await until(async () => counter.of(name) === 1, `${name} runs`, 60_000);
    await bench.installation.kill();
    await bench.installation.start();
  }
  for (const name of NAMES) {
    const view = await bench.client.ended(ids.get(name) ?? '', 120_000);
    expect([name, view.status, counter.of(name)]).toEqual([name, name === 'failing' ? 'failed' : 'success', 1]);
    const messages = await bench.client.messages(view.deployment_id);
    expect(messages.filter((message) => message.includes('All requests go to'))).toHaveLength(
      name === 'failing' ? 0 : 1,
    );
  }
  const failed = await bench.client.status(ids.get('failing') ?? '');
  expect(failed).toMatchObject({
    error: { code: 'release_command_failed', evidence: expect.arrayContaining(['migrated failing']) },
    hooks: expect.arrayContaining([expect.objectContaining({ plugin: 'release-command', outcome: 'failed' })]),
  });
  const taken = await Promise.all(NAMES.map((name) => bench.client.messages(ids.get(name) ?? '')));
  expect(taken.flat()).toContainEqual(expect.stringContaining('is not run again'));
}, 300_000);
