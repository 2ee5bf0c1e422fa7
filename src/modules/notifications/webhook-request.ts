/** What one target is sent: its message, its address, and its signature (Standard Webhooks). */
import { validateHeaderValue } from 'node:http';
import { Webhook } from 'standardwebhooks';
import type { WebhookRequest } from '../../domain/ports.js';
import type { DeploymentEvent } from '../../plugins/notify/deployment-event.js';
import { discordMessage } from '../../plugins/notify/discord-message.js';
import type { NotifyTarget } from '../../plugins/notify/notify-options.js';
import { slackMessage } from '../../plugins/notify/slack-message.js';
import type { NotifyUse } from './notify-uses.js';

/** It cannot be sent as things are configured, and trying again does not help. */
export class Undeliverable extends Error {
  override readonly name = 'Undeliverable';
}

interface Occasion {
  /** The same at every attempt. */
  readonly id: string;
  /** The time of this attempt. */
  readonly at: Date;
  readonly event: DeploymentEvent;
}

/** @throws Undeliverable naming the secret that is missing or unusable, never its value */
export function webhookRequest(
  target: NotifyTarget,
  occasion: Occasion,
  secretOf: NotifyUse['secret'],
): WebhookRequest {
  const body = JSON.stringify(message(target, occasion.event));
  const required = (name: string): string => {
    const value = secretOf(name);
    if (value === undefined) throw new Undeliverable(`There is no secret ${name}.`);
    return value;
  };
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'FlukeDeploy',
    ...(target.type === 'webhook' && {
      ...ownHeaders(target, required),
      ...standardHeaders(target, occasion, body, required),
    }),
  };
  return { url: address(target, required), headers, body };
}

type Webhooks = Extract<NotifyTarget, { type: 'webhook' }>;
type Required = (name: string) => string;

function message(target: NotifyTarget, event: DeploymentEvent): object {
  switch (target.type) {
    case 'slack':
      return slackMessage(event);
    case 'discord':
      return discordMessage(event);
    case 'webhook':
      return event;
  }
}

function address(target: NotifyTarget, required: Required): string {
  if (target.type === 'webhook' && target.url !== undefined) return target.url;
  const name = target.url_secret ?? '';
  const url = required(name).trim();
  if (!URL.canParse(url)) throw new Undeliverable(`The secret ${name} holds no URL.`);
  return url;
}

function ownHeaders({ headers = {} }: Webhooks, required: Required): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([header, value]) => {
      if (typeof value === 'string') return [header, value];
      const secret = required(value.secret);
      try {
        validateHeaderValue(header, secret);
      } catch {
        throw new Undeliverable(`The secret ${value.secret} cannot be the value of a header.`);
      }
      return [header, secret];
    }),
  );
}

/** Who did not ask for a signature still knows by the id what has been told before. */
function standardHeaders(
  { secret_name }: Webhooks,
  { id, at }: Occasion,
  body: string,
  required: Required,
): Record<string, string> {
  const headers = { 'webhook-id': id, 'webhook-timestamp': String(Math.floor(at.getTime() / 1000)) };
  if (secret_name === undefined) return headers;
  return { ...headers, 'webhook-signature': signer(secret_name, required).sign(id, at, body) };
}

function signer(name: string, required: Required): Webhook {
  const secret = required(name).trim();
  try {
    return new Webhook(secret);
  } catch {
    throw new Undeliverable(`The secret ${name} is not one that signs: whsec_ and base64.`);
  }
}
