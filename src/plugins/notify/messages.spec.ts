import { describe, expect, it } from '@jest/globals';
import { succeeded } from '../../../test/support/succeeded-event.js';
import type { DeploymentEvent } from './deployment-event.js';
import { discordMessage } from './discord-message.js';
import { slackMessage } from './slack-message.js';

/** Everything in it that a user may have written tries to be markup. */
const hostile: DeploymentEvent = {
  ...succeeded,
  type: 'deployment.failed',
  data: {
    ...succeeded.data,
    kind: 'rollback',
    status: 'failed',
    duration_ms: 900,
    actor: '<!channel>',
    agent: '@everyone',
    source: '[click](https://evil.example) & more',
    reason: '<@U1> *bold* `code`',
    error: { code: 'build_failed', message: 'It broke. <http://evil.example|here>', hint: '# Look > there.' },
    failed_phase: 'build',
    rollback_of: 'dep-0',
  },
};

const text = (content: string) => ({ type: 'mrkdwn', text: content, verbatim: true });
const field = (name: string, value: string) => ({ name, value, inline: true });

describe('a message for Slack', () => {
  it('tells a success', () => {
    const title = ':white_check_mark: Deployment of web 1.0.0 in production succeeded';
    expect(slackMessage(succeeded)).toEqual({
      text: title,
      unfurl_links: false,
      unfurl_media: false,
      blocks: [
        { type: 'section', text: text(title) },
        {
          type: 'section',
          fields: [
            text('*Release*\n7'),
            text('*By*\noperator (claude)'),
            text('*Duration*\n1 min 5 s'),
            text('*Source*\nregistry.example/web:1.0.0'),
            text('*Deployment*\ndep-1'),
          ],
        },
      ],
    });
  });

  it('calls nobody and links nowhere, whatever stands in it', () => {
    const title = ':x: Rollback of web 1.0.0 in production failed';
    expect(slackMessage(hostile)).toEqual({
      text: title,
      unfurl_links: false,
      unfurl_media: false,
      blocks: [
        { type: 'section', text: text(title) },
        { type: 'section', text: text('It broke. &lt;http://evil.example|here&gt; # Look &gt; there.') },
        {
          type: 'section',
          fields: [
            text('*Release*\n7'),
            text('*By*\n&lt;!channel&gt; (@everyone)'),
            text('*Duration*\n1 s'),
            text('*Source*\n[click](https://evil.example) &amp; more'),
            text('*Reason*\n&lt;@U1&gt; *bold* `code`'),
            text('*Phase*\nbuild'),
            text('*Error*\nbuild_failed'),
            text('*Takes back*\ndep-0'),
            text('*Deployment*\ndep-1'),
          ],
        },
      ],
    });
  });

  it('fits, however long the texts are', () => {
    const { blocks } = slackMessage(long('&'));
    for (const block of blocks) {
      expect(block.text?.text.length ?? 0).toBeLessThanOrEqual(3_000);
      expect(block.fields?.length ?? 0).toBeLessThanOrEqual(10);
      for (const one of block.fields ?? []) expect(one.text.length).toBeLessThanOrEqual(2_000);
    }
  });
});

describe('a message for Discord', () => {
  it('tells a success', () => {
    expect(discordMessage(succeeded)).toEqual({
      allowed_mentions: { parse: [] },
      embeds: [
        {
          title: 'Deployment of web 1.0.0 in production succeeded',
          color: 0x2e_a0_43,
          fields: [
            field('Release', '7'),
            field('By', 'operator \\(claude\\)'),
            field('Duration', '1 min 5 s'),
            field('Source', 'registry.example/web\\:1.0.0'),
            field('Deployment', 'dep\\-1'),
          ],
          timestamp: '2026-02-03T10:01:05.000Z',
        },
      ],
    });
  });

  it('calls nobody and links nowhere, whatever stands in it', () => {
    expect(discordMessage(hostile)).toEqual({
      allowed_mentions: { parse: [] },
      embeds: [
        {
          title: 'Rollback of web 1.0.0 in production failed',
          description: 'It broke. \\<http\\://evil.example\\|here\\> \\# Look \\> there.',
          color: 0xda_36_33,
          fields: [
            field('Release', '7'),
            field('By', '\\<!channel\\> \\(\\@everyone\\)'),
            field('Duration', '1 s'),
            field('Source', '\\[click\\]\\(https\\://evil.example\\) & more'),
            field('Reason', '\\<\\@U1\\> \\*bold\\* \\`code\\`'),
            field('Phase', 'build'),
            field('Error', 'build\\_failed'),
            field('Takes back', 'dep\\-0'),
            field('Deployment', 'dep\\-1'),
          ],
          timestamp: '2026-02-03T10:01:05.000Z',
        },
      ],
    });
  });

  it.each(['*', '😀', '\\'])('fits, however long the texts of %s are', (character) => {
    const { embeds } = discordMessage(long(character));
    expect(JSON.stringify(embeds).length).toBeLessThanOrEqual(12_000);
    for (const embed of embeds) {
      const texts = [embed.title, embed.description ?? '', ...embed.fields.flatMap(({ name, value }) => [name, value])];
      expect(texts.join('').length).toBeLessThanOrEqual(6_000);
      expect(embed.title.length).toBeLessThanOrEqual(256);
      expect(embed.description?.length).toBeLessThanOrEqual(4_096);
      expect(embed.fields.length).toBeLessThanOrEqual(25);
      for (const one of texts) expect(one.isWellFormed()).toBe(true);
      for (const { value } of embed.fields) expect(value.length).toBeLessThanOrEqual(1_024);
    }
  });
});

function long(character: string): DeploymentEvent {
  const words = character.repeat(5_000);
  return {
    ...hostile,
    data: {
      ...hostile.data,
      version: words,
      source: words,
      reason: words,
      actor: words,
      error: { code: 'x', message: words },
    },
  };
}
