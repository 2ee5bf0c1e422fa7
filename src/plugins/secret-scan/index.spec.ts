import { describe, expect, it } from '@jest/globals';
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { runHook, sourceFolder, type SourceFiles } from '../../plugin/testing.js';
import { secretScan } from './index.js';
import { fingerprint } from './secret-findings.js';

const scan = (source: SourceFiles, options = {}) => runHook(secretScan, 'pre_build', { source, options });

const places = async (files: SourceFiles, options = {}) =>
  (await scan(files, options)).findings.map(({ code, place }) => `${code} ${place}`);

/** In parts, so that no scanner takes this file for one with secrets. */
const secret = (...parts: readonly string[]) => parts.join('');

/** As no person types it, and always the same. */
const noise = (length: number) => 'q7Zk2Xw9Lm4Rt6Vb1Nc8'.repeat(Math.ceil(length / 20)).slice(0, length);

const GITHUB = secret('gh', 'p_', noise(36));
const pem = (key: KeyObject, type: 'pkcs1' | 'pkcs8' | 'sec1') => key.export({ type, format: 'pem' }).toString();

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
const edwards = generateKeyPairSync('ed25519').privateKey;
const RSA_KEY = pem(rsa, 'pkcs1');

describe('secrets that their issuers made recognisable', () => {
  it.each<[string, string]>([
    ['secret_github', GITHUB],
    ['secret_github', secret('github', '_pat_', noise(82))],
    ['secret_gitlab', secret('gl', 'pat-', noise(20))],
    ['secret_aws', secret('AWS_SECRET_', 'ACCESS_KEY=', noise(40))],
    ['secret_slack', secret('xo', 'xb-', '123456789012-1234567890123-', noise(24))],
    ['secret_stripe', secret('sk_', 'live_', noise(24))],
    ['secret_sendgrid', secret('SG', '.', noise(22), '.', noise(43))],
    ['secret_npm', secret('np', 'm_', noise(36))],
    ['secret_docker', secret('dckr', '_pat_', noise(27))],
    ['secret_basicauth', secret('https://', 'admin:', noise(20), '@example.com/')],
    ['secret_database_connection_string', secret('postgres', '://app:', noise(20), '@db.example.com:5432/app')],
    ['secret_privatekey', RSA_KEY],
    ['secret_privatekey', pem(rsa, 'pkcs8')],
    ['secret_privatekey', pem(elliptic, 'pkcs8')],
    ['secret_elliptic_key', pem(elliptic, 'sec1')],
    ['secret_elliptic_key', pem(edwards, 'pkcs8')],
  ])('%s', async (code, value) => {
    const { findings, logs } = await scan({ 'src/config.js': `// settings\n\nconst it = '${value}';\n` });
    expect(findings).toEqual([
      {
        severity: 'error',
        code,
        place: 'src/config.js:3',
        message: expect.stringMatching(/^A secret is committed: \w+ .{4}\*\*\* \(fingerprint [0-9a-f]{12}\)\.$/),
        hint: expect.stringMatching(/^Revoke it, .* add [0-9a-f]{12} to `allow`\.$/),
      },
    ]);
    expect(logs).toEqual([]);
  });

  it('appear in no finding and no line of the log beyond their first four characters', async () => {
    const files = {
      'a.env': `API_TOKEN=${noise(20)}\nPASSWORD=${noise(8)}\n`,
      'b.txt': `${GITHUB}\n${secret('https://', 'admin:', noise(20), '@example.com/')}\n${RSA_KEY}`,
    };
    const told = JSON.stringify(await scan(files));
    expect(told).toContain(`${GITHUB.slice(0, 4)}***`);
    const pieces = [noise(40), RSA_KEY.split('\n')[1] ?? ''].flatMap((text) => text.match(/.{6}/g) ?? []);
    expect(pieces.filter((piece) => told.includes(piece))).toEqual([]);
  });
});

describe('environment files', () => {
  const value = secret('correct', 'horse9');

  it.each(['.env', 'api/.env.production', 'deploy/prod.env'])('%s holds a secret by its name', async (path) => {
    const text = `NODE_ENV=production\nexport DB_PASSWORD="${value}"\n`;
    expect((await scan({ [path]: text })).findings).toEqual([
      {
        severity: 'warning',
        code: 'secret_env_file',
        place: `${path}:2`,
        message: `A secret is committed: ENV_VALUE *** (fingerprint ${fingerprint(value)}).`,
        hint: expect.stringContaining(fingerprint(value)),
      },
    ]);
  });

  it.each([
    ['.env.example', `DB_PASSWORD=${value}`],
    ['.env', 'DB_PASSWORD='],
    ['.env', 'DB_PASSWORD=short'],
    ['.env', 'DB_PASSWORD=changeme-please'],
    ['.env', 'DB_PASSWORD=<your password>'],
    ['.env', 'API_TOKEN=${OTHER_TOKEN}'],
    ['.env', 'TOKEN_FILE=/run/secrets/token'],
    ['.env', `# DB_PASSWORD=${value}`],
    ['.env', 'GREETING=hello-everybody-out-there'],
    ['settings.txt', `DB_PASSWORD=${value}`],
  ])('%s with %s is fine', async (path, text) => {
    expect(await places({ [path]: `${text}\n` })).toEqual([]);
  });

  it('a value that has a recognised form is told once', async () => {
    expect(await places({ '.env': `GITHUB_TOKEN=${GITHUB}\n` })).toEqual(['secret_github .env:1']);
  });
});

describe('files of credentials', () => {
  it.each([
    'id_rsa',
    '.ssh/id_ed25519',
    'certs/server.p12',
    '.aws/credentials',
    '.docker/config.json',
    '.kube/config',
    '.git-credentials',
    '.netrc',
    '.pgpass',
    'terraform.tfstate',
  ])('%s is named', async (path) => {
    const { findings } = await scan({ [path]: Buffer.from([0, 1, 2]) });
    expect(findings).toEqual([
      {
        severity: 'warning',
        code: 'secret_file',
        place: path,
        message: expect.stringContaining('by its name'),
        hint: expect.stringContaining('`allow`'),
      },
    ]);
  });

  it('is told by what is inside, where that can be read', async () => {
    expect(await places({ id_rsa: RSA_KEY })).toEqual(['secret_privatekey id_rsa:1']);
  });

  it.each(['id_rsa.pub', 'config.json', 'docs/credentials.md'])('%s is fine', async (path) => {
    expect(await places({ [path]: 'text' })).toEqual([]);
  });
});

describe('what is no secret', () => {
  const files = { 'a.js': GITHUB, 'test/b.js': GITHUB };

  it('is allowed by its fingerprint, wherever it is', async () => {
    expect(await places(files, { allow: [fingerprint(GITHUB)] })).toEqual([]);
  });

  it('is allowed by its path', async () => {
    expect(await places(files, { allow: ['test/**'] })).toEqual(['secret_github a.js:1']);
  });

  it('is allowed by a comment in the text', async () => {
    const text = `const a = '${GITHUB}'; // secretlint-disable-line\nconst b = '${GITHUB}';\n`;
    expect(await places({ 'a.js': text, '.env': `API_TOKEN=${noise(20)} # secretlint-disable-line\n` })).toEqual([
      'secret_github a.js:2',
    ]);
  });
});

describe('what is not read', () => {
  it('is said in the log', async () => {
    await using workspace = await sourceFolder({
      'a.js': 'text',
      '.git/config': GITHUB,
      'web/node_modules/a/index.js': GITHUB,
      'vendor/a.go': GITHUB,
      'image.png': Buffer.concat([Buffer.from([0x89, 0]), Buffer.from(GITHUB)]),
      'large.txt': GITHUB + ' '.repeat(1024 * 1024),
      'skipped/a.js': GITHUB,
    });
    await symlink('/etc', join(workspace.folder, 'etc'));
    await symlink('a.js', join(workspace.folder, 'link.js'));
    const { findings, logs } = await runHook(secretScan, 'pre_build', { workspace, options: { skip: ['skipped/**'] } });
    expect(findings).toEqual([]);
    expect(logs).toEqual([
      { level: 'info', message: 'no secrets found' },
      {
        level: 'info',
        message:
          'not read: 3 × folders of git and of installed packages, 2 × symbolic links and devices, 1 × binary, 1 × larger than 1 MB, 1 × skipped by the options',
      },
    ]);
  });

  it('does not depend on .dockerignore: what it names is committed all the same', async () => {
    expect(await places({ '.dockerignore': '*', 'a.js': GITHUB })).toEqual(['secret_github a.js:1']);
  });

  it('includes all files beyond 200 MB', async () => {
    const megabyte = Buffer.alloc(1024 * 1024);
    const names = Array.from({ length: 201 }, (_, index) => `${1000 + index}.bin`);
    const { logs } = await scan({ ...Object.fromEntries(names.map((name) => [name, megabyte])), 'z.js': GITHUB });
    const message = 'not read: 200 × binary, 2 × beyond the limit of 20,000 files and 200 MB';
    expect(logs.at(-1)).toEqual({ level: 'info', message });
  });
});

it('shows a hundred findings at most, and says how many more there are', async () => {
  const many = Object.fromEntries(Array.from({ length: 103 }, (_, index) => [`${index}.js`, GITHUB]));
  const { findings, logs } = await scan(many);
  expect(findings).toHaveLength(100);
  expect(logs).toEqual([{ level: 'warn', message: '3 more secrets are not shown' }]);
});

it('gets through a file that is full of secrets', async () => {
  const { findings } = await scan({ 'a.txt': `${GITHUB}\n`.repeat(20_000) });
  expect(findings).toHaveLength(50);
});

it('leaves no records of its work in the process', async () => {
  await scan({ 'a.js': GITHUB });
  const marks = performance.getEntriesByType('mark').map(({ name }) => name);
  expect(marks.filter((name) => name.startsWith('@core'))).toEqual([]);
});

it('stops between two files when the deployment is cancelled, and lets others work meanwhile', async () => {
  const files = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`${index}.js`, 'text']));
  await using workspace = await sourceFolder(files);
  const cancelling = new AbortController();
  setImmediate(() => cancelling.abort());
  const { failure, logs } = await runHook(secretScan, 'pre_build', { workspace, signal: cancelling.signal });
  expect(failure?.code).toBe('cancelled');
  expect(logs).toEqual([]); // at its end it would have told what it found
});
