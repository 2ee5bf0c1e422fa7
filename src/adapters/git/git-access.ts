/** What git is told about one remote, as plain data: options, environment, and the secrets that must not be shown. */
import { isIP } from 'node:net';
import { portOf } from '../network/public-address.js';

export interface GitAccess {
  readonly url: string;
  /** Arguments before the git command. */
  readonly options: readonly string[];
  /** Everything that git sees of an environment. */
  readonly environment: Readonly<Record<string, string>>;
  /** Texts that are masked wherever git's output is shown. */
  readonly secrets: readonly string[];
}

/** No settings, hooks, helpers or logins of this machine; no protocol but http; never a question at a terminal. */
export const ISOLATED_ENVIRONMENT = {
  PATH: '/usr/local/bin:/usr/bin:/bin:/opt/homebrew/bin',
  HOME: '/nonexistent',
  LC_ALL: 'C',
  GIT_TERMINAL_PROMPT: '0',
  GIT_ALLOW_PROTOCOL: 'https:http',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
} as const;

export const HARDENED_OPTIONS = [
  ...['-c', 'core.hooksPath=/dev/null'],
  ...['-c', 'core.symlinks=true'],
  ...['-c', 'protocol.file.allow=never'],
  ...['-c', 'submodule.recurse=false'],
  ...['-c', 'credential.helper='],
  ...['-c', 'maintenance.auto=false'],
  ...['-c', 'http.followRedirects=false'],
  // A transfer below 1 kB/s for half a minute has died.
  ...['-c', 'http.lowSpeedLimit=1000'],
  ...['-c', 'http.lowSpeedTime=30'],
] as const;

/**
 * git connects to the given addresses and to nothing else, whatever a name server says by then.
 * The token goes by the environment: arguments can be read by every user of the machine.
 */
export function gitAccess(url: URL, addresses: readonly string[], token: string | undefined): GitAccess {
  const isName = isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0;
  const pinned = addresses.map((address) => (isIP(address) === 6 ? `[${address}]` : address)).join(',');
  const credentials = token ? basicCredentials(url, token) : undefined;
  return {
    url: url.href,
    options: [
      ...HARDENED_OPTIONS,
      ...(isName ? ['-c', `http.curloptResolve=${url.hostname}:${portOf(url)}:${pinned}`] : []),
    ],
    environment: {
      ...ISOLATED_ENVIRONMENT,
      ...(credentials !== undefined && {
        GIT_CONFIG_COUNT: '1',
        GIT_CONFIG_KEY_0: `http.${url.origin}/.extraHeader`,
        GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials}`,
      }),
    },
    secrets: token && credentials ? [...new Set([token, token.replace(/^.*?:/, ''), credentials])] : [],
  };
}

/** A token with a colon is `user:password`; GitHub and GitLab want a user of their own choice before a bare one. */
function basicCredentials(url: URL, token: string): string {
  const user = url.hostname === 'github.com' ? 'x-access-token' : 'oauth2';
  return Buffer.from(token.includes(':') ? token : `${user}:${token}`).toString('base64');
}
