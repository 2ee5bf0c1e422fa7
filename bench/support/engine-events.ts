/** What the Docker Engine itself says of containers and services, with the moment it was heard: a witness beside FlukeDeploy. */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import { until } from '../../test/support/until.ts';
import { now } from './benchmark.ts';

export interface EngineEvent {
  /** In `now()`. */
  readonly at: number;
  readonly type: string;
  readonly action: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export type EventMatch = (event: EngineEvent) => boolean;

interface EngineMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
}

/** More than any benchmark causes: the oldest ones go. */
const KEPT = 5_000;

export class EngineEvents {
  readonly #heard: EngineEvent[] = [];

  private constructor(stream: Readable) {
    createInterface({ input: stream }).on('line', (line) => {
      const { Type, Action, Actor } = JSON.parse(line) as EngineMessage;
      this.#heard.push({ at: now(), type: Type, action: Action, attributes: Actor.Attributes });
      if (this.#heard.length > KEPT) this.#heard.shift();
    });
  }

  static async listen(scope: AsyncDisposableStack, docker: Docker): Promise<EngineEvents> {
    const stream = (await docker.getEvents({ filters: { type: ['container', 'service'] } })) as Readable;
    scope.defer(() => void stream.destroy());
    return new EngineEvents(stream);
  }

  /** The moment of the first such event after `since`, whether it has been heard already or is still to come. */
  first(match: EventMatch, since: number, timeoutMs = 120_000): Promise<number> {
    const look = async (): Promise<number | undefined> =>
      this.#heard.find((event) => event.at >= since && match(event))?.at;
    return until(look, 'Docker tells what is waited for', timeoutMs);
  }
}

/** A container of the app did something: its service has the app's name, or that and the number of a release. */
export function container(app: string, action: string): EventMatch {
  return (event) => {
    const service = event.attributes['com.docker.swarm.service.name'] ?? '';
    return event.type === 'container' && event.action === action && service.replace(/_r\d+$/, '') === app;
  };
}

/** Swarm's own word on the update of a service: `updating`, `completed`, `rollback_started`, `rollback_completed`, … */
export function update(service: string, state: string): EventMatch {
  return ({ type, attributes }) =>
    type === 'service' && attributes['name'] === service && attributes['updatestate.new'] === state;
}
