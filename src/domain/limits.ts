/** Every bound that a user can meet, in one place; those marked by `Config` can be changed by the environment. */

export const LIMITS = {
  app_name_length: 50,
  json_body_bytes: 1024 * 1024,
  /** Default of `UPLOAD_LIMIT_MB`. */
  upload_megabytes: 512,
  archive_entries: 100_000,
  /** An archive may unpack to at most this many times the upload limit. */
  archive_expansion: 4,
  page_entries: 10_000,
  page_deployments: 1_000,
  page_dead_letters: 1_000,
  replicas: 100,
  env_variables: 500,
  env_value_length: 32_768,
  /** All names and values of an app together. */
  env_total_length: 131_072,
  /** `total` is counted exactly up to here; beyond, `total_capped` says so. */
  counted_entries: 100_000,
  strategy_steps: 50,
  /** All pauses of a canary together; each of them, and the delay before the old version goes, as well. */
  strategy_seconds: 86_400,
  canary_matches: 20,
  canary_match_name_length: 64,
  canary_match_value_length: 200,
  analysis_interval_seconds: 3_600,
  analysis_requests: 1_000_000,
  analysis_failures: 100,
  analysis_latency_ratio: 100,
  analysis_latency_tolerance_ms: 60_000,
  wait_seconds: 60,
  log_line_length: 16_384,
  /** Kept of a text of strangers until it is masked and cut: of a secret that is cut before, half would be shown. */
  unmasked_length: 65_536,
  /** Lines of output kept per phase attempt; what is cut is said in the log. */
  lines_per_phase: 50_000,
  evidence_lines: 20,
  plugin_uses: 50,
  /** JSON of a plugin's options. */
  plugin_options_bytes: 16_384,
  hook_seconds: 3_600,
  /** JSON of all outputs of one hook. */
  hook_output_bytes: 16_384,
  /** Each text of a finding that is kept with the deployment, and its code. */
  finding_length: 2_000,
  finding_code_length: 64,
  /** Findings kept with the deployment; all of them are in the log. */
  hook_findings: 20,
  /** Entries that one run of a hook may log. */
  hook_entries: 10_000,
  /** Validations that one process runs at once; more are refused with 429. */
  validations: 2,
  /** Longest time of a validation, with all that it builds and tests. */
  validation_seconds: 1_800,
  socket_message_bytes: 64 * 1024,
  /** MCP sessions of clients that speak a protocol of 2025, in one process; beyond, the oldest end. */
  mcp_sessions: 1_000,
  mcp_sessions_per_token: 100,
  idempotency_hours: 24,
  /** Of a token, waiting for a person at the same time. */
  pending_approvals: 20,
  /** How long an approval waits for a person, and then for its order. */
  approval_minutes: 60,
  /** How long it can be looked up afterwards; the audit trail keeps it. */
  approval_days: 90,
  /** One scan of an image for vulnerabilities; the first one downloads Trivy and its database. */
  scan_seconds: 900,
  /** How long a scan may wait for those before it: one runs at a time in each process. */
  scan_wait_seconds: 600,
  /** An SBOM that is larger is not kept; the scan counts all the same. */
  sbom_bytes: 16 * 1024 * 1024,
} as const;
