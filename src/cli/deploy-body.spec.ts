import { describe, expect, it } from '@jest/globals';
import { Command } from 'commander';
import { deployOrder, type OptionFiles } from './deploy-body.js';
import { withDeployOptions, type DeployOptions } from './deploy-options.js';

function order(line: string, files: OptionFiles = {}) {
  const command = withDeployOptions(new Command())
    .argument('[folder]')
    .exitOverride()
    .configureOutput({ writeErr: () => undefined });
  command.parse(line.split(' ').filter(Boolean), { from: 'user' });
  return deployOrder(command.args[0], command.opts<DeployOptions>(), files);
}

describe('the source', () => {
  it.each([
    ['', { upload: { kind: 'folder', path: '.' } }],
    ['web', { upload: { kind: 'folder', path: 'web' } }],
    ['--tar web.tgz', { upload: { kind: 'archive', path: 'web.tgz' } }],
    ['--image nginx:1.27', { body: { app_name: 'web', image: 'nginx:1.27' } }],
    [
      '--git https://git.example.com/web --ref main',
      { body: { app_name: 'web', source: { git: { url: 'https://git.example.com/web', ref: 'main' } } } },
    ],
  ])('of "%s"', (line, expected) => {
    expect(order(`--app web ${line}`)).toEqual({ body: { app_name: 'web' }, ...expected });
  });

  it('can be in the spec, which needs no folder then', () => {
    const spec = { source: { git: { url: 'https://git.example.com/web' } } };
    expect(order('--app web', { spec })).toEqual({ body: { app_name: 'web', ...spec } });
  });

  it.each([
    ['web --image nginx', {}, 'One source is deployed at a time, not the folder web and --image.'],
    ['--tar a.tar --git https://a.example', {}, 'One source is deployed at a time, not --git and --tar.'],
    ['--image nginx', { spec: { image: 'caddy' } }, /not --image and the source in --spec/],
    ['--ref main', {}, /--ref .* belong to --git/],
  ] as [string, OptionFiles, string | RegExp][])('is one: "%s" is refused', (line, files, message) => {
    expect(() => order(`--app web ${line}`, files)).toThrow(message);
  });
});

describe('the other options', () => {
  it('become the fields of the API', () => {
    const line =
      '--app web --image a --env A=1 --env B=2 --replicas 3 --port 8080 --publish 53:53/udp --volume data:/data:ro ' +
      '--health-path /ready --app-version 1.2.3 --environment staging --project shop --strategy rolling ' +
      '--domain a.example --domain b.example ' +
      '--plugin secret-scan --plugin size={"limit":7} ' +
      '--validation-level strict --no-auto-rollback --timeout 60 --on-conflict supersede --reason because';
    expect(order(line).body).toEqual({
      app_name: 'web',
      image: 'a',
      env: { A: '1', B: '2' },
      replicas: 3,
      port: 8080,
      ports: [{ host_port: 53, container_port: 53, protocol: 'udp' }],
      volumes: [{ source: 'data', target: '/data', read_only: true }],
      domains: ['a.example', 'b.example'],
      health_check: { path: '/ready' },
      version: '1.2.3',
      environment: 'staging',
      project: 'shop',
      strategy: 'rolling',
      validation_level: 'strict',
      plugins: [{ name: 'secret-scan' }, { name: 'size', options: { limit: 7 } }],
      auto_rollback: false,
      timeout_seconds: 60,
      on_conflict: 'supersede',
      reason: 'because',
    });
  });

  it('that are left out leave their fields out', () => {
    expect(order('--app web --image a').body).toEqual({ app_name: 'web', image: 'a' });
  });

  it('come after the spec and the file of variables', () => {
    const spec = {
      app_name: 'other',
      replicas: 1,
      env: { A: 'spec', S: '1' },
      health_check: { path: '/', bake_ms: 5 },
    };
    expect(
      order('--app web --image a --replicas 2 --env A=option --health-path /up', { spec, env: { A: 'file', F: '1' } })
        .body,
    ).toEqual({
      app_name: 'web',
      image: 'a',
      replicas: 2,
      env: { A: 'option', S: '1', F: '1' },
      health_check: { path: '/up', bake_ms: 5 },
    });
  });

  it('name the app, unless the spec does', () => {
    expect(() => order('--image a')).toThrow('--app <name>');
    expect(order('--image a', { spec: { app_name: 'web' } }).body.app_name).toBe('web');
  });

  it.each(['--strategy magic', '--validation-level high', '--on-conflict fight', '--replicas many', '--publish 80'])(
    'refuse %s before anything is sent',
    (line) => {
      expect(() => order(`--app web --image a ${line}`)).toThrow(/invalid/);
    },
  );
});
