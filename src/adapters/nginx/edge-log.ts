/** Follows what the edge writes of requests, over restarts of its container, without a line twice or missing. */
import type Docker from 'dockerode';
import { setTimeout as pause } from 'node:timers/promises';
import type { RequestSample } from '../../domain/edge-ports.js';
import type { DockerClient } from '../docker/docker-client.js';
import { lines } from '../docker/multiplexed.js';
import { REQUEST_LINE } from './edge-canary.js';
import type { EdgeContainer } from './edge-container.js';

const LOOK_EVERY_MS = 200;
const REQUEST = new RegExp(`^\\{"${REQUEST_LINE}":`);

/** How far a container's log has been read: Docker's own time of the last line, and how many lines bear it. */
interface Place {
  readonly container: string;
  readonly time: string;
  readonly lines: number;
}

/** @param key of the app, as the log names it */
export async function followRequests(
  client: DockerClient,
  edge: EdgeContainer,
  key: string,
  since: string,
  take: (sample: RequestSample) => void,
  signal: AbortSignal,
): Promise<void> {
  let place: Place | undefined;
  while (!signal.aborted) {
    try {
      const { id } = await edge.find();
      place = place?.container === id ? place : { container: id, time: since, lines: 0 };
      const docker = await client.streams();
      for await (const { at, text } of timedLines(docker, place, signal)) {
        place = { container: id, ...at };
        const sample = sampleOf(text, key);
        if (sample && sample.at >= since) take(sample);
      }
    } catch {
      // The edge or the Engine is away, or this is the abort: the next look tells.
    }
    await pause(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}

interface TimedLine {
  readonly at: Pick<Place, 'time' | 'lines'>;
  readonly text: string;
}

/** What comes after the place, until the container ends. Docker gives lines from the time on, with those at exactly that time. */
async function* timedLines(docker: Docker, from: Place, signal: AbortSignal): AsyncGenerator<TimedLine> {
  const stream = await docker.getContainer(from.container).logs({
    follow: true,
    stdout: true,
    stderr: false,
    timestamps: true,
    since: secondsOf(from.time),
    abortSignal: signal,
  });
  let { time } = from;
  let count = 0;
  for await (const line of lines(stream as unknown as AsyncIterable<Buffer>)) {
    const space = line.indexOf(' ');
    const stamp = line.slice(0, space);
    count = stamp === time ? count + 1 : 1;
    time = stamp;
    if (stamp === from.time && count <= from.lines) continue;
    yield { at: { time, lines: count }, text: line.slice(space + 1) };
  }
}

/** Seconds with nanoseconds, as the Engine takes times; its own stamps have nine digits, an ISO time three. */
function secondsOf(time: string): string {
  const fraction = /\.(\d+)Z$/.exec(time)?.[1] ?? '';
  return `${Math.floor(Date.parse(time) / 1000)}.${fraction.padEnd(9, '0')}`;
}

/** `undefined` for other lines and other apps. */
export function sampleOf(line: string, key: string): RequestSample | undefined {
  if (!REQUEST.test(line)) return undefined;
  const { app, version, status, seconds, at } = (JSON.parse(line) as Record<string, LoggedRequest>)[REQUEST_LINE] ?? {};
  if (app !== key || (version !== 'stable' && version !== 'canary')) return undefined;
  return {
    at: new Date(Math.round(Number(at) * 1000)).toISOString(),
    version,
    status: Number(status),
    duration_ms: Math.round(Number(seconds) * 1000),
  };
}

interface LoggedRequest {
  readonly app?: string;
  readonly version?: string;
  readonly status?: number;
  readonly seconds?: number;
  readonly at?: number;
}
