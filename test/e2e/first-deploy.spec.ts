/** The README's promise: one POST with a tar, five phases as JSON-LD over the WebSocket, and the app runs. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomBytes } from 'node:crypto';
import WebSocket from 'ws';
import type { UnifiedLogEntry } from '../../src/domain/log-entry.js';
import { PHASES } from '../../src/domain/phases.js';
import { Client } from '../support/client.js';
import { assertValidEntry } from '../support/log-assertions.js';
import { TestInstallation } from '../support/server-process.js';
import { SwarmState } from '../support/swarm-state.js';
import { file, tar } from '../support/tar.js';

const app = `fde2e-${randomBytes(4).toString('hex')}`;
const DOCKERFILE =
  'FROM busybox:1\nCOPY index.html /www/index.html\nEXPOSE 80\nCMD ["httpd", "-f", "-p", "80", "-h", "/www"]\n';

let installation: TestInstallation;
let client: Client;
const swarm = new SwarmState(app);

beforeAll(async () => {
  installation = await TestInstallation.create();
  client = await Client.logIn(() => installation.server.url);
});
afterAll(async () => {
  await swarm.clean();
  await installation.remove();
});

describe('a tar of an app with a Dockerfile', () => {
  it('becomes a running service, watched live', async () => {
    const socket = new WebSocket(`${installation.server.streamUrl}?app_name=${app}`);
    const frames: Record<string, unknown>[] = [];
    const ended = new Promise<void>((resolve) => {
      socket.on('message', (data: Buffer) => {
        const frame = JSON.parse(data.toString()) as Record<string, unknown>;
        frames.push(frame);
        if (frame['type'] === 'end') resolve();
      });
    });
    await new Promise((resolve) => socket.once('message', resolve));

    const archive = tar(file('Dockerfile', DOCKERFILE), file('index.html', 'hello'));
    const asked = await client.deploy({ app_name: app, replicas: 2, health_check: { path: '/' } }, archive);
    expect(asked.deployment_id).toMatch(/^dep-[0-9a-z]{26}$/);

    const view = await client.ended(asked.deployment_id);
    expect(view).toMatchObject({ status: 'success', release: 1, version: 'v1', replicas: 2, position: 0 });
    expect(PHASES.map((phase) => view.phases[phase].status)).toEqual(Array(5).fill('succeeded'));

    await ended;
    socket.close();
    const entries = frames.filter((frame) => frame['@type'] === 'UnifiedLogEntry') as unknown as UnifiedLogEntry[];
    expect(entries.map(({ flukedeploy_metadata }) => flukedeploy_metadata.sequence)).toEqual(
      entries.map((_, index) => index + 1),
    );
    expect(entries).toEqual(await client.entries(asked.deployment_id));
    for (const entry of entries) await assertValidEntry(entry);
    expect(frames.at(-1)).toEqual({ type: 'end', deployment_id: asked.deployment_id, status: 'success' });

    const service = await swarm.service();
    expect(service).toMatchObject({ image: view.image, deployment: asked.deployment_id, running: 2 });
    await expect(swarm.get('/')).resolves.toBe('hello');
  });
});
