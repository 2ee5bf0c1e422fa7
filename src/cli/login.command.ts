/** `flukedeploy login` and `logout`: the password is exchanged for a token at once, and only the token is kept. */
import { hostname, userInfo } from 'node:os';
import type { Api } from './api.js';
import type { CommandContext } from './command-context.js';
import { EXIT } from './failures.js';
import { readPassword, type PasswordOptions } from './password.js';
import { DEFAULT_URL, serverUrl } from './settings.js';

const SCOPES = ['read', 'deploy', 'rollback', 'apps:write'];
const LOOPBACK = /^http:\/\/(localhost|127\.[\d.]+|\[::1\])(:|\/|$)/;

export async function login(
  context: CommandContext,
  address: string | undefined,
  options: PasswordOptions,
): Promise<number> {
  const { host, terminal } = context;
  const { settings } = host;
  const former = await settings.stored().catch(() => undefined);
  const url = address === undefined ? (settings.url ?? former?.url ?? DEFAULT_URL) : serverUrl(address);
  if (url.startsWith('http:') && !LOOPBACK.test(url))
    terminal.note(`Careful: ${url} is not encrypted, so the password can be read on its way.`);

  const session = await context.apiOf({ url }).session(await readPassword(host, options));
  const admin = context.apiOf({ url, token: session.token });
  const { id, token } = await admin.createToken({ name: tokenName(), scopes: SCOPES });
  await settings.store({ url, token, token_id: id });
  terminal.print([`Logged in to ${url}. The token is kept in ${settings.file}`]);

  // The one that was just replaced is of no use to anybody any more.
  if (former?.url === url && former.token_id !== undefined)
    await admin.revokeToken(former.token_id).catch(() => undefined);
  if (settings.token !== undefined) terminal.note('FLUKEDEPLOY_TOKEN is set and wins over the token kept.');
  return EXIT.success;
}

/** For what the stored token may not do: as the administrator where the password is given, else as whoever is logged in. */
export async function administrator(context: CommandContext, options: PasswordOptions): Promise<Api> {
  if (options.passwordFile === undefined && !options.passwordStdin) return context.api();
  const { settings } = context.host;
  const url = settings.url ?? (await settings.stored())?.url ?? DEFAULT_URL;
  const { token } = await context.apiOf({ url }).session(await readPassword(context.host, options));
  return context.apiOf({ url, token });
}

export async function logout({ host: { settings }, terminal }: CommandContext): Promise<number> {
  const former = await settings.stored().catch(() => undefined);
  await settings.forget();
  terminal.print([former ? `Logged out of ${former.url}.` : 'Nobody was logged in.']);
  if (former?.token_id !== undefined)
    terminal.note(
      `To revoke the token as well, as administrator: DELETE ${former.url}/api/v1/tokens/${former.token_id}`,
    );
  return EXIT.success;
}

/** As the server's list of tokens shows it. */
function tokenName(): string {
  return `${userName()}@${hostname()}`.replace(/\p{C}/gu, '').slice(0, 100);
}

/** A user without an entry in the user database has no name. */
function userName(): string {
  try {
    return userInfo().username;
  } catch {
    return 'cli';
  }
}
