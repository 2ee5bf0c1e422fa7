/** A deployment's end as Discord's webhooks take it. */
import type { DeploymentEvent } from './deployment-event.js';
import { eventWords } from './event-words.js';

const COLOURS = {
  'deployment.succeeded': 0x2e_a0_43,
  'deployment.failed': 0xda_36_33,
  'deployment.cancelled': 0x8b_94_9e,
} as const satisfies Record<DeploymentEvent['type'], number>;

export interface DiscordMessage {
  /** Nobody is called, whatever the text says. */
  readonly allowed_mentions: { readonly parse: readonly [] };
  readonly embeds: readonly {
    readonly title: string;
    readonly description?: string;
    readonly color: number;
    readonly fields: readonly { readonly name: string; readonly value: string; readonly inline: true }[];
    readonly timestamp: string;
  }[];
}

export function discordMessage(event: DeploymentEvent): DiscordMessage {
  const { headline, explanation, details } = eventWords(event);
  return {
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: title(escaped(headline)),
        ...(explanation !== undefined && { description: escaped(explanation) }),
        color: COLOURS[event.type],
        fields: details.map(({ name, value }) => ({ name, value: escaped(value), inline: true })),
        timestamp: event.timestamp,
      },
    ],
  };
}

const LONGEST_TITLE = 256;

/** Cut neither inside a character nor behind the backslash of one. */
function title(text: string): string {
  if (text.length <= LONGEST_TITLE) return text;
  return `${text.slice(0, LONGEST_TITLE - 1).replace(/[\ud800-\udbff]$|\\+$/, '')}…`;
}

/** Every character that Discord's Markdown gives a meaning, and those of mentions and links. */
function escaped(text: string): string {
  return text.replace(/[\\*_~`|>#\-[\]()<@:]/g, '\\$&');
}
