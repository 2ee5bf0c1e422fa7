/** The README's commands, against the real server: the exit code is the verdict. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { DeploymentView } from '../../src/modules/deployments/deployment.view.js';
import { Client } from '../support/client.js';
import { ADMIN_PASSWORD, TestInstallation } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';

const project = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const app = `fdcli-${randomBytes(4).toString('hex')}`;
const swarm = new SwarmState(app);

let installation: TestInstallation;

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function flukedeploy(...argv: string[]): Promise<Run> {
  const env = { PATH: process.env['PATH'], XDG_CONFIG_HOME: join(installation.directory, 'config') };
  return new Promise((resolve) => {
    execFile(process.execPath, [project('bin/flukedeploy.js'), ...argv], { env }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
  });
}

beforeAll(async () => {
  installation = await TestInstallation.create();
  await writeFile(join(installation.directory, 'password'), ADMIN_PASSWORD);
  const { code } = await flukedeploy(
    'login',
    installation.server.url,
    '--password-file',
    join(installation.directory, 'password'),
  );
  expect(code).toBe(0);
});
afterAll(async () => {
  await swarm.clean();
  await installation.remove();
});

describe('flukedeploy', () => {
  it('deploys a folder, shows five phases and the log, and knows its history', async () => {
    const { code, stdout } = await flukedeploy('deploy', project('examples/hello'), '--app', app, '--replicas', '2');
    expect(stdout).toContain(`${app} v1 is live as release 1`);
    for (const phase of ['pre_build', 'build', 'pre_deploy', 'deploy', 'post_deploy']) {
      expect(stdout).toContain(`✓ ${phase}`);
      expect(stdout).toContain(`[${phase}] `);
    }
    expect(code).toBe(0);
    expect(await swarm.service()).toMatchObject({ running: 2 });
    await expect(swarm.get('/')).resolves.toContain('Deployed by FlukeDeploy.');

    const history = await flukedeploy('history', app, '--json');
    const [deployment] = history.stdout
      .trim()
      .split('\n')
      .flatMap((line) => {
        const answer = JSON.parse(line) as DeploymentView & { deployments?: DeploymentView[] };
        return answer.deployments ?? [answer];
      });
    expect(deployment).toMatchObject({ app_name: app, status: 'success' });

    const logs = await flukedeploy('logs', deployment?.deployment_id ?? '');
    expect(logs.stdout).toContain('Build started');
    expect((await flukedeploy('status', deployment?.deployment_id ?? '')).stdout).toContain('is live as release 1');
  });

  it('ends with 1 and says why when a build fails', async () => {
    const folder = join(installation.directory, 'broken');
    await cp(project('examples/hello'), folder, { recursive: true });
    await writeFile(join(folder, 'Dockerfile'), 'FROM busybox:1\nRUN echo no luck && exit 7\n');
    const { code, stdout, stderr } = await flukedeploy('deploy', folder, '--app', `${app}-broken`);
    expect(code).toBe(1);
    expect(stdout + stderr).toContain('build_failed');
    expect(stdout + stderr).toContain('no luck');
  });

  it('ends with 3 when somebody cancels, and with 2 when it is refused', async () => {
    const folder = join(installation.directory, 'slow');
    await cp(project('examples/hello'), folder, { recursive: true });
    await writeFile(join(folder, 'Dockerfile'), `FROM busybox:1\nRUN sleep 60 && echo ${app}\n`);
    const running = flukedeploy('deploy', folder, '--app', `${app}-slow`);
    const client = await Client.logIn(() => installation.server.url);
    const active = () => client.request<{ deployments: DeploymentView[] }>('GET', '/api/v1/deployments/active');
    let id: string | undefined;
    while (id === undefined)
      id = (await active()).body.deployments.find(({ app_name }) => app_name === `${app}-slow`)?.deployment_id;
    await client.until(id, ({ phases }) => phases.build.status === 'running');
    expect((await flukedeploy('cancel', id)).code).toBe(0);
    expect((await running).code).toBe(3);

    const refused = await flukedeploy('deploy', folder, '--app', 'Not_A_Name');
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain('app_name');
  });

  it('ends with 4 when no server is there', async () => {
    const { code, stderr } = await flukedeploy(
      'login',
      'http://127.0.0.1:9',
      '--password-file',
      join(installation.directory, 'password'),
    );
    expect(code).toBe(4);
    expect(stderr).toContain('127.0.0.1:9');
  });
});
