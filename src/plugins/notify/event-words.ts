/** A deployment's end in words for people, before any target's own markup. */
import type { DeploymentKind } from '../../domain/deployment.js';
import type { NotificationEvent } from '../../domain/notification-ports.js';
import type { DeploymentEvent } from './deployment-event.js';

const NOUNS: Readonly<Record<DeploymentKind, string>> = {
  deploy: 'Deployment',
  rollback: 'Rollback',
  config: 'Change of settings',
  scale: 'Scaling',
  restart: 'Restart',
};

const VERBS: Readonly<Record<NotificationEvent, string>> = {
  'deployment.succeeded': 'succeeded',
  'deployment.failed': 'failed',
  'deployment.cancelled': 'was cancelled',
};

/** Even with every character escaped a text of this length fits into all places of Slack and Discord. */
const LONGEST = 390;

const HALF_A_CHARACTER = /[\ud800-\udbff]$/;

export interface EventWords {
  readonly headline: string;
  /** Why it did not succeed, and what to do about it. */
  readonly explanation?: string;
  readonly details: readonly { readonly name: string; readonly value: string }[];
}

export function eventWords({ type, data }: DeploymentEvent): EventWords {
  const { app_name, version, environment, release, kind, error, failed_phase, rollback } = data;
  const detail = (name: string, value: string | undefined) => (value ? [{ name, value: shortened(value) }] : []);
  return {
    headline: shortened(`${NOUNS[kind]} of ${app_name} ${version} in ${environment} ${VERBS[type]}`),
    ...(error && { explanation: shortened([error.message, error.hint].filter(Boolean).join(' ')) }),
    details: [
      ...detail('Release', String(release)),
      ...detail('By', data.agent === undefined ? data.actor : `${data.actor} (${data.agent})`),
      ...detail('Duration', spoken(data.duration_ms)),
      ...detail('Source', data.source),
      ...detail('Reason', data.reason),
      ...detail('Phase', failed_phase),
      ...detail('Error', error?.code),
      ...detail('Takes back', data.rollback_of),
      ...detail('Taken back by', rollback && `${rollback.by}, to release ${rollback.release}`),
      ...detail('Deployment', data.deployment_id),
    ],
  };
}

function shortened(text: string): string {
  return text.length > LONGEST ? `${text.slice(0, LONGEST - 1).replace(HALF_A_CHARACTER, '')}…` : text;
}

function spoken(milliseconds: number): string {
  const seconds = Math.round(milliseconds / 1000);
  const minutes = Math.floor(seconds / 60);
  return minutes === 0 ? `${seconds} s` : `${minutes} min ${seconds % 60} s`;
}
