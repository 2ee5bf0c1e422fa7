/** No secret gets out, in whatever form and wherever it stands; and ordinary words stay. */
import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { LIMITS } from './limits.js';
import { createLineMasker, createMasker } from './masking.js';

const patternsOnly = createMasker([]);

/** A secret of 6 characters or more as people choose them, from any alphabet. */
const secrets = fc.string({ unit: 'grapheme', minLength: 6, maxLength: 40 }).filter((text) => text.trim().length >= 6);
const surroundings = fc.string({ unit: 'grapheme', maxLength: 60 });

const encode = (text: string) => Buffer.from(text).toString('base64');

/** The forms of a text that a reader could turn back with ordinary tools. */
function writtenForms(text: string): string[] {
  const json = JSON.stringify(text).slice(1, -1);
  return [
    text,
    json,
    JSON.stringify(json).slice(1, -1),
    encodeURIComponent(text),
    encodeURIComponent(text).replace(/%[0-9A-F]{2}/g, (byte) => byte.toLowerCase()),
    new URLSearchParams({ '': text }).toString().slice(1),
    new URL(`http://u:${encodeURIComponent(text)}@host`).password,
  ].filter((form) => form.length >= 6);
}

describe('known values', () => {
  it('never come out in any text form, whatever stands around them', () => {
    fc.assert(
      fc.property(
        fc.array(secrets, { minLength: 1, maxLength: 5 }),
        surroundings,
        surroundings,
        (known, before, after) => {
          const masker = createMasker(known);
          for (const secret of known.map((text) => text.trim())) {
            for (const form of writtenForms(secret)) {
              const masked = masker.mask(before + form + after);
              expect(masked).toContain('***');
              // What stands around it may itself spell a form of it only if it did so before.
              if (!(before + after).includes(form)) expect(masked).not.toContain(form);
            }
          }
        },
      ),
    );
  });

  it('never come out of base64, wherever they begin in the encoded bytes', () => {
    fc.assert(
      fc.property(secrets, surroundings, surroundings, (secret, before, after) => {
        const masked = createMasker([secret]).mask(encode(before + secret + after));
        expect(Buffer.from(masked.replaceAll('***', ''), 'base64').toString()).not.toContain(secret.trim());
        expect(masked).toContain('***');
        const urlSafe = Buffer.from(before + secret + after).toString('base64url');
        expect(createMasker([secret]).mask(urlSafe)).toContain('***');
      }),
    );
  });

  it('leave no trace of their length', () => {
    const masker = createMasker(['correct-horse', 'a'.repeat(3000)]);
    expect(masker.mask('[correct-horse]')).toBe('[***]');
    expect(masker.mask(`[${'a'.repeat(3000)}]`)).toBe('[***]');
    expect(masker.mask(`[${encode('a'.repeat(3000))}]`)).not.toContain('YWFhYWFh');
  });

  it('are masked line by line where they have several lines', () => {
    const masker = createMasker(['first line\r\n  second line  \nend']);
    expect(masker.mask('> first line <')).toBe('> *** <');
    expect(masker.mask('> second line <')).toBe('> *** <');
    expect(masker.mask('"first line\\r\\n  second line"')).toBe('"***\\r\\n  ***"');
    expect(masker.mask('the end')).toBe('the end');
  });

  it('are masked whole where one holds or overlaps another', () => {
    const masker = createMasker(['swordfish', 'swordfish-2026', 'fish-2026-old']);
    expect(masker.mask('<swordfish-2026>')).toBe('<***>');
    expect(masker.mask('<swordfish-2026-old>')).toBe('<***>');
  });

  it('that are shorter than six characters are words', () => {
    expect(createMasker(['root', '']).mask('root logged in')).toBe('root logged in');
  });

  it('may hold anything that means something in a regular expression', () => {
    const secret = String.raw`.*+?^$|()[]{}\/-%25`;
    expect(createMasker([secret]).mask(`a ${secret} b`)).toBe('a *** b');
    expect(createMasker([secret]).mask('an ordinary line')).toBe('an ordinary line');
  });

  it('may be as many and as long as an app may have', () => {
    const many = Array.from({ length: LIMITS.env_variables }, (_, index) => `secret-${index}-${'xyz%'.repeat(400)}`);
    const masker = createMasker(many);
    expect(masker.mask(`<${many.at(0) ?? ''}> <${many.at(-1) ?? ''}>`)).toBe('<***> <***>');
  });
});

describe('typical shapes', () => {
  const letters = (count: number) => 'aB3'.repeat(count).slice(0, count);

  it.each([
    ['AKIAIOSFODNN7EXAMPLE', '***'],
    [`ghp_${letters(36)}`, '***'],
    [`github_pat_${letters(30)}`, '***'],
    [`glpat-${letters(20)}`, '***'],
    ['xoxb-1234-abcd', '***'],
    [`sk_live_${letters(24)}`, '***'],
    [`sk-ant-api03-${letters(40)}`, '***'],
    [`AIza${letters(35)}`, '***'],
    [`npm_${letters(36)}`, '***'],
    [`dckr_pat_${letters(27)}`, '***'],
    [`fd_0123456789ab_${letters(43)}_01234567`, '***_01234567'],
    ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl', '***'],
    ['postgres://app:hunter2@db:5432/app', 'postgres://app:***@db:5432/app'],
    ['redis://:hunter2@cache', 'redis://:***@cache'],
    ['amqp://app:p@ss@queue/', 'amqp://app:***@queue/'],
    ['https://ghp-or-not@github.com/a/b', 'https://***@github.com/a/b'],
    ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
    ['authorization: Basic dTpw', 'authorization: Basic ***'],
    ['Set-Cookie: session=1; Path=/', 'Set-Cookie: ***'],
    ['ENV DB_PASSWORD=hunter2', 'ENV DB_PASSWORD=***'],
    ["export API_KEY='a b' x", 'export API_KEY=*** x'],
    ['GET /?access_token=abc&page=2', 'GET /?access_token=***&page=2'],
    ['{"client_secret": "a\\"b", "id": "7"}', '{"client_secret": ***, "id": "7"}'],
    ['-----BEGIN RSA PRIVATE KEY-----\\nMIIE\\n-----END RSA PRIVATE KEY-----\\n', '***\\n'],
    ['a\n-----BEGIN PRIVATE KEY-----\nMIIE\n', 'a\n***'],
  ])('%s', (text, masked) => {
    expect(patternsOnly.mask(text)).toBe(masked);
    expect(patternsOnly.mask(`(${text}`)).toBe(`(${masked}`);
    expect(patternsOnly.mask(masked)).toBe(masked);
  });

  it.each([
    'GET https://example.com:8080/a?b=c@d 200',
    'git clone ssh://git@github.com/a/b',
    'the bearer of this message',
    'no token was sent; the secret is safe',
    'Step 3/7 : COPY package.json ./',
    'sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef',
    '-----BEGIN CERTIFICATE-----',
  ])('leaves alone: %s', (line) => {
    expect(patternsOnly.mask(line)).toBe(line);
  });

  it.each([
    'a',
    'eyJ',
    'eyJ.',
    '://a:',
    '=',
    'password=',
    '"password":"',
    '-----BEGIN PRIVATE KEY-----',
    'xoxb-',
    '%',
    '\\',
  ])('reads 100 kB of %j in linear time', (part) => {
    const text = part.repeat(Math.ceil(100_000 / part.length));
    const masker = createMasker(['%25%25%25%25', '\\\\\\\\\\\\', 'aaaaaaaa', 'eyJeyJeyJ', part.repeat(8)]);
    expect(typeof masker.mask(text)).toBe('string');
  });
});

describe('lines', () => {
  it('hides a private key that spans lines, and nothing after it', () => {
    const mask = createLineMasker(patternsOnly);
    const lines = [
      'start',
      '#9 -----BEGIN EC PRIVATE KEY-----',
      'MHcCAQEE',
      '',
      'AwEHoUQD',
      '-----END EC PRIVATE KEY-----',
      'done',
    ];
    expect(lines.map(mask)).toEqual(['start', '#9 ***', '***', '***', '***', '***', 'done']);
    expect(mask('-----BEGIN PRIVATE KEY----- x -----END PRIVATE KEY-----')).toBe('***');
    expect(mask('still here')).toBe('still here');
  });

  it('does not stay dark for ever when a key never ends', () => {
    const mask = createLineMasker(patternsOnly);
    mask('-----BEGIN PRIVATE KEY-----');
    const shown = Array.from({ length: 1000 }, (_, index) => mask(`line ${index}`)).filter((line) => line !== '***');
    expect(shown.at(-1)).toBe('line 999');
  });

  it('keeps a line of the longest length, and cuts a longer one visibly', () => {
    const mask = createLineMasker(patternsOnly);
    const longest = 'x'.repeat(LIMITS.log_line_length);
    expect(mask(longest)).toBe(longest);
    const cut = mask(`${longest}yz`);
    expect(cut.length).toBeLessThanOrEqual(LIMITS.log_line_length);
    expect(cut).toMatch(/^x+ …\[cut \d+ characters\]$/);
    const [kept = '', lost = ''] = cut.split(' …[cut ');
    expect(kept.length + parseInt(lost)).toBe(longest.length + 2);
  });

  it('hides the beginning of a secret that the cut goes through', () => {
    const secret = 'only-half-of-me-is-too-much';
    const mask = createLineMasker(createMasker([secret]));
    for (let shift = 0; shift < secret.length + 60; shift++) {
      const cut = mask('.'.repeat(LIMITS.log_line_length - shift) + secret + '.'.repeat(100));
      expect(cut).not.toContain('only');
    }
  });
});

describe('nested values', () => {
  const masker = createMasker(['hunter2-hunter2', 'deploy', 'message']);

  it('never hold a known value, at any depth, in any string', () => {
    const tree = fc.object({
      key: fc.constantFrom('a', 'b', 'text'),
      values: [fc.constant('x hunter2-hunter2 y'), fc.string(), fc.integer()],
      maxDepth: 4,
    });
    fc.assert(fc.property(tree, (value) => expect(JSON.stringify(masker.maskDeep(value))).not.toContain('hunter2')));
  });

  it('are masked by their key, whatever they say', () => {
    const value = {
      password: 'x',
      dbPassword: 'x',
      'X-Api-Key': 'x',
      cookies: ['a', { deep: 'b' }],
      SENTRY_DSN: 'x',
      private_key: '',
      tokens: 7,
      secret: null,
      token_id: 'kept',
      cursor: 'kept',
      fieldsName: 'kept',
      PASSWORD_FILE: 'kept',
    };
    expect(masker.maskDeep(value)).toEqual({
      password: '***',
      dbPassword: '***',
      'X-Api-Key': '***',
      cookies: ['***', { deep: '***' }],
      SENTRY_DSN: '***',
      private_key: '',
      tokens: 7,
      secret: null,
      token_id: 'kept',
      cursor: 'kept',
      fieldsName: 'kept',
      PASSWORD_FILE: 'kept',
    });
    expect(value.password).toBe('x');
  });

  it('keep what a deployment goes on by, even where a password is one of its words', () => {
    const fact = {
      type: 'phase_failed',
      phase: 'deploy',
      attempt: 1,
      error: { code: 'unhealthy', message: 'deploy says message', details: { phase: 'deploy', message: 'x' } },
    };
    expect(masker.maskDeep({ fact })).toEqual({
      fact: { ...fact, error: { code: 'unhealthy', message: '*** says ***', details: { phase: '***', '***': 'x' } } },
    });
    const image = 'https://user:pass@registry/app';
    expect(masker.maskDeep({ image }).image).toBe('https://user:***@registry/app');
  });

  it('hide a private key whose lines are the items of a list', () => {
    const evidence = ['-----BEGIN PRIVATE KEY-----', 'MIIE', '-----END PRIVATE KEY-----', 'exit 1'];
    expect(masker.maskDeep({ evidence })).toEqual({ evidence: ['***', '***', '***', 'exit 1'] });
  });
});
