/** The one table of error codes: what each means, whether trying again helps, and how HTTP tells it. */

interface ErrorRow {
  /** HTTP status when a request is answered with this code; phase failures are never answered, only recorded. */
  readonly http?: number;
  /** Whether the same step may succeed when it is simply run again. */
  readonly retryable: boolean;
  /** RFC 9457 `title`: the same sentence for every occurrence. */
  readonly title: string;
  /** The next thing to try, in plain words. */
  readonly hint?: string;
}

const request = (http: number, title: string, hint?: string): ErrorRow => ({
  http,
  retryable: http === 429 || http === 503,
  title,
  ...(hint && { hint }),
});
const permanent = (title: string, hint?: string): ErrorRow => ({ retryable: false, title, ...(hint && { hint }) });
const passing = (title: string, hint?: string): ErrorRow => ({ retryable: true, title, ...(hint && { hint }) });

export const ERRORS = {
  // Requests
  malformed_json: request(400, 'The body is not valid JSON.'),
  malformed_multipart: request(
    400,
    'The multipart body cannot be read.',
    'Send the parts `spec` (JSON) and `source` (tar).',
  ),
  invalid_field: request(400, 'A field has a value that is not allowed.'),
  unknown_field: request(400, 'A field is not known here.'),
  unauthenticated: request(401, 'No valid credentials were sent.', 'Send `Authorization: Bearer fd_…`.'),
  wrong_password: request(401, 'The password is wrong.'),
  forbidden: request(403, 'The credentials do not allow this.'),
  policy_denied: request(
    403,
    'The policy of the token does not allow this.',
    'The rule says why; POST /api/v1/policy/explain tells beforehand what is allowed.',
  ),
  agents_frozen: request(403, 'All agents are frozen.', 'Reading is allowed. A person must unfreeze them.'),
  approval_required: request(
    403,
    'A person must approve this first.',
    'Have the approval_id approved, then send the very same request again.',
  ),
  approval_rejected: request(
    403,
    'A person has rejected this.',
    'Do not send it again; ask why, or do something else.',
  ),
  approval_expired: request(409, 'The approval has expired.', 'Send the request without it, and a new one is made.'),
  approval_used: request(409, 'The approval was used before.', 'Send the request without it, and a new one is made.'),
  approval_mismatch: request(
    409,
    'The approval is for another request, or for the app as it was before its settings changed.',
    'Send exactly what was approved, or ask for a new approval.',
  ),
  approval_decided: request(409, 'The approval has been decided already.'),
  approval_not_found: request(404, 'No approval has this id.'),
  not_found: request(404, 'There is nothing at this address.'),
  deployment_not_found: request(404, 'No deployment has this id.'),
  app_not_found: request(404, 'No app has this name.'),
  notification_not_found: request(404, 'The deployment has no such notification.'),
  token_not_found: request(404, 'No token has this id.'),
  method_not_allowed: request(405, 'The address does not answer this method.'),
  deployment_in_progress: request(
    409,
    'Another deployment of this app is in progress.',
    'Wait for it, or send on_conflict: queue or supersede.',
  ),
  deployment_ended: request(409, 'The deployment has already ended.'),
  notification_not_dead: request(
    409,
    'The notification is not dead.',
    'It has been delivered, or is tried again by itself.',
  ),
  payload_too_large: request(413, 'The body is larger than allowed.'),
  unsupported_media_type: request(
    415,
    'The content type is not served here.',
    'Send application/json or multipart/form-data.',
  ),
  idempotency_key_reused: request(
    422,
    'The Idempotency-Key was used before with another body.',
    'Use a new key for a new deployment.',
  ),
  source_unusable: request(422, 'The source cannot be deployed.'),
  strategy_unsupported: request(422, 'The strategy does not fit the app.', 'Use rolling.'),
  plugin_unknown: request(422, 'No plugin has this name.', 'GET /api/v1/plugins lists those that there are.'),
  plugin_options_invalid: request(422, 'The options of a plugin are not valid.'),
  plugin_locked: request(403, 'The server has locked the options of this plugin.'),
  git_ref_not_found: request(422, 'The git ref does not exist in the repository.'),
  git_unreachable: { ...passing('The git repository cannot be reached.', 'Check the URL and the token.'), http: 422 },
  git_host_refused: request(422, 'This git host is not allowed.', 'Add the host to GIT_ALLOWED_HOSTS if it is yours.'),
  cursor_invalid: request(400, 'The cursor was not given out by this server.'),
  rate_limited_by_policy: request(
    429,
    'The token has given as many orders as it may in an hour.',
    'Wait as long as Retry-After says.',
  ),
  too_many_requests: request(429, 'Too many requests.', 'Wait as long as Retry-After says.'),
  plan_changed: request(
    409,
    'What would happen now is not what was planned.',
    'Look at the new plan, and send its plan_hash.',
  ),
  unavailable: request(503, 'A service that is needed does not answer.'),
  internal: { http: 500, retryable: true, title: 'Something went wrong inside FlukeDeploy.' },

  // pre_build: the source
  archive_unsafe: permanent(
    'The archive holds an entry that is not allowed.',
    'Pack plain files and folders only, with relative paths.',
  ),
  archive_invalid: permanent('The archive is not a readable tar or tar.gz.'),
  archive_too_large: permanent(
    'The archive unpacks to more than is allowed.',
    'Leave out what the build does not need.',
  ),
  definition_missing: permanent(
    'The source has neither a Dockerfile nor a captain-definition.',
    'Put one at the root of the archive, or into its single top folder.',
  ),
  definition_invalid: permanent(
    'The captain-definition is not valid.',
    'Schema version 2 with exactly one of dockerfileLines, dockerfilePath, imageName.',
  ),
  template_unsupported: permanent(
    'captain-definition templates are not supported yet.',
    'Use dockerfileLines, dockerfilePath or imageName.',
  ),
  dockerfile_invalid: permanent('The Dockerfile is not valid.'),

  // build
  build_failed: permanent('The image could not be built.', 'The last lines of the build say why.'),
  image_not_found: permanent('The image does not exist in its registry.', 'Check name and tag, or the registry login.'),
  registry_unreachable: passing('The registry does not answer.'),
  registry_denied: permanent('The registry refused the login.', 'Check the user and password in REGISTRY_URL.'),
  push_failed: passing('The image could not be pushed to the registry.'),
  docker_unavailable: passing(
    'The Docker Engine does not answer.',
    'Is dockerd running, and may FlukeDeploy use its socket?',
  ),

  // pre_deploy: the cluster
  swarm_inactive: permanent('Docker is not part of a Swarm.', 'Run docker swarm init.'),
  name_taken: permanent(
    'A service of this name exists and is not ours.',
    'Choose another app name, or remove that service.',
  ),
  port_in_use: permanent('A published port is in use already.', 'Choose another host port.'),
  ports_exceed_nodes: permanent(
    'A published port can be held by one replica per node only.',
    'Ask for fewer replicas, or publish no port.',
  ),
  volume_invalid: permanent('A volume cannot be mounted.'),
  capacity_insufficient: permanent(
    'No node has the CPU or memory that is asked for.',
    'Lower the resources, or add a node.',
  ),
  architecture_mismatch: permanent(
    'The image does not run on the processors of this cluster.',
    'Build it for the architecture named.',
  ),
  image_not_distributable: permanent(
    'The image is on one node only.',
    'Set REGISTRY_URL so that every node can fetch it.',
  ),
  scanner_missing: permanent(
    'There is no scanner that could look for vulnerabilities.',
    'Install trivy on the machine of the worker, or let its Docker pull the image aquasec/trivy.',
  ),
  scan_failed: passing(
    'The scan for vulnerabilities did not come to its end.',
    "Trivy's last lines say why; at its first use it downloads its database.",
  ),

  // deploy: convergence
  container_crashed: permanent('The program ended right after its start.', 'Its last lines say why.'),
  command_not_found: permanent('The start command does not exist in the image.'),
  out_of_memory: permanent(
    'The program used more memory than it may and was stopped.',
    'Raise resources.memory_limit_mb.',
  ),
  unhealthy: permanent('The health check of the container keeps failing.'),
  no_suitable_node: permanent('No node fits the service.'),
  task_rejected: permanent('A node refused to start the container.'),
  service_changed: passing('The service was changed by somebody else at the same moment.'),

  // post_deploy: health
  health_check_failed: permanent('The health check did not pass in time.'),
  service_unreachable: permanent('The service does not answer.', 'Does it listen on its port, at all addresses?'),

  // Jobs
  job_outcome_unknown: permanent(
    'Nobody can tell how the job ended.',
    'Look at what it has done: it is not run again by itself.',
  ),

  // The edge and certificates
  edge_unavailable: passing(
    'The edge does not answer.',
    'Is its service running? Ask docker service ps flukedeploy-edge.',
  ),
  edge_rejected: permanent('nginx refuses the configuration; the one before stays live.'),
  domain_taken: request(409, 'The host name belongs to another app.', 'Remove it there first, or choose another name.'),
  certificate_invalid: request(422, 'The certificate cannot be used.'),
  certificate_not_found: request(404, 'There is no such certificate.'),
  certificate_not_renewable: request(409, 'The certificate is not one that can be renewed here.'),
  acme_disabled: request(
    409,
    'No certificates are ordered here.',
    'Set ACME_EMAIL: that is how the terms of the authority are agreed to.',
  ),
  acme_failed: permanent('The certificate authority refused.', 'Does the name point to this machine, on port 80?'),
  acme_rate_limited: permanent('The certificate authority asks to wait.', 'It is tried again when it allows it.'),
  acme_unreachable: passing('The certificate authority does not answer.'),

  // Strategies, releases and apps
  aborted: permanent('The rollout was aborted.'),
  analysis_failed: permanent('The new version did worse than the one before.', 'Its requests are in the evidence.'),
  not_paused: request(409, 'The rollout is not paused.'),
  rollout_not_running: request(409, 'The deployment has no rollout under way.'),
  release_not_found: request(404, 'The app has no such release.'),
  sbom_not_found: request(
    404,
    'No SBOM is kept of this release.',
    'Switch on the plugin vulnerability-scan and deploy.',
  ),
  no_previous_release: request(409, 'There is no release before the current one.'),
  already_live: request(409, 'This release is live already.'),
  app_not_live: request(409, 'The app has no live release.', 'Deploy it first.'),
  release_image_gone: permanent('The image of the release is gone.', 'Deploy it again from its source.'),
  registry_not_found: request(404, 'No registry has this name.'),
  rollback_failed: permanent('The rollback failed too.', 'Look at what serves now, and deploy a good version.'),

  // FlukeBase
  flukebase_off: request(409, 'FlukeBase is not switched on.', 'Set FLUKEBASE_API_TOKEN and start the server again.'),
  dead_letter_not_found: request(404, 'No dead letter has this id.'),

  // Plugins
  plugin_invalid: permanent('The plugin cannot be loaded.'),
  plugin_missing: permanent('The plugin is not on this worker.', 'Give every worker the same FLUKEDEPLOY_PLUGINS.'),
  hook_failed: permanent('A plugin stopped the deployment.', 'Its message and evidence say why.'),
  hook_timeout: permanent('The hook of a plugin took longer than it may.'),
  plugin_crashed: permanent('The plugin crashed.', 'The last lines it printed are in the evidence.'),
  plugin_flooded: permanent('The plugin wrote more than it may.'),
  plugin_out_of_memory: permanent('The plugin used more memory than it may.'),
  secret_missing: permanent('The app and the server have no secret of this name.'),
  secret_found: permanent('The source holds secrets.', 'Take them out, and change them: they are in its history.'),
  source_rejected: permanent('The source breaks the rules of this app.'),
  image_rejected: permanent('The image breaks the rules of this app.'),
  tests_failed: permanent('The tests of the app failed.', 'Their last lines are in the evidence.'),
  release_command_failed: permanent(
    'The release command failed.',
    'Its last lines are in the evidence; no request has met the new version.',
  ),
  smoke_test_failed: permanent('The new version does not answer as it should.'),

  // The deployment as a whole
  phase_timeout: permanent(
    'The phase took longer than it may.',
    'Its last entries say what took so long: make that shorter. timeout_seconds does not lengthen a phase.',
  ),
  deployment_timeout: permanent('The deployment took longer than it may.', 'Raise timeout_seconds.'),
  worker_lost: permanent('The worker died again and again in this phase.'),
  cancelled: permanent('The deployment was cancelled.'),
  superseded: permanent('A newer deployment of the same app took its place.'),
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

export function errorRow(code: ErrorCode): ErrorRow {
  return ERRORS[code];
}

/** Failures of phases have no status of their own: either something that is needed is down, or the order is impossible. */
export function httpStatus(code: ErrorCode): number {
  const { http, retryable } = errorRow(code);
  return http ?? (retryable ? 503 : 422);
}
