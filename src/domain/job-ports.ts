/** The port of one-off containers: a command in the new image of a deployment, run once, such as a migration. */
import type { Resources } from './app-spec.js';
import type { OutputLine } from './delivery-ports.js';

export interface Job {
  /** One for each deployment, plugin and call; at most 63 characters. It is what makes the job run once. */
  readonly name: string;
  readonly app_name: string;
  readonly environment: string;
  readonly project: string;
  readonly deployment_id: string;
  readonly image: string;
  /** Program and arguments, instead of what the image starts. Never empty: that would start the app itself. */
  readonly command: readonly [string, ...string[]];
  /** Clear values. */
  readonly env: Readonly<Record<string, string>>;
  /** Clear contents of files under /run/secrets, by name. */
  readonly secrets: Readonly<Record<string, string>>;
  readonly resources: Resources;
}

export interface JobResult {
  readonly exit_code: number;
  readonly out_of_memory: boolean;
  readonly last_lines: readonly string[];
  /** From the start of its container to its end. */
  readonly duration_ms: number;
  /** Whether it had been started before this call. */
  readonly taken_up: boolean;
}

/**
 * A job is started at most once under its name, whoever calls and whoever dies, until `remove` forgets it. What has been started and
 * was stopped, or lost with its node, is never started again.
 */
export abstract class Jobs {
  /**
   * Starts the job, or takes up the one that was started before, and waits for its end. `output` gets all of its lines from the first
   * one on, also of a job that is taken up.
   * @param signal stops the job when it aborts, and nothing is started any more
   * @param runsOn whether an abort for this reason leaves the job running, for another worker to take it up
   * @throws DeployError where no program ran: `image_not_found`, `command_not_found`, `no_suitable_node`, `task_rejected`; where nobody
   * can tell how it ended: `job_outcome_unknown`; `name_taken`, `docker_unavailable`
   */
  abstract run(
    job: Job,
    output: OutputLine,
    signal: AbortSignal,
    runsOn: (reason: unknown) => boolean,
  ): Promise<JobResult>;
  /** Removes all jobs of the deployment, running or ended; no error where there are none. */
  abstract remove(deploymentId: string): Promise<void>;
  /** Ids of the deployments that jobs, or parts of them, are left of. */
  abstract owners(): Promise<string[]>;
}
