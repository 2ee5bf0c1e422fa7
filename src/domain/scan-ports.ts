/** The ports of what images are made of: the scanner that looks for known vulnerabilities, and the SBOMs that are kept. */

/** The most severe first. */
export const VULNERABILITY_SEVERITIES = ['critical', 'high', 'medium', 'low', 'unknown'] as const;
export type VulnerabilitySeverity = (typeof VULNERABILITY_SEVERITIES)[number];

/** A known vulnerability of one package that is in the image. */
export interface Vulnerability {
  /** Such as `CVE-2019-1549` or `GHSA-2p68-f74v-9wc6`. */
  readonly id: string;
  readonly severity: VulnerabilitySeverity;
  readonly package: string;
  readonly installed: string;
  /** The version, or versions, without it; absent where there is none yet. */
  readonly fixed?: string;
  readonly title?: string;
  readonly url?: string;
  /** Where in the image: its Linux distribution, or the path of a program or lock file. */
  readonly target: string;
}

/** A list of everything that an image is made of. */
export interface Sbom {
  readonly format: 'cyclonedx';
  /** JSON text. */
  readonly document: string;
}

export interface ScanReport {
  /** What has looked, with its version. */
  readonly scanner: string;
  readonly vulnerabilities: readonly Vulnerability[];
  /** Absent where none was asked for, or it is larger than is kept. */
  readonly sbom?: Sbom;
}

export interface ScanOptions {
  readonly sbom: boolean;
}

export abstract class ImageScanner {
  /** What would look, with its version; `undefined` where there is no scanner. May fetch it first. */
  abstract available(signal: AbortSignal): Promise<string | undefined>;
  /** @param reference of an image on this node. @throws DeployError `scanner_missing`, `scan_failed` */
  abstract scan(reference: string, options: ScanOptions, signal: AbortSignal): Promise<ScanReport>;
}

/** One SBOM per deployment, for as long as its release is known. */
export abstract class Sboms {
  /** Takes the place of one that was kept before. @throws DeployError `payload_too_large` */
  abstract keep(deploymentId: string, sbom: Sbom): Promise<void>;
  abstract find(deploymentId: string): Promise<Sbom | undefined>;
}
