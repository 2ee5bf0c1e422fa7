/** Named volumes of this node: removed on request only, and only ours. */
import type Docker from 'dockerode';
import { statusOf } from './docker-failure.js';
import { LABEL } from './service-spec.js';

/** Answers those that are gone afterwards; one that a container still uses stays. */
export async function removeVolumes(docker: Docker, names: readonly string[], installation: string): Promise<string[]> {
  const gone: string[] = [];
  for (const name of names) {
    try {
      const volume = await docker.getVolume(name).inspect();
      if ((volume.Labels as Record<string, string> | null)?.[LABEL.installation] !== installation) continue;
      await docker.getVolume(name).remove();
      gone.push(name);
    } catch (error) {
      if (statusOf(error) === 404) gone.push(name);
      else if (statusOf(error) !== 409) throw error;
    }
  }
  return gone;
}
