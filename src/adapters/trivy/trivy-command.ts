/** What Trivy is told, as plain data: arguments, environment, and the bounds of what it may print. */
import { LIMITS } from '../../domain/limits.js';

/** Trivy's own end of a scan; the caller's signal mostly comes first. */
const TIMEOUT = '15m';

/** Descriptions and references make a report large: this is enough for ten thousand vulnerabilities. */
const REPORT_BYTES = 64 * 1024 * 1024;

/** One run of Trivy, without what depends on the place where it runs. */
export interface TrivyCommand {
  readonly arguments: readonly string[];
  readonly outputBytes: number;
}

/** Neither a question about newer versions nor a report about our use goes out. */
export const TRIVY_ENVIRONMENT = {
  TRIVY_SKIP_VERSION_CHECK: 'true',
  TRIVY_DISABLE_TELEMETRY: 'true',
} as const;

export const VERSION: TrivyCommand = { arguments: ['--version'], outputBytes: 64 * 1024 };

/** Only the Engine is asked for the image; secrets are another check's work. */
export function reportCommand(reference: string, cacheFolder: string): TrivyCommand {
  const scanners = ['--scanners', 'vuln'];
  return { arguments: image('json', scanners, reference, cacheFolder), outputBytes: REPORT_BYTES };
}

export function sbomCommand(reference: string, cacheFolder: string): TrivyCommand {
  return { arguments: image('cyclonedx', [], reference, cacheFolder), outputBytes: LIMITS.sbom_bytes };
}

function image(format: string, more: readonly string[], reference: string, cacheFolder: string): string[] {
  return [
    'image',
    '--quiet',
    ...['--format', format],
    ...more,
    ...['--image-src', 'docker'],
    ...['--cache-dir', cacheFolder],
    ...['--timeout', TIMEOUT],
    '--',
    reference,
  ];
}

/** `Version: 0.74.0` is the first line; those of its databases follow. */
export function versionOf(output: string): string | undefined {
  return /^Version: v?(\S+)$/m.exec(output)?.[1];
}
