/** Baseline of edge.bench: an nginx whose configuration a person would write for one app, with a fixed upstream. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { freePort } from '../../test/support/test-registry.ts';
import { until } from '../../test/support/until.ts';

/** The edge's own version of nginx, where its image is there; else the nginx of this machine. */
const IMAGE = 'nginx:1.30';
const PLACE = '/bench';

export interface PlainNginx {
  readonly url: string;
  /** Which nginx it is, for the title of the table. */
  readonly kind: string;
}

/** @param upstream `address:port` as this machine reaches it */
export async function startPlainNginx(
  scope: AsyncDisposableStack,
  { docker, folder, upstream }: { readonly docker: Docker; readonly folder: string; readonly upstream: string },
): Promise<PlainNginx> {
  const port = await freePort();
  const root = join(folder, 'nginx');
  await mkdir(root);
  const hasImage = await docker
    .getImage(IMAGE)
    .inspect()
    .then(() => true)
    .catch(() => false);
  await writeFile(join(root, 'nginx.conf'), configuration(hasImage ? PLACE : root, port, upstream));
  if (hasImage) await runContainer(scope, docker, root);
  else runProgram(scope, root);

  const url = `http://127.0.0.1:${port}`;
  await until(async () => (await fetch(url).catch(() => undefined))?.ok, 'nginx serves the app');
  return { url, kind: hasImage ? IMAGE : 'nginx of this machine' };
}

/** On the machine's own network: nothing stands between it and its clients. */
async function runContainer(scope: AsyncDisposableStack, docker: Docker, root: string): Promise<void> {
  const container = await docker.createContainer({
    Image: IMAGE,
    Cmd: ['nginx', '-c', `${PLACE}/nginx.conf`, '-g', 'daemon off;'],
    HostConfig: { NetworkMode: 'host', Binds: [`${root}:${PLACE}`] },
  });
  scope.defer(() => container.remove({ force: true }));
  await container.start();
}

function runProgram(scope: AsyncDisposableStack, root: string): void {
  const child = spawn('nginx', ['-c', join(root, 'nginx.conf'), '-g', 'daemon off;'], { stdio: 'inherit' });
  const exit = once(child, 'exit');
  scope.defer(async () => {
    if (child.kill('SIGTERM')) await exit;
  });
}

function configuration(place: string, port: number, upstream: string): string {
  return `worker_processes auto;
error_log ${place}/error.log;
pid ${place}/nginx.pid;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path ${place}/body;
  proxy_temp_path ${place}/proxy;
  fastcgi_temp_path ${place}/fastcgi;
  uwsgi_temp_path ${place}/uwsgi;
  scgi_temp_path ${place}/scgi;
  keepalive_requests 1000000;
  upstream app {
    server ${upstream};
    keepalive 32;
    keepalive_requests 1000000;
  }
  server {
    listen 127.0.0.1:${port} reuseport;
    location / {
      proxy_pass http://app;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header X-Forwarded-For $remote_addr;
    }
  }
}
`;
}
