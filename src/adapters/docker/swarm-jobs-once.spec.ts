/** The promise of jobs, on the real Swarm: each runs once, whoever asks how often, and whoever stops in the midst of it. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { until } from '../../../test/support/docker-fixtures.js';
import { RunCounter, startJobFixtures, type JobFixtures } from '../../../test/support/job-fixtures.js';
import { DeployError } from '../../domain/errors.js';
import { SwarmCluster } from './swarm-cluster.js';
import { SwarmJobs } from './swarm-jobs.js';
import { inspectService, updateService } from './swarm-services.js';

jest.setTimeout(90_000);

const counter = new RunCounter();
let swarm: JobFixtures['swarm'];
let jobs: JobFixtures['jobs'];
let job: JobFixtures['job'];
let call: JobFixtures['call'];
let containersOf: JobFixtures['containersOf'];

beforeAll(async () => {
  ({ swarm, jobs, job, call, containersOf } = await startJobFixtures());
  await counter.listen(swarm.docker);
});
afterAll(async () => {
  counter.close();
  await swarm.clean();
});

describe('once', () => {
  it('runs, however many ask for it at the same time and afterwards', async () => {
    const script = `${counter.call('once')}; echo ran; sleep 1; exit 3`;
    const what = job('once', script, { project: `${swarm.prefix}-new`, secrets: { key: 'value' } });
    const calls = [1, 2, 3, 4].map(() => call(what));
    const results = await Promise.all(calls.map(({ result }) => result));
    expect(results.filter(({ taken_up }) => !taken_up)).toHaveLength(1);
    for (const { lines } of calls) expect(lines).toEqual(['counted', 'ran']);
    for (const result of results) expect(result).toMatchObject({ exit_code: 3, duration_ms: results[0]!.duration_ms });

    const again = call(what);
    expect(await again.result).toEqual({ ...results[0], taken_up: true });
    expect(again.lines).toEqual(['counted', 'ran']);
    expect(counter.of('once')).toBe(1);
  });

  it('runs even where somebody changes its service after it has failed', async () => {
    const what = job('changed', `${counter.call('changed')}; exit 1`);
    await call(what).result;
    const read = (await inspectService(swarm.docker, what.name))!;
    await updateService(swarm.docker, read, { ...read.Spec, Labels: { ...read.Spec?.Labels, note: 'seen' } }, {});
    await until(
      async () => (await inspectService(swarm.docker, what.name))?.Spec?.Labels?.['note'] === 'seen',
      'the change is made',
    );
    expect(await call(what).result).toMatchObject({ exit_code: 1, taken_up: true });
    expect(await swarm.cluster.tasks(what.name)).toHaveLength(1);
    expect(counter.of('changed')).toBe(1);
  });

  it('runs on when its worker shuts down, and the next one takes it up', async () => {
    const what = job(
      'handed',
      `${counter.call('handed')}; echo begun; while [ ! -e /go ]; do sleep 0.1; done; echo over`,
    );
    const first = call(what);
    await first.prints('begun');
    first.abort('shutdown');
    await expect(first.result).rejects.toBe('shutdown');

    const second = call(what);
    await second.prints('begun');
    const { container_id } = (await swarm.cluster.tasks(what.name))[0]!;
    await swarm.run(container_id!, 'touch', '/go');
    expect(await second.result).toMatchObject({ exit_code: 0, taken_up: true });
    expect(second.lines).toEqual(['counted', 'begun', 'over']);
    expect(counter.of('handed')).toBe(1);
  });

  it('is stopped by any other abort, and never started again', async () => {
    const what = job('stopped', `${counter.call('stopped')}; echo begun; sleep 600`, { secrets: { key: 'value' } });
    const [one, other] = [call(what), call(what)];
    await Promise.all([one.prints('begun'), other.prints('begun')]);
    const reason = new DeployError('cancelled');
    one.abort(reason);
    await expect(one.result).rejects.toBe(reason);
    await expect(other.result).rejects.toMatchObject({ code: 'job_outcome_unknown' });
    await until(async () => (await containersOf(what)) === 0, 'its container is gone');

    await expect(call(what).result).rejects.toMatchObject({ code: 'job_outcome_unknown' });
    expect(counter.of('stopped')).toBe(1);
    await jobs.remove(what.deployment_id);
    expect(await swarm.secretsOf(what.name)).toEqual([]);
  });

  it('is not started once its signal has aborted; what was made for it is found, and used by the next call', async () => {
    const what = job('aborted', counter.call('aborted'), { secrets: { key: 'value' } });
    await expect(jobs.run(what, jest.fn(), AbortSignal.abort('shutdown'), () => true)).rejects.toBe('shutdown');
    expect(await swarm.cluster.findService(what.name)).toBeUndefined();
    expect(await swarm.secretsOf(what.name)).toHaveLength(1);
    expect(await jobs.owners()).toContain(what.deployment_id);
    expect(counter.of('aborted')).toBe(0);

    expect(await call(what).result).toMatchObject({ exit_code: 0, taken_up: false });
    expect(counter.of('aborted')).toBe(1);
    expect(await swarm.secretsOf(what.name)).toHaveLength(1);
  });

  it('leaves nothing behind where it was never started', async () => {
    const what = job('stillborn', 'true', { secrets: { key: 'value' } });
    await expect(jobs.run(what, jest.fn(), AbortSignal.abort('cancelled'), () => false)).rejects.toBe('cancelled');
    await jobs.remove(what.deployment_id);
    expect(await jobs.owners()).not.toContain(what.deployment_id);
    expect(await swarm.secretsOf(what.name)).toEqual([]);
  });

  it('keeps its result where its container is gone', async () => {
    const what = job('pruned', 'echo gone; exit 5');
    await call(what).result;
    const { container_id } = (await swarm.cluster.tasks(what.name))[0]!;
    await swarm.docker.getContainer(container_id!).remove();
    expect(await call(what).result).toMatchObject({ exit_code: 5, last_lines: [], taken_up: true });
  });
});

describe('remove', () => {
  it('takes all jobs of the deployment, running or ended, and none of others', async () => {
    const deployment_id = 'dep-removed';
    const [ended, running] = [
      job('ended', 'true', { deployment_id }),
      job('running', 'echo begun; sleep 600', { deployment_id }),
    ];
    const other = job('other', 'true');
    const begun = call(running);
    await Promise.all([call(ended).result, call(other).result, begun.prints('begun')]);
    expect((await jobs.owners()).filter((id) => id === deployment_id)).toHaveLength(1);

    await jobs.remove(deployment_id);
    await expect(begun.result).rejects.toMatchObject({ code: 'job_outcome_unknown' });
    await until(async () => (await containersOf(running)) === 0, 'its container is gone');
    expect(await jobs.owners()).not.toContain(deployment_id);
    expect(await jobs.owners()).toContain(other.deployment_id);
    await jobs.remove(deployment_id);
  });

  it('leaves those of another installation', async () => {
    const what = job('theirs', 'true');
    const neighbour = new SwarmJobs(
      swarm.client,
      new SwarmCluster(swarm.client, { installation: `${swarm.prefix}-neighbour` }),
      { installation: `${swarm.prefix}-neighbour` },
    );
    await call(what, neighbour).result;
    expect(await jobs.owners()).not.toContain(what.deployment_id);
    await jobs.remove(what.deployment_id);
    expect(await call(what, neighbour).result).toMatchObject({ taken_up: true });
    await expect(call(what).result).rejects.toMatchObject({ code: 'name_taken' });
  });
});
