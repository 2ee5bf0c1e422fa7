import { describe, expect, it } from '@jest/globals';
import { secretFindings } from './image-secrets.js';

const SECRET = 'correct-horse-battery';
const places = (env: Record<string, string>, ...steps: string[]) =>
  secretFindings({ env, history: steps.map((created_by) => ({ created_by, size_bytes: 0 })) }).map(
    ({ place, message }) => [place, message],
  );

describe('secrets in an image', () => {
  it.each([
    ['DB_PASSWORD', SECRET],
    ['API_TOKEN', SECRET],
    ['STRIPE_SECRET', SECRET],
    ['AWS_ACCESS_KEY', SECRET],
    ['ANYTHING', `ghp_${'a'.repeat(36)}`],
    ['DATABASE_URL', `postgres://user:${SECRET}@db/app`],
  ])('are told by the name of the variable %s, or by its value', (name, value) => {
    const findings = secretFindings({ env: { [name]: value }, history: [] });
    expect(findings).toEqual([
      {
        severity: 'error',
        code: 'secret_in_env',
        message: `The image sets ${name}, and its value looks like a secret.`,
        place: `ENV ${name}`,
        hint: expect.any(String),
      },
    ]);
    expect(JSON.stringify(findings)).not.toContain(value);
  });

  it.each([
    ['PATH', '/bin'],
    ['GPG_KEY', 'E3FF2839C048B25C084DEBE9B26995E310250568'],
    ['DB_PASSWORD', ''],
    ['DB_PASSWORD', '/run/secrets/db'],
    ['DB_PASSWORD_FILE', '/etc/db'],
    ['TOKEN_TTL', '3600'],
    ['URL', 'https://example.com/a?b=c'],
  ])('are not seen in %s=%s', (name, value) => {
    expect(places({ [name]: value }, `ENV ${name}=${value}`)).toEqual([]);
  });

  it.each([
    ['an argument of the build', `RUN |1 NPM_TOKEN=${SECRET} /bin/sh -c npm ci # buildkit`, 'a value of NPM_TOKEN'],
    ['a variable that is gone later', `/bin/sh -c #(nop)  ENV DB_PASSWORD=${SECRET}`, 'a value of DB_PASSWORD'],
    ['a default', `ARG API_KEY=${SECRET}`, 'a value of API_KEY'],
    ['an option', `/bin/sh -c login --password=${SECRET}`, 'a value of password'],
    ['a URL', `/bin/sh -c git clone https://me:${SECRET}@example.com/a.git`, 'what looks like a secret'],
    ['a header', `/bin/sh -c wget --header "Authorization: Bearer ${SECRET}"`, 'what looks like a secret'],
    ['a JSON text', `/bin/sh -c echo {"password": "${SECRET}"} > /config`, 'a value of password'],
  ])('are found in the history: %s', (_, step, what) => {
    const findings = places({}, 'ADD file in /', step);
    expect(findings).toEqual([['history:2', `Step 2 of the image's history holds ${what}.`]]);
    expect(JSON.stringify(findings)).not.toContain(SECRET);
  });

  it.each([
    ['/bin/sh -c login --password=$PASSWORD'],
    ['/bin/sh -c wget --header "Authorization: Bearer ${TOKEN}"'],
    ['RUN /bin/sh -c cat /run/secrets/token # buildkit'],
    ['ARG NPM_TOKEN'],
    ['/bin/sh -c export TOKEN="$(cat /run/secrets/token)"'],
  ])('are not seen in %s', (step) => {
    expect(places({}, step)).toEqual([]);
  });

  it('are told once where a variable stands in the history as well', () => {
    expect(
      places({ DB_PASSWORD: SECRET }, `ENV DB_PASSWORD=${SECRET}`, `RUN echo DB_PASSWORD=${SECRET}`).map(([at]) => at),
    ).toEqual(['ENV DB_PASSWORD', 'history:2']);
  });
});
