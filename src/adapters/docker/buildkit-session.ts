/** The channel over which BuildKit asks back during a build; and whether the Engine has BuildKit at all. */
import type Docker from 'dockerode';
import withSession from 'dockerode/lib/session.js';
import { openStream } from './engine-stream.js';

export interface BuildkitSession {
  readonly id: string;
  /** Must be called in every case, or the connection stays open. */
  end(): void;
}

/**
 * Opened here and not by `buildImage`, which ends it only where the build ends well.
 * It offers no login: dockerode would show the same one to every registry that the build asks.
 */
export function openSession(docker: Docker): Promise<BuildkitSession> {
  return new Promise((resolve, reject) => {
    withSession(docker, undefined, (error, id, end) => {
      if (error || id === null) reject(error ?? new Error('Docker gave the build session no id'));
      else resolve({ id, end });
    });
  });
}

/** Engines name a builder when they prefer one; Linux engines that name none have both. */
export async function hasBuildkit(docker: Docker, signal: AbortSignal): Promise<boolean> {
  const ping = await openStream(docker, { method: 'GET', path: '/_ping' }, signal);
  ping.resume();
  const builder = ping.headers['builder-version'];
  return builder === undefined ? ping.headers['ostype'] === 'linux' : builder === '2';
}
