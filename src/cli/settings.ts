/** Which server is spoken to, and as whom: from the environment, else from what `login` stored. */
import { randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';
import { UsageError } from './failures.js';

export const DEFAULT_URL = 'http://localhost:3000';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Login {
  readonly url: string;
  readonly token: string;
  /** Absent when the token comes from the environment. */
  readonly token_id?: string;
}

export class Settings {
  readonly #environment: Environment;
  readonly file: string;

  // The command line's only look at the environment: it runs on other machines than the server, without its Config.
  // eslint-disable-next-line no-restricted-properties -- see above
  constructor(environment: Environment = process.env) {
    this.#environment = environment;
    const configured = environment['XDG_CONFIG_HOME'] ?? '';
    // A relative path is to be ignored: XDG Base Directory Specification.
    const home = isAbsolute(configured) ? configured : join(homedir(), '.config');
    this.file = join(home, 'flukedeploy', 'config.json');
  }

  get url(): string | undefined {
    const url = this.#environment['FLUKEDEPLOY_URL'];
    return url ? serverUrl(url) : undefined;
  }

  get token(): string | undefined {
    return this.#environment['FLUKEDEPLOY_TOKEN'] || undefined;
  }

  /** https://no-color.org: any value but the empty one. */
  get color(): boolean {
    return !this.#environment['NO_COLOR'] && !this.dumb;
  }

  /** A terminal that cannot move its cursor. */
  get dumb(): boolean {
    return this.#environment['TERM'] === 'dumb';
  }

  /** @throws UsageError naming the command that helps */
  async login(): Promise<Login> {
    const stored = await this.stored();
    const url = this.url ?? stored?.url;
    if (url === undefined)
      throw new UsageError(`Not logged in. Run: flukedeploy login ${this.token ? '<url>' : DEFAULT_URL}`);
    if (this.token !== undefined) return { url, token: this.token };
    // A stored token is for the server that gave it out, and for no other.
    if (stored?.url === url) return stored;
    throw new UsageError(`Not logged in to ${url}. Run: flukedeploy login ${url}`);
  }

  async stored(): Promise<Login | undefined> {
    let text: string;
    try {
      text = await readFile(this.file, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new UsageError(`${this.file} cannot be read: ${(error as Error).message}`);
    }
    return parseLogin(text, this.file);
  }

  /** Nobody but the user may read it, not even for the moment in which it is written. */
  async store(login: Login): Promise<void> {
    await mkdir(dirname(this.file), { recursive: true, mode: 0o700 });
    const draft = `${this.file}.${randomUUID()}`;
    try {
      await writeFile(draft, `${JSON.stringify(login, undefined, 2)}\n`, { mode: 0o600, flag: 'wx' });
      await rename(draft, this.file);
    } finally {
      await rm(draft, { force: true });
    }
  }

  async forget(): Promise<void> {
    await rm(this.file, { force: true });
  }
}

/** Without the slash at its end. @throws UsageError */
export function serverUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol))
    throw new UsageError(`The address of a server looks like ${DEFAULT_URL}, not ${text}`);
  if (url.username || url.password) throw new UsageError('The address of the server must not hold a user or password.');
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

function parseLogin(text: string, file: string): Login {
  const broken = new UsageError(`${file} is damaged. Run: flukedeploy login`);
  let stored: unknown;
  try {
    stored = JSON.parse(text);
  } catch {
    throw broken;
  }
  const { url, token, token_id } = (stored ?? {}) as Record<string, unknown>;
  if (typeof url !== 'string' || typeof token !== 'string') throw broken;
  return { url, token, ...(typeof token_id === 'string' && { token_id }) };
}
