/**
 * What went wrong in deployment tools and their parts in 2026, class by class, and where it is shown that it cannot happen here:
 *
 * | class (advisories)                                           | shown by                                                    |
 * |--------------------------------------------------------------|-------------------------------------------------------------|
 * | shell strings (CVE-2026-27130, -45628, -45662, -72867)       | here: lint, every text of every tool; bad-input.fields.table, |
 * |                                                              | bad-input.sources.table, git/command-line-git.spec          |
 * | injection through WebSocket filters (CVE-2026-24841, -45629) | here; bad-input.stream.table                                |
 * | objects of others (CVE-2026-45632, -48742; OWASP API1, API5) | authorisation.spec                                          |
 * | tokens that sign themselves (OWASP API2)                     | here; gateways/http/authentication.spec                     |
 * | mass assignment (OWASP API3)                                 | here                                                        |
 * | too much of everything (OWASP API4, API6)                    | bad-input.bodies.table, bad-input.uploads.table, queue.spec |
 * | requests to inside (OWASP API7)                              | network/public-address.spec, webhooks/http-webhook-sender.spec |
 * | routes nobody knows of (OWASP API9)                          | authorisation.spec, auth/route-inventory.spec               |
 * | foreign build frontends (CVE-2026-33747)                     | bad-input.archives.table, bad-input.sources.table           |
 * | privileged containers, host folders (CVE-2026-34040)         | bad-input.fields.table                                      |
 * | links, devices, NUL, bombs in tar (CVE-2026-23745, -59873)   | archive/hostile-archives.spec, bad-input.archives.table     |
 * | configuration of nginx (CVE-2025-1974)                       | here; nginx/edge-config.spec, bad-input.fields.table        |
 * | packages that were taken over (axios, 2026-03)               | here                                                        |
 * | secrets in what is told (OWASP MCP01)                        | secrets.spec                                                |
 * | orders in what programs print (OWASP MCP06)                  | mcp-logs.spec                                               |
 */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Linter } from 'eslint';
import { McpClient } from '../support/mcp-client.js';
import { StreamProbe } from '../support/stream-probe.js';
import { Workbench } from '../support/workbench.js';
import { addressOf, UNKNOWN } from './authorisation.routes.js';

const REGISTRY = 'https://registry.npmjs.org/';
const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** What a shell, an option parser, a query or a path would be fooled by. */
const HOSTILE = [
  '$(touch /tmp/x)',
  '`id`;id|id&&id',
  `'"x`,
  'x\nid',
  'x\0',
  '-x',
  '--upload-pack=id',
  "x' or '1'='1",
].concat('../../etc/passwd');

/** Which texts of each tool are taken whatever they say: they mean something to the app, to people, or nothing but to be the same. */
const TAKEN: Readonly<Record<string, readonly string[]>> = {
  deploy_app: [
    ...['source.dockerfile', 'env.NAME', 'command.0', 'reason'],
    ...['expected_plan_hash', 'idempotency_key'],
  ],
  deploy_status: [],
  deploy_logs: [],
  deploy_rollback: ['reason', 'expected_plan_hash', 'idempotency_key'],
  deploy_validate: ['source.dockerfile'],
  deploy_history: [],
};

let bench: Workbench;
let agent: McpClient;
let deployment_id: string;

beforeAll(async () => {
  bench = await Workbench.set({ WS_HOST: '0.0.0.0', ROOT_DOMAIN: 'apps.test' });
  agent = await McpClient.connect(bench.installation.server.url, bench.client.token);
  const idle = { image: 'busybox:1', command: ['sleep', '1000'], port: 0, replicas: 0 };
  ({ deployment_id } = await bench.client.succeed({ app_name: bench.app('web'), ...idle }));
});
afterAll(async () => {
  await agent.close();
  await bench.clear();
});

describe('shell strings', () => {
  it.each([
    "import { exec } from 'node:child_process'; exec('id');",
    "import { execSync } from 'child_process'; execSync('id');",
    "import * as processes from 'node:child_process'; processes.exec('id');",
    "import processes from 'node:child_process'; processes.exec('id');",
    "import { spawn } from 'node:child_process'; spawn('id', { shell: true });",
    "import { spawn } from 'node:child_process'; spawn('id', { shell: '/bin/sh' });",
    "import { spawn } from 'node:child_process'; spawn('id', { 'shell': true });",
    "import { spawn } from 'node:child_process'; const shell = true; spawn('id', { shell });",
  ])('are refused by lint: %s', async (code) => {
    expect(await complaints(code)).not.toEqual([]);
  });

  it('are all that lint refuses of processes', async () => {
    const code = "import { spawn } from 'node:child_process'; spawn('id', ['-u'], { shell: false });";
    expect(await complaints(code)).toEqual([]);
  });

  it.each(Object.keys(TAKEN))(
    'cannot be made of any text of %s: it is refused, or one of those taken as they are',
    async (name) => {
      const { tools } = await agent.client.listTools();
      const taken = new Set<string>();
      for (const path of textsOf(tools.find((tool) => tool.name === name)?.inputSchema)) {
        for (const text of HOSTILE) {
          const { told } = await agent.call(name, { ...nothingDone(name), ...nested(path, text) });
          const { error: { code = '', field, fields = [] } = {} } = told as { error?: Partial<Refused> };
          expect([path, text, code]).not.toEqual([path, text, 'internal']);
          const named = [field, ...fields.map((each) => each.path)].some((each) => each?.startsWith(path[0] ?? ''));
          if (!named && !/_not_found$|^cursor_invalid$/.test(code)) taken.add(path.join('.'));
        }
      }
      expect([...taken].sort()).toEqual([...TAKEN[name]!].sort());
    },
  );

  it('cannot be made of a tool that is not looked at here', async () => {
    const { tools } = await agent.client.listTools();
    expect(tools.map(({ name }) => name).sort()).toEqual(Object.keys(TAKEN).sort());
  });

  it.each(HOSTILE)('cannot be made of the argument of the prompt: %j', async (text) => {
    const asked = agent.client.getPrompt({ name: 'diagnose_failed_deployment', arguments: { deployment_id: text } });
    await expect(asked).rejects.toMatchObject({ code: -32_602, message: expect.not.stringMatching(/encoding|syntax/) });
  });
});

describe('injection through the filters of the log stream', () => {
  const app = (): string => bench.app('web');
  const open = () => {
    const headers = { authorization: `Bearer ${bench.client.token}` };
    return StreamProbe.connect(bench.installation.server.streamUrl, [], { headers });
  };
  const replay = async (filter: object) => {
    const probe = await open();
    probe.send({ action: 'subscribe', filter, since: 'beginning' });
    const types: unknown[] = [];
    while (!['live', 'error'].includes(String(types.at(-1)))) types.push((await probe.take())['type']);
    probe.cut();
    return types;
  };

  it('finds what is there by its exact name', async () => {
    expect((await replay({ app_name: app() })).length).toBeGreaterThan(2);
    expect((await replay({ deployment_id })).length).toBeGreaterThan(2);
  });

  it.each(['app_name', 'deployment_id'])('finds nothing by a %s that wants to be more than a name', async (field) => {
    const exact = field === 'app_name' ? app() : deployment_id;
    const wild = [
      '%',
      '_',
      '*',
      '.*',
      `${exact}%`,
      `${exact.slice(0, -1)}_`,
      `${exact.slice(0, 5)}*`,
      exact.toUpperCase(),
    ];
    for (const text of [...HOSTILE, ...wild, `${exact}' or true --`, `${exact} `, `${exact},${exact}`]) {
      expect([text, [['error'], ['subscribed', 'live']]]).toEqual([
        text,
        expect.arrayContaining([await replay({ [field]: text })]),
      ]);
    }
  });
});

describe('tokens that sign themselves', () => {
  const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const claims = { sub: 'admin', scope: 'admin', scopes: ['admin'], exp: 9_999_999_999 };
  const tokens = (good: string): readonly string[] => [
    `${encoded({ alg: 'none', typ: 'JWT' })}.${encoded(claims)}.`,
    `${encoded({ alg: 'None' })}.${encoded(claims)}.${encoded({})}`,
    `${encoded({ alg: 'HS256' })}.${encoded(claims)}.c2lnbmF0dXJl`,
    good.replace(/_[\w-]{43}_/, `_${randomBytes(32).toString('base64url')}_`),
    good.toUpperCase(),
    `${good.slice(0, -8)}00000000`,
    `${good}x`,
    good.split('_').slice(0, 2).join('_'),
    'admin',
    'null',
    'undefined',
  ];

  it('open no door', async () => {
    const order = { name: 'good', scopes: ['admin'] };
    const { token: good } = (await bench.client.request<{ token: string }>('POST', '/api/v1/tokens', order)).body;
    const json = { 'content-type': 'application/json' };
    const { url, streamUrl } = bench.installation.server;
    for (const token of tokens(good)) {
      const headers = { authorization: `Bearer ${token}` };
      const statuses = await Promise.all([
        fetch(`${url}/api/v1/me`, { headers }).then(({ status }) => status),
        fetch(`${url}/api/v1/me`, { headers: { 'x-captain-auth': token } }).then(({ status }) => status),
        fetch(`${url}/mcp`, { method: 'POST', headers: { ...headers, ...json }, body: '{}' }).then(
          ({ status }) => status,
        ),
      ]);
      expect([token, statuses]).toEqual([token, [401, 401, 401]]);
      await expect(StreamProbe.connect(streamUrl, [], { headers })).rejects.toThrow('401');
    }
    expect((await bench.client.withToken(good).request('GET', '/api/v1/me')).status).toBe(200);
  });
});

describe('mass assignment', () => {
  const CLAIMED = {
    ...{ id: 'x', status: 'success', owner: 'me', approved: true, approved_by: 'admin', approval_id: 'x' },
    ...{ admin: true, role: 'admin', actor: 'admin', token_id: 'x', created_at: '2020-01-01', release_id: 1 },
  };

  it('is refused by every route that takes a body, naming each field', async () => {
    const { paths, components } = (await bench.client.request<OpenApi>('GET', '/api/openapi.json')).body;
    const taking = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { requestBody }]) => {
        const [, schema = ''] = /schemas\/(\w+)/.exec(JSON.stringify(requestBody ?? '')) ?? [];
        // CapRover's own clients send more than is needed, and are told of mistakes with 200.
        return schema && path !== '/api/v2/login' ? [{ route: `${method.toUpperCase()} ${path}`, schema }] : [];
      }),
    );
    expect(taking.length).toBeGreaterThan(12);
    for (const { route, schema } of taking) {
      const known = Object.keys(components.schemas[schema]?.properties ?? {});
      const foreign = Object.keys(CLAIMED).filter((field) => !known.includes(field));
      const { method, path } = addressOf(route, UNKNOWN);
      const { status, body } = await bench.client.request<{ errors?: { path: string }[] }>(method, path, CLAIMED);
      const named = (body.errors ?? []).map((error) => error.path);
      expect([route, status, foreign.filter((field) => !named.includes(field))]).toEqual([route, 400, []]);
    }
  });

  it('is refused by every tool', async () => {
    const { tools } = await agent.client.listTools();
    for (const { name, inputSchema } of tools) {
      const known = Object.keys(inputSchema.properties ?? {});
      const { approved_by, owner, ...rest } = CLAIMED;
      for (const claimed of [{ approved_by }, { owner }, { status: rest.status }, { actor: rest.actor }]) {
        const [field = ''] = Object.keys(claimed);
        expect(known).not.toContain(field);
        const { told } = await agent.call(name, { ...nothingDone(name), ...claimed });
        expect([name, field, JSON.stringify(told.error)]).toEqual([name, field, expect.stringContaining(field)]);
      }
    }
  });
});

describe('the configuration of nginx', () => {
  it.each([
    'a.example.com; }',
    'a.example.com{',
    'a.example.com\n',
    '~^(.*)$',
    '*.example.com',
    '_',
    '"a.example.com"',
    '$host.com',
  ])('takes no host %j, whichever way it comes', async (host) => {
    const order = { app_name: bench.app('web'), domains: [host] };
    const refused = { code: 'invalid_field', errors: [{ path: expect.stringMatching(/^domains/) }] };
    for (const [method, path, body] of [
      ['POST', '/api/v1/deploy', { ...order, image: 'busybox:1' }],
      ['POST', '/api/v1/validate', order],
      ['PATCH', `/api/v1/apps/${bench.app('web')}`, { domains: [host] }],
    ] as const) {
      expect(await bench.client.request(method, path, body)).toMatchObject({ status: 400, body: refused });
    }
    expect(await agent.refused('deploy_app', order)).toMatchObject({
      code: 'invalid_field',
      field: expect.stringMatching(/^domains/),
    });
  });
});

describe('packages that were taken over', () => {
  it('cannot come in: each that is installed here is pinned by its hash, from the one registry', async () => {
    const { packages } = JSON.parse(await readFile(`${ROOT}package-lock.json`, 'utf8')) as {
      packages: Record<string, { resolved?: string; integrity?: string; os?: string[]; cpu?: string[] }>;
    };
    const fetched = Object.entries(packages).filter(
      ([path, { os = [process.platform], cpu = [process.arch] }]) =>
        path !== '' && os.includes(process.platform) && cpu.includes(process.arch),
    );
    const loose = fetched.filter(
      ([, { resolved = REGISTRY, integrity = '' }]) =>
        !resolved.startsWith(REGISTRY) || !integrity.startsWith('sha512-'),
    );
    expect(fetched.length).toBeGreaterThan(100);
    expect(loose.map(([path]) => path)).toEqual([]);
  });
});

interface OpenApi {
  readonly paths: Record<string, Record<string, { requestBody?: object }>>;
  readonly components: { readonly schemas: Record<string, { properties?: object }> };
}

interface Refused {
  readonly code: string;
  readonly field: string;
  readonly fields: readonly { readonly path: string }[];
}

/** Arguments that keep each tool from doing anything. */
function nothingDone(tool: string): object {
  switch (tool) {
    case 'deploy_app':
    case 'deploy_validate':
      return { app_name: bench.app('web'), image: 'busybox:1', replicas: -1 };
    case 'deploy_rollback':
      return { app_name: bench.app('web') };
    case 'deploy_history':
      return {};
    default:
      return { deployment_id };
  }
}

/** Where texts can stand in arguments of this schema, as lists of names. */
function textsOf(schema: unknown, path: readonly string[] = []): string[][] {
  if (typeof schema !== 'object' || schema === null) return [];
  const {
    type,
    properties = {},
    items,
    additionalProperties,
    anyOf = [],
    enum: words,
  } = schema as {
    type?: string;
    properties?: Record<string, unknown>;
    items?: unknown;
    additionalProperties?: unknown;
    anyOf?: unknown[];
    enum?: unknown;
  };
  return [
    ...(type === 'string' && words === undefined ? [[...path]] : []),
    ...Object.entries(properties).flatMap(([name, inner]) => textsOf(inner, [...path, name])),
    ...textsOf(items, [...path, '0']),
    ...textsOf(additionalProperties, [...path, 'NAME']),
    ...anyOf.flatMap((inner) => textsOf(inner, path)),
  ];
}

function nested([name = '', ...rest]: readonly string[], text: string): Record<string, unknown> {
  return { [name]: within(rest, text) };
}

function within([name, ...rest]: readonly string[], text: string): unknown {
  if (name === undefined) return text;
  return name === '0' ? [within(rest, text)] : nested([name, ...rest], text);
}

let rules: Promise<Linter.RulesRecord> | undefined;

/** What the project's own lint says of the code, as far as processes are concerned. */
async function complaints(code: string): Promise<string[]> {
  rules ??= promisify(execFile)(process.execPath, [
    `${ROOT}node_modules/eslint/bin/eslint.js`,
    '--print-config',
    `${ROOT}src/adapters/git/run-git.ts`,
  ]).then(({ stdout }) => (JSON.parse(stdout) as { rules: Linter.RulesRecord }).rules);
  const all = await rules;
  const own = Object.fromEntries(
    ['no-restricted-imports', 'no-restricted-syntax'].map((name) => [name, all[name]!] as const),
  );
  return new Linter().verify(code, [{ rules: own }]).map(({ message }) => message);
}
