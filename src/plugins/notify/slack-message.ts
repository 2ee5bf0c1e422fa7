/** A deployment's end as Slack's incoming webhooks take it. */
import type { DeploymentEvent } from './deployment-event.js';
import { eventWords } from './event-words.js';

const SIGNS = {
  'deployment.succeeded': ':white_check_mark:',
  'deployment.failed': ':x:',
  'deployment.cancelled': ':no_entry_sign:',
} as const satisfies Record<DeploymentEvent['type'], string>;

/** `verbatim`: nothing in it is made a link or a mention. */
interface SlackText {
  readonly type: 'mrkdwn';
  readonly text: string;
  readonly verbatim: true;
}

export interface SlackMessage {
  /** What notifications show. */
  readonly text: string;
  readonly unfurl_links: false;
  readonly unfurl_media: false;
  readonly blocks: readonly {
    readonly type: 'section';
    readonly text?: SlackText;
    readonly fields?: readonly SlackText[];
  }[];
}

export function slackMessage(event: DeploymentEvent): SlackMessage {
  const { headline, explanation, details } = eventWords(event);
  const title = `${SIGNS[event.type]} ${escaped(headline)}`;
  return {
    text: title,
    unfurl_links: false,
    unfurl_media: false,
    blocks: [
      { type: 'section', text: mrkdwn(title) },
      ...(explanation === undefined ? [] : [{ type: 'section' as const, text: mrkdwn(escaped(explanation)) }]),
      { type: 'section', fields: details.map(({ name, value }) => mrkdwn(`*${name}*\n${escaped(value)}`)) },
    ],
  };
}

const mrkdwn = (text: string): SlackText => ({ type: 'mrkdwn', text, verbatim: true });

/** Slack's three control characters: without them there is no mention, no link and no command. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
