/** The options of notify: who is told of which ends, and where the addresses and secrets are. */
import { OUTCOMES } from '../../domain/notification-ports.js';
import { looksSecret } from '../../domain/secret-patterns.js';
import { z } from '../../plugin/index.js';

const MOST_TARGETS = 20;
const MOST_HEADERS = 20;
const LONGEST = 2_048;

/** What makes a request a webhook, or belongs to HTTP itself. */
const RESERVED_HEADERS = /^(?:host|connection|content-.*|transfer-encoding|expect|upgrade|trailer|te|webhook-.*)$/i;

/** `User:password@` would be a secret in clear. */
function isPlainAddress(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return ['http:', 'https:'].includes(protocol) && username === '' && password === '';
}

const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9-]{0,49}$/, 'must be lower-case letters, digits and dashes, at most 50')
  .describe('Names the target in what is told of its notifications.');
const typeOf = <Type extends string>(type: Type) => z.literal(type).describe('What kind of target it is.');
const secretName = z.string().min(1).max(200);
const on = z
  .array(z.enum(OUTCOMES))
  .min(1)
  .default([...OUTCOMES])
  .describe('The ends that it is told of.');

const headerValue = z.union([
  z
    .string()
    .max(LONGEST)
    .regex(/^[\t\x20-\x7e]*$/, 'must be printable ASCII'),
  z.strictObject({ secret: secretName.describe('Name of the secret that holds the value.') }),
]);
const headers = z
  .record(z.string().regex(/^[\w!#$%&'*+.^`|~-]{1,100}$/, 'must be the name of a header'), headerValue)
  .refine((all) => Object.keys(all).length <= MOST_HEADERS, `must be at most ${MOST_HEADERS}`)
  .refine((all) => !Object.keys(all).some((header) => RESERVED_HEADERS.test(header)), 'sets one that is set by notify')
  .refine(
    (all) => !Object.entries(all).some(([header, value]) => typeof value === 'string' && looksSecret(header)),
    'holds a secret in clear: write {"secret": "<name>"} instead of the value',
  );

/** The address of a channel at Slack or Discord lets everybody write there: it is a secret itself. */
const channel = { name, url_secret: secretName.describe("Name of the secret that holds the webhook's URL."), on };

const webhook = z
  .strictObject({
    type: typeOf('webhook'),
    name,
    url: z
      .string()
      .max(LONGEST)
      .refine(isPlainAddress, 'must be an http or https URL without user and password')
      .optional()
      .describe('Where requests are sent to.'),
    url_secret: secretName.optional().describe('Instead of url: name of the secret that holds it.'),
    secret_name: secretName
      .optional()
      .describe('Name of the secret that requests are signed with (Standard Webhooks): whsec_ and base64.'),
    on,
    headers: headers.optional().describe('Headers of its requests beside those that notify sets.'),
  })
  .refine(({ url, url_secret }) => (url === undefined) !== (url_secret === undefined), {
    message: 'needs either url or url_secret',
    path: ['url'],
  });

const target = z.discriminatedUnion('type', [
  z.strictObject({ type: typeOf('slack'), ...channel }),
  z.strictObject({ type: typeOf('discord'), ...channel }),
  webhook,
]);

export const notifyOptions = z.strictObject({
  targets: z
    .array(target)
    .min(1)
    .max(MOST_TARGETS)
    .refine((all) => new Set(all.map((one) => one.name)).size === all.length, 'must have names of their own')
    .describe('Who is told.'),
});

export type NotifyOptions = z.infer<typeof notifyOptions>;
export type NotifyTarget = NotifyOptions['targets'][number];

/** The options, or what is wrong with them: fields and rules, never values. */
export function readNotifyOptions(input: unknown): NotifyOptions | { readonly problem: string } {
  const read = notifyOptions.safeParse(input);
  if (read.success) return read.data;
  const problems = read.error.issues.map(({ path, message }) => `${path.join('.') || 'options'}: ${message}`);
  return { problem: `The options of notify are not valid: ${problems.join('; ')}.` };
}
