import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { withServer } from '../../test/support/command-line.js';
import { CHAIN_BEGINNING, entryHash, type AuditEntry } from '../domain/audit-chain.js';
import { linkedEntry } from '../domain/audit-context.js';

const cli = withServer();

const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex');

/** A chain as a server makes it. */
function chainOf(targets: readonly string[]): AuditEntry[] {
  let before = CHAIN_BEGINNING;
  return targets.map((target) => {
    const entry: AuditEntry = {
      number: before.number + 1,
      at: '2026-02-03T10:00:00.123Z',
      actor: { kind: 'token', name: 'ci', agent: 'OPERATOR' },
      action: 'app.scale',
      target,
      outcome: 'succeeded',
      prev_hash: before.hash,
      hash: '',
    };
    const linked = { ...entry, hash: entryHash(entry, sha256) };
    before = linked;
    return linked;
  });
}

const chain = chainOf(['web', 'api', 'mail']);
const last = chain[2]!;

describe('audit', () => {
  it('shows who changed what', async () => {
    cli.server.answer(() => ({ json: { entries: chain.slice(0, 2), next_cursor: 'a.2' } }));
    const { code, stdout } = await cli.run('audit --actor ci --since 2026-02-03');
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'NUMBER  TIME                 ACTOR          ACTION     TARGET  OUTCOME',
        '1       2026-02-03 10:00:00  ci (OPERATOR)  app.scale  web     succeeded',
        '2       2026-02-03 10:00:00  ci (OPERATOR)  app.scale  api     succeeded',
        '',
      ].join('\n'),
    );
    const { query } = cli.server.to('GET /api/v1/audit')[0]!;
    expect([query.get('actor'), query.get('since')]).toEqual(['ci', '2026-02-03T00:00:00.000Z']);
  });

  it('prints JSON lines that are the entries, to the letter', async () => {
    cli.server.answer(() => ({ json: { entries: chain, next_cursor: 'a.3' } }));
    const { stdout } = await cli.run('audit --json');
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as unknown),
    ).toEqual(chain);
  });

  it('refuses a time that is none', async () => {
    expect((await cli.run('audit --since yesterday')).code).toBe(2);
  });
});

describe('audit verify', () => {
  it('asks the server, and ends with its verdict', async () => {
    const head = { number: last.number, hash: last.hash };
    cli.server.answer(() => ({ json: { valid: true, entries: 3, head } }));
    const whole = await cli.run(`audit verify --anchor 3:${last.hash}`);
    expect([whole.code, whole.stdout]).toEqual([
      0,
      `The audit trail is whole: 3 entries, the last one is 3:${last.hash}\n`,
    ]);
    expect(cli.server.to('GET /api/v1/audit/verify')[0]!.query.get('anchor')).toBe(`3:${last.hash}`);

    const verdict = { valid: false, entries: 1, head, broken_at: 2, fault: 'altered' };
    cli.server.answer(() => ({ json: verdict }));
    const broken = await cli.run('audit verify --json');
    expect([broken.code, JSON.parse(broken.stdout)]).toEqual([1, verdict]);
  });
});

describe('audit verify --file', () => {
  let root: string;
  beforeEach(async () => {
    root = await mkdtemp(join(tmpdir(), 'flukedeploy-spec-'));
  });
  afterEach(() => rm(root, { recursive: true }));

  async function verify(
    entries: readonly unknown[],
    more = '',
  ): Promise<{ code: number; stdout: string; stderr: string }> {
    const file = join(root, 'export.ndjson');
    await writeFile(
      file,
      entries.map((entry) => `${typeof entry === 'string' ? entry : JSON.stringify(entry)}\n`).join(''),
    );
    return cli.run(`audit verify --file ${file} ${more}`.trimEnd());
  }

  it.each<[string, readonly AuditEntry[]]>([
    ['as the command line prints it', chain],
    ['as JSON-LD', chain.map(linkedEntry)],
    ['of a part', chain.slice(1)],
  ])('finds an export whole %s, without a server', async (_, entries) => {
    expect(await verify(entries)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining(`${last.number}:${last.hash}`),
    });
    expect(cli.server.to('GET /api/v1/audit/verify')).toEqual([]);
  });

  it.each<[string, readonly unknown[], string]>([
    ['a changed entry', [chain[0], { ...chain[1], outcome: 'forbidden' }, chain[2]], 'entry 2, which is altered'],
    ['one word more', [chain[0], { ...chain[1], rule: 'x' }, chain[2]], 'entry 2, which is altered'],
    ['one entry less', [chain[0], chain[2]], 'entry 2, which is missing'],
    ['another history', [chain[0], ...chainOf(['x', 'y', 'z']).slice(1)], 'entry 2, which is unlinked'],
  ])('finds %s', async (_, entries, found) => {
    expect(await verify(entries)).toMatchObject({ code: 1, stdout: expect.stringContaining(found) });
  });

  it('finds what was cut off, for whoever kept the last entry', async () => {
    const anchor = `--anchor 3:${last.hash}`;
    expect((await verify(chain, anchor)).code).toBe(0);
    expect(await verify(chain.slice(0, 2), anchor)).toMatchObject({
      code: 1,
      stdout: expect.stringContaining('entry 3'),
    });
  });

  it('says which line is no entry, and which file cannot be read', async () => {
    expect(await verify([chain[0], 'nonsense'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('ndjson:2'),
    });
    expect(await verify([{}])).toMatchObject({ code: 2 });
    expect(await cli.run('audit verify --file /nowhere/at/all')).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('cannot be read'),
    });
  });
});
