/** Reads Trivy's JSON report: of its many fields those that we use, and nothing that is not in its schema 2. */
import { z } from 'zod';
import type { Vulnerability, VulnerabilitySeverity } from '../../domain/ports.js';

const SEVERITIES = {
  CRITICAL: 'critical',
  HIGH: 'high',
  MEDIUM: 'medium',
  LOW: 'low',
  UNKNOWN: 'unknown',
} as const satisfies Record<string, VulnerabilitySeverity>;

/** Longer texts are cut: they come from databases of others. */
const LONGEST_TEXT = 300;
const text = z.string().transform((value) => value.slice(0, LONGEST_TEXT));

const REPORT = z.object({
  SchemaVersion: z.literal(2),
  // Left out where an image holds nothing that Trivy knows.
  Results: z
    .array(
      z.object({
        Target: text,
        Vulnerabilities: z
          .array(
            z.object({
              VulnerabilityID: text,
              PkgName: text,
              PkgPath: text.optional(),
              InstalledVersion: text.default(''),
              FixedVersion: text.optional(),
              // A severity that is new to us must not hide the vulnerability.
              Severity: z.enum(['CRITICAL', 'HIGH', 'MEDIUM', 'LOW', 'UNKNOWN']).catch('UNKNOWN'),
              Title: text.optional(),
              PrimaryURL: text.optional(),
            }),
          )
          .nullish(),
      }),
    )
    .nullish(),
});

/** @throws Error when it is not such a report */
export function readReport(json: string): Vulnerability[] {
  const { Results } = REPORT.parse(JSON.parse(json));
  return (Results ?? []).flatMap(({ Target, Vulnerabilities }) =>
    (Vulnerabilities ?? []).map(
      ({ VulnerabilityID, PkgName, PkgPath, InstalledVersion, FixedVersion, Severity, Title, PrimaryURL }) => ({
        id: VulnerabilityID,
        severity: SEVERITIES[Severity],
        package: PkgName,
        installed: InstalledVersion,
        ...(FixedVersion && { fixed: FixedVersion }),
        ...(Title && { title: Title }),
        ...(PrimaryURL && { url: PrimaryURL }),
        // All packages of a language share one target; their own path says more.
        target: PkgPath ?? Target,
      }),
    ),
  );
}

const CYCLONEDX = z.looseObject({ bomFormat: z.literal('CycloneDX'), specVersion: z.string() });

/** The document as it is, once it has shown that it is one. @throws Error when it is none */
export function readSbom(json: string): string {
  CYCLONEDX.parse(JSON.parse(json));
  return json;
}
