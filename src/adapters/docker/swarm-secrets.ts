/** Swarm secrets: the files under /run/secrets of one service. They are made with it and go with it. */
import { createHash } from 'node:crypto';
import type Docker from 'dockerode';
import { DeployError } from '../../domain/errors.js';
import type { DesiredService } from '../../domain/ports.js';
import { isNameConflict } from './docker-failure.js';
import { LABEL, type Surroundings } from './service-spec.js';
import { unlessGone } from './swarm-services.js';

/** Makes those that are missing. A secret cannot change: its name belongs to one service, which is made once. */
export async function ensureSecrets(
  docker: Docker,
  { name: service, secrets }: Pick<DesiredService, 'name' | 'secrets'>,
  installation: string,
  labels: Readonly<Record<string, string>> = {},
): Promise<Surroundings['secrets']> {
  const wanted = Object.entries(secrets);
  if (wanted.length === 0) return [];
  for (const [file, value] of wanted) {
    try {
      await docker.createSecret({
        Name: secretName(service, file),
        Labels: { ...labels, [LABEL.managed]: 'true', [LABEL.installation]: installation, [LABEL.service]: service },
        Data: Buffer.from(value).toString('base64'),
      });
    } catch (error) {
      // A worker before us made it.
      if (!isNameConflict(error)) throw error;
    }
  }
  const made = await listSecrets(docker, service, installation);
  return wanted.map(([file]) => {
    const name = secretName(service, file);
    const secret = made.find(({ Spec }) => Spec?.Name === name);
    if (secret === undefined)
      throw new DeployError('name_taken', `The secret ${name} exists and is not this installation's.`);
    return { id: secret.ID, name, file };
  });
}

/** Those of a service that is gone. Tasks that are still stopping hold on to what they use: nothing breaks. */
export async function removeSecrets(docker: Docker, service: string, installation: string): Promise<void> {
  for (const { ID } of await listSecrets(docker, service, installation)) {
    await unlessGone(() => docker.getSecret(ID).remove(), undefined);
  }
}

function listSecrets(docker: Docker, service: string, installation: string): Promise<Docker.Secret[]> {
  const label = [`${LABEL.installation}=${installation}`, `${LABEL.service}=${service}`];
  return docker.listSecrets({ filters: { label } });
}

/** Names of secrets are short: what it is for stands in the labels. */
function secretName(service: string, file: string): string {
  return `flukedeploy-${createHash('sha256').update(`${service}/${file}`).digest('hex').slice(0, 40)}`;
}
