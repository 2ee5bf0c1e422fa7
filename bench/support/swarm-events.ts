/** What the Docker Engine itself says of services, with the moment it was heard: a witness beside FlukeDeploy. */
import type { Readable } from 'node:stream';
import { createInterface } from 'node:readline';
import type Docker from 'dockerode';
import { now } from './benchmark.ts';

/** A container of the service passed its HEALTHCHECK; or Swarm declared the service's update done. */
export type SwarmEvent = 'healthy' | 'updated';

interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly Attributes: Readonly<Record<string, string>> };
}

export class SwarmEvents {
  readonly #waiting = new Map<string, (moment: number) => void>();

  private constructor(stream: Readable) {
    createInterface({ input: stream }).on('line', (line) => {
      const event = nameOf(JSON.parse(line) as EngineEvent);
      if (event) this.#waiting.get(event)?.(now());
    });
  }

  static async listen(scope: AsyncDisposableStack, docker: Docker): Promise<SwarmEvents> {
    const stream = (await docker.getEvents({ filters: { type: ['container', 'service'] } })) as Readable;
    scope.defer(() => void stream.destroy());
    return new SwarmEvents(stream);
  }

  /** The moment of the next such event. Ask before causing it. */
  next(service: string, event: SwarmEvent): Promise<number> {
    return new Promise((resolve) => this.#waiting.set(`${service} ${event}`, resolve));
  }
}

function nameOf({ Type, Action, Actor: { Attributes } }: EngineEvent): string | undefined {
  if (Type === 'container' && Action === 'health_status: healthy')
    return `${Attributes['com.docker.swarm.service.name'] ?? ''} healthy`;
  if (Type === 'service' && Attributes['updatestate.new'] === 'completed') return `${Attributes['name'] ?? ''} updated`;
  return undefined;
}
