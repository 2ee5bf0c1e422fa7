/** What a job is on the real Swarm: its command, its surroundings, its output and its end. */
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { startJobFixtures, type JobFixtures } from '../../../test/support/job-fixtures.js';
import { heldInMemory } from '../../../test/support/memory.js';
import { LIMITS } from '../../domain/limits.js';
import type { Job } from '../../domain/ports.js';

jest.setTimeout(90_000);

let swarm: JobFixtures['swarm'];
let jobs: JobFixtures['jobs'];
let job: JobFixtures['job'];
let call: JobFixtures['call'];

beforeAll(async () => {
  ({ swarm, jobs, job, call } = await startJobFixtures());
});
afterAll(() => swarm.clean());

describe('a job', () => {
  it('runs its command with the env and the secrets of the app, and gives its output in order', async () => {
    const what = job('plain', 'echo "$GREETING"; cat /run/secrets/db.key; pwd; exit 4', {
      env: { GREETING: 'hello {{ name }} $HOME' },
      secrets: { 'db.key': 'hunter2\n' },
    });
    const running = call(what);
    expect(await running.result).toEqual({
      exit_code: 4,
      out_of_memory: false,
      last_lines: ['hello {{ name }} $HOME', 'hunter2', '/'],
      duration_ms: expect.any(Number),
      taken_up: false,
    });
    expect(running.lines).toEqual(['hello {{ name }} $HOME', 'hunter2', '/']);
  });

  it('gives both outputs, each in lines of its own', async () => {
    const running = call(job('both', 'printf "half "; echo problem >&2; echo "a line"; printf "no end ä"'));
    await running.result;
    expect(running.lines.toSorted()).toEqual(['half a line', 'no end ä', 'problem']);
  });

  it('takes the place of entry point and health check of the image', async () => {
    const image = await swarm.build(
      'job',
      `FROM ${swarm.busybox}\nENTRYPOINT ["echo", "entry point"]\nHEALTHCHECK --interval=1s --retries=1 CMD exit 1\n`,
    );
    const running = call(
      job('image', '', { image, command: ['sh', '-c', 'sleep 4; echo "$0 $1"', 'sh', 'with arguments'] }),
    );
    expect(await running.result).toMatchObject({ exit_code: 0, last_lines: ['sh with arguments'] });
  });

  it('reaches the app by its name, and is not reached by it', async () => {
    const service = swarm.desired('peer', 1, { app_name: swarm.named('app') });
    await swarm.deploy(service);
    const running = call(
      job('network', `wget -qO- http://${service.app_name}/; nslookup ${service.app_name} | grep -c "^Address.*10\\."`),
    );
    expect((await running.result).last_lines).toEqual(['release 1', '1']);
  });

  it('is no version of its app', async () => {
    const what = job('no-version', 'true');
    await call(what).result;
    expect(await swarm.cluster.services(what)).not.toContainEqual(expect.objectContaining({ name: what.name }));
  });

  it('may print more than anybody can keep', async () => {
    const megabytes = 50;
    const running = jobs.run(
      job('flood', `yes "$(printf '%01023d' 7)" | head -n ${megabytes * 1024}; echo done`),
      count,
      new AbortController().signal,
      () => false,
    );
    let lines = 0;
    let most = 0;
    const before = heldInMemory();
    function count(): void {
      if (lines++ % 2_000 === 0) most = Math.max(most, heldInMemory() - before);
    }
    const { last_lines } = await running;
    expect(lines).toBe(megabytes * 1024 + 1);
    expect(last_lines).toHaveLength(LIMITS.evidence_lines);
    expect(last_lines.at(-1)).toBe('done');
    expect(most).toBeLessThan((megabytes / 2) * 1024 * 1024);
  });

  it('is told to have used too much memory', async () => {
    const hungry = job('hungry', 'x=aaaaaaaa; while true; do x=$x$x; done', { resources: { memory_limit_mb: 16 } });
    expect(await call(hungry).result).toMatchObject({ exit_code: 137, out_of_memory: true });
  });
});

describe('what cannot run', () => {
  it.each<[string, Partial<Job>, { code: string; message: RegExp }]>([
    ['command', { command: ['/nope'] }, { code: 'command_not_found', message: /\/nope does not exist/ }],
    ['picture', { image: `sha256:${'0'.repeat(64)}` }, { code: 'image_not_found', message: /sha256:0000/ }],
    [
      'large',
      { resources: { memory_reservation_mb: 10_000_000 } },
      { code: 'no_suitable_node', message: /insufficient resources/ },
    ],
  ])('%s', async (name, fields, { code, message }) => {
    const what = job(name, 'true', fields);
    await expect(call(what).result).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    // Asking again does not run it either.
    await expect(call(what).result).rejects.toMatchObject({
      code: name === 'large' ? 'job_outcome_unknown' : code,
    });
  });

  it('a code of 127 that is the program’s own is a result', async () => {
    expect(await call(job('own-127', 'nope')).result).toMatchObject({ exit_code: 127 });
  });

  it('a job whose name is taken', async () => {
    await swarm.cluster.create(swarm.desired('taken'));
    await expect(call(job('taken', 'true')).result).rejects.toMatchObject({ code: 'name_taken' });
  });
});
