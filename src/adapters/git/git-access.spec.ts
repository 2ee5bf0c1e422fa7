import { expect, it } from '@jest/globals';
import { gitAccess, HARDENED_OPTIONS, ISOLATED_ENVIRONMENT } from './git-access.js';

const github = new URL('https://github.com/o/r.git');
const credentials = (text: string) => Buffer.from(text).toString('base64');

it('pins the checked addresses, so that no name server is asked again', () => {
  expect(gitAccess(github, ['140.82.121.4', '2606:50c0::1'], undefined)).toEqual({
    url: 'https://github.com/o/r.git',
    options: [...HARDENED_OPTIONS, '-c', 'http.curloptResolve=github.com:443:140.82.121.4,[2606:50c0::1]'],
    environment: ISOLATED_ENVIRONMENT,
    secrets: [],
  });
  expect(gitAccess(new URL('http://127.0.0.1:81/r'), ['127.0.0.1'], undefined).options).toEqual(HARDENED_OPTIONS);
});

it('takes an empty token as none', () => {
  expect(gitAccess(github, ['140.82.121.4'], '')).toEqual(gitAccess(github, ['140.82.121.4'], undefined));
});

it('sends the token by the environment, to that origin only', () => {
  const access = gitAccess(new URL('https://git.example.com:8443/o/r'), ['192.0.2.1'], 'secret');
  expect(access.environment).toEqual({
    ...ISOLATED_ENVIRONMENT,
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: 'http.https://git.example.com:8443/.extraHeader',
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${credentials('oauth2:secret')}`,
  });
  expect([access.url, ...access.options].join(' ')).not.toMatch(/secret|Basic/);
  expect(access.secrets).toEqual(['secret', credentials('oauth2:secret')]);
});

it.each([
  ['https://github.com/o/r', 'secret', 'x-access-token:secret'],
  ['https://gitlab.com/o/r', 'secret', 'oauth2:secret'],
  ['https://bitbucket.org/o/r', 'me:secret', 'me:secret'],
])('%s gets %s as %s', (url, token, login) => {
  const { environment, secrets } = gitAccess(new URL(url), ['192.0.2.1'], token);
  expect(secrets).toEqual(expect.arrayContaining(['secret', token, credentials(login)]));
  expect(environment['GIT_CONFIG_VALUE_0']).toBe(`Authorization: Basic ${credentials(login)}`);
});
