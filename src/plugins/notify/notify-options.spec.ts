import { describe, expect, it } from '@jest/globals';
import { z } from '../../plugin/index.js';
import { notifyOptions, readNotifyOptions } from './notify-options.js';

const slack = { name: 'team', type: 'slack', url_secret: 'SLACK_URL' };
const hook = { name: 'hook', type: 'webhook', url: 'https://example.com/hook' };
const read = (...targets: object[]) => readNotifyOptions({ targets });

describe('the options of notify', () => {
  it('tell of every end unless they say which', () => {
    expect(read(slack, { ...hook, on: ['failed'], secret_name: 'SIGNING' })).toEqual({
      targets: [
        { ...slack, on: ['succeeded', 'failed', 'cancelled'] },
        { ...hook, on: ['failed'], secret_name: 'SIGNING' },
      ],
    });
  });

  it('take headers in clear, and from secrets', () => {
    const headers = { 'X-Team': 'web', Authorization: { secret: 'HOOK_TOKEN' } };
    expect(read({ ...hook, headers })).toMatchObject({ targets: [{ headers }] });
  });

  it.each<[string, object, string]>([
    [
      'an address of Slack in clear',
      { ...slack, url: 'https://hooks.slack.com/x' },
      'targets.0: Unrecognized key: "url"',
    ],
    ['Discord without an address', { name: 'd', type: 'discord' }, 'targets.0.url_secret: '],
    ['a webhook without an address', { name: 'h', type: 'webhook' }, 'targets.0.url: needs either url or url_secret'],
    ['a webhook with two addresses', { ...hook, url_secret: 'X' }, 'targets.0.url: needs either url or url_secret'],
    ['another protocol', { ...hook, url: 'ftp://example.com/' }, 'targets.0.url: must be an http or https URL'],
    ['a password in the address', { ...hook, url: 'https://a:hunter2@example.com/' }, 'targets.0.url: must be'],
    [
      'a header that holds a secret',
      { ...hook, headers: { Authorization: 'hunter2' } },
      'targets.0.headers: holds a secret',
    ],
    ['a header of our own', { ...hook, headers: { 'Webhook-Id': 'x' } }, 'targets.0.headers: sets one that is set'],
    ['a header that breaks out', { ...hook, headers: { 'X-A': 'a\r\nX-B: hunter2' } }, 'targets.0.headers.X-A: '],
    ['no ends', { ...hook, on: [] }, 'targets.0.on: '],
    ['another type', { ...hook, type: 'pager' }, 'targets.0.type: '],
    ['another name', { ...hook, name: 'Two Words' }, 'targets.0.name: must be'],
  ])('refuse %s, and repeat no value', (_, target, problem) => {
    const outcome = read(target) as { problem: string };
    expect(outcome.problem).toContain(problem);
    expect(outcome.problem).not.toContain('hunter2');
  });

  it('refuse two targets of one name', () => {
    expect(read(hook, { ...slack, name: 'hook' })).toEqual({
      problem: 'The options of notify are not valid: targets: must have names of their own.',
    });
  });

  it.each([undefined, null, 'x', {}, { targets: [] }])('refuse %j', (options) => {
    expect(readNotifyOptions(options)).toHaveProperty('problem');
  });

  it('have a JSON Schema', () => {
    expect(z.toJSONSchema(notifyOptions, { io: 'input' })).toMatchObject({
      type: 'object',
      required: ['targets'],
      properties: { targets: { type: 'array', minItems: 1 } },
    });
  });
});
