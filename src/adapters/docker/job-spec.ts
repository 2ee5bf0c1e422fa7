/** What Swarm is told to run for a job: plain data made of plain data. */
import type { Job } from '../../domain/ports.js';
import type { SwarmServiceSpec } from './docker-types.js';
import {
  environment,
  LABEL,
  resources,
  SECOND,
  secretFiles,
  STOP_GRACE_SECONDS,
  type Surroundings,
} from './service-spec.js';

export interface JobSurroundings extends Omit<Surroundings, 'edge'> {
  /** Id of the node that it runs on. */
  readonly node: string;
}

/**
 * A service of one replica that is never restarted. Swarm has a mode for jobs, which does not fit: there a task that failed is run
 * once more as soon as anything about the service changes, such as a label (Engine 20.10), whatever its restart policy says.
 */
export function jobSpec(job: Job, { installation, project, secrets, node }: JobSurroundings): SwarmServiceSpec {
  return {
    Name: job.name,
    Labels: { ...jobLabels(job), [LABEL.managed]: 'true', [LABEL.installation]: installation },
    TaskTemplate: {
      ContainerSpec: {
        Image: job.image,
        Labels: { [LABEL.managed]: 'true', [LABEL.deployment]: job.deployment_id },
        // Instead of the image's entry point and arguments.
        Command: [...job.command],
        Env: environment(job.env),
        Mounts: [],
        Secrets: secretFiles(secrets),
        // That of the image asks the app, which does not run here: Swarm would stop the job for it.
        HealthCheck: { Test: ['NONE'] },
        Init: true,
        StopGracePeriod: STOP_GRACE_SECONDS * SECOND,
      },
      Resources: resources(job.resources),
      RestartPolicy: { Condition: 'none' },
      // What was built here is only here, and a container's output is read on its own node.
      Placement: { Constraints: [`node.id==${node}`] },
      // Without the app's names: no request may come here.
      Networks: [{ Target: project }],
      ForceUpdate: 0,
    },
    Mode: { Replicated: { Replicas: 1 } },
    EndpointSpec: { Mode: 'dnsrr' },
  };
}

/** By which everything of a job is found again. */
export function jobLabels(job: Job): Record<string, string> {
  return {
    [LABEL.job]: job.app_name,
    [LABEL.environment]: job.environment,
    [LABEL.project]: job.project,
    [LABEL.deployment]: job.deployment_id,
  };
}
