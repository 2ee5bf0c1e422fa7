import { randomBytes } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { loadSecretKey } from './secret-key.js';

let directory: string;
let file: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'flukedeploy-spec-'));
  file = join(directory, 'data', 'secret-key');
});
afterEach(() => rm(directory, { recursive: true }));

describe('the secret key', () => {
  it('is made once, for its owner only, and kept', async () => {
    const key = await loadSecretKey({ file });
    expect(key).toHaveLength(32);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await loadSecretKey({ file })).toEqual(key);
  });

  it('is one key for processes that start at once, and leaves no drafts behind', async () => {
    const keys = await Promise.all(Array.from({ length: 20 }, () => loadSecretKey({ file })));
    expect(new Set(keys.map((key) => key.toString('hex'))).size).toBe(1);
    expect(await readdir(join(directory, 'data'))).toEqual(['secret-key']);
  });

  it('comes from the environment first, and then no file is made', async () => {
    const key = randomBytes(32);
    expect(await loadSecretKey({ fromEnvironment: key.toString('base64'), file })).toEqual(key);
    expect(await readdir(directory)).toEqual([]);
  });

  it('can be moved from the file to the environment', async () => {
    const key = await loadSecretKey({ file });
    expect(await loadSecretKey({ fromEnvironment: await readFile(file, 'utf8'), file: 'unused' })).toEqual(key);
  });

  it.each(['', 'hunter2', randomBytes(16).toString('base64'), '*'.repeat(44)])('refuses %j', async (text) => {
    await expect(loadSecretKey({ fromEnvironment: text, file })).rejects.toThrow('the environment');
    file = join(directory, 'secret-key');
    await writeFile(file, text);
    await expect(loadSecretKey({ file })).rejects.toThrow(file);
  });
});
