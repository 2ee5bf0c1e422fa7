/** The bounds of a plugin's process, beside those of a hook in `domain/limits.ts`. */
export const HOST_LIMITS = {
  /** One message of the plugin, as a line of JSON. */
  message_bytes: 2 * 1024 * 1024,
  /** All that one run writes: messages, stdout and stderr. */
  written_bytes: 16 * 1024 * 1024,
  /** Calls whose answer the plugin has not read yet. */
  calls_at_once: 100,
  /** JavaScript objects. */
  heap_megabytes: 256,
  /** The whole process: buffers too. */
  memory_bytes: 512 * 1024 * 1024,
  memory_watch_ms: 250,
  /** To describe a plugin, and to check options. */
  answer_ms: 10_000,
  /** Between the abort of a hook and the end of its process. */
  grace_ms: 2_000,
} as const;
