import { describe, expect, it } from '@jest/globals';
import { Webhook } from 'standardwebhooks';
import { succeeded as event } from '../../../test/support/succeeded-event.js';
import { discordMessage } from '../../plugins/notify/discord-message.js';
import { notifyOptions, type NotifyTarget } from '../../plugins/notify/notify-options.js';
import { slackMessage } from '../../plugins/notify/slack-message.js';
import { Undeliverable, webhookRequest } from './webhook-request.js';

const SECRETS: Readonly<Record<string, string>> = {
  CHANNEL: ' https://chat.example/T1/hunter2\n',
  SIGNING: `whsec_${Buffer.alloc(32, 7).toString('base64')}`,
  TOKEN: 'Bearer hunter2',
  WORD: 'hunter2!',
  LINES: 'hunter2\r\nx-b: 1',
};

function target(fields: object): NotifyTarget {
  return notifyOptions.parse({ targets: [{ name: 'x', ...fields }] }).targets[0]!;
}

const request = (fields: object, at = new Date()) =>
  webhookRequest(target(fields), { id: 'ntf-1', at, event }, (name) => SECRETS[name]);
const hook = { type: 'webhook', url: 'https://ci.example/hook' };

describe('what is sent', () => {
  it.each([
    ['slack', slackMessage(event)],
    ['discord', discordMessage(event)],
  ])('to %s is its message, at the address that the secret holds', (type, message) => {
    expect(request({ type, url_secret: 'CHANNEL' })).toEqual({
      url: 'https://chat.example/T1/hunter2',
      headers: { 'content-type': 'application/json', 'user-agent': 'FlukeDeploy' },
      body: JSON.stringify(message),
    });
  });

  it('to a webhook is the event, with the headers of Standard Webhooks', () => {
    expect(request(hook, new Date('2026-02-03T10:02:00.900Z'))).toEqual({
      url: 'https://ci.example/hook',
      headers: {
        'content-type': 'application/json',
        'user-agent': 'FlukeDeploy',
        'webhook-id': 'ntf-1',
        'webhook-timestamp': '1770112920',
      },
      body: JSON.stringify(event),
    });
  });

  it('is signed, and has the headers that were asked for', () => {
    const headers = { 'x-team': 'web', authorization: { secret: 'TOKEN' } };
    const sent = request({ ...hook, secret_name: 'SIGNING', headers });
    expect(sent.headers).toMatchObject({ 'x-team': 'web', authorization: 'Bearer hunter2' });
    expect(new Webhook(SECRETS['SIGNING']!).verify(sent.body, sent.headers)).toEqual(event);
    expect(() => new Webhook(Buffer.alloc(32, 8).toString('base64')).verify(sent.body, sent.headers)).toThrow();
  });
});

describe('what cannot be sent', () => {
  it.each<[string, object, string]>([
    ['a missing address', { type: 'slack', url_secret: 'NONE' }, 'There is no secret NONE.'],
    ['an address that is none', { type: 'webhook', url_secret: 'WORD' }, 'The secret WORD holds no URL.'],
    ['a missing signature', { ...hook, secret_name: 'NONE' }, 'There is no secret NONE.'],
    [
      'a secret that signs nothing',
      { ...hook, secret_name: 'WORD' },
      'The secret WORD is not one that signs: whsec_ and base64.',
    ],
    [
      'a header that is none',
      { ...hook, headers: { 'x-a': { secret: 'LINES' } } },
      'The secret LINES cannot be the value of a header.',
    ],
  ])('is told by the name of its secret, never by the value: %s', (_, fields, message) => {
    expect(() => request(fields)).toThrow(new Undeliverable(message));
  });
});
