/**
 * A stand-in for Trivy that keeps to its command line: it takes exactly the arguments that the real one is given, prints a
 * report of its schema, and ends as it does. Where the real program can be had, nothing here is needed.
 */
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const MANY = 60;

const vulnerability = (id: string, severity: string, more: Record<string, unknown> = {}) => ({
  VulnerabilityID: id,
  PkgID: 'libssl1.1@1.1.1c-r0',
  PkgName: 'libssl1.1',
  PkgIdentifier: { PURL: 'pkg:apk/alpine/libssl1.1@1.1.1c-r0?arch=x86_64&distro=3.10.2', UID: '8ca99d0ea2f4b0a3' },
  InstalledVersion: '1.1.1c-r0',
  FixedVersion: '1.1.1d-r0',
  Status: 'fixed',
  Layer: {
    Digest: 'sha256:9d48c3bd43c520dc2784e868a780e976b207cbf493eaff8c6596eb871cbd9609',
    DiffID: 'sha256:03901b4a2ea88eeaad62dbe59b072b28b6efa00491962b8741081c5df50c65e0',
  },
  SeveritySource: 'nvd',
  PrimaryURL: `https://avd.aquasec.com/nvd/${id.toLowerCase()}`,
  DataSource: { ID: 'alpine', Name: 'Alpine Secdb', URL: 'https://secdb.alpinelinux.org/' },
  Title: `openssl: ${id} in short`,
  Description: 'At length.',
  Severity: severity,
  CweIDs: ['CWE-330'],
  CVSS: { nvd: { V3Vector: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:L/I:N/A:N', V3Score: 5.3 } },
  References: ['https://example.com/advisory'],
  PublishedDate: '2019-09-10T17:15:00Z',
  LastModifiedDate: '2020-10-20T22:15:00Z',
  ...more,
});

const report = (results: unknown) => ({
  SchemaVersion: 2,
  ReportID: '017b7d41-e09f-7000-80ea-000000000001',
  CreatedAt: '2026-02-03T10:00:00.000000005Z',
  ArtifactName: 'app:1',
  ArtifactType: 'container_image',
  Metadata: {
    Size: 5_844_992,
    OS: { Family: 'alpine', Name: '3.10.2', EOSL: true },
    ImageID: 'sha256:961769676411f082461f9ef46626dd7a2d1e2b2a38e6a44364bcbecf51e66dd4',
    RepoTags: ['app:1'],
    ImageConfig: { architecture: 'amd64', os: 'linux', config: { Cmd: ['/bin/sh'] } },
  },
  ...(results !== undefined && { Results: results }),
});

export const REPORT = report([
  {
    Target: 'app:1 (alpine 3.10.2)',
    Class: 'os-pkgs',
    Type: 'alpine',
    Vulnerabilities: [
      vulnerability('CVE-2019-1549', 'MEDIUM'),
      vulnerability('CVE-2019-1551', 'MEDIUM', { FixedVersion: '1.1.1d-r2' }),
      vulnerability('CVE-2019-18276', 'LOW', {
        PkgName: 'bash',
        InstalledVersion: '5.0-4',
        FixedVersion: undefined,
        Status: 'affected',
      }),
    ],
  },
  {
    Target: 'Ruby',
    Class: 'lang-pkgs',
    Type: 'gemspec',
    Vulnerabilities: [
      vulnerability('CVE-2020-8165', 'CRITICAL', {
        PkgName: 'activesupport',
        PkgPath: 'var/lib/gems/activesupport-6.0.2.1.gemspec',
        InstalledVersion: '6.0.2.1',
        FixedVersion: '6.0.3.1, 5.2.4.3',
      }),
      vulnerability('GHSA-2p68-f74v-9wc6', 'NEGLIGIBLE', { Title: undefined, PrimaryURL: undefined }),
    ],
  },
  { Target: 'Node.js', Class: 'lang-pkgs', Type: 'node-pkg' },
]);

export const SBOM = {
  $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.6',
  serialNumber: 'urn:uuid:3ff14136-e09f-4df9-80ea-000000000001',
  version: 1,
  metadata: { component: { 'bom-ref': 'app', type: 'container', name: 'app:1' } },
  components: [{ 'bom-ref': 'pkg:apk/alpine/libssl1.1@1.1.1c-r0', type: 'library', name: 'libssl1.1' }],
};

/** What it prints, by the image that it is asked about. */
const REPORTS: Readonly<Record<string, unknown>> = {
  vulnerable: REPORT,
  clean: report([{ Target: 'app:1 (alpine 3.20.0)', Class: 'os-pkgs', Type: 'alpine' }]),
  empty: report(undefined),
  newer: { ...REPORT, SchemaVersion: 3 },
  many: report([
    {
      Target: 'app:1 (alpine 3.10.2)',
      Vulnerabilities: Array.from({ length: MANY }, (_, index) =>
        vulnerability(`CVE-2026-${1000 + index}`, index < 2 ? 'LOW' : 'HIGH'),
      ),
    },
  ]),
};

/** Any cache folder, as a pattern of the shell between quotes; then any image will do too, and is a vulnerable one. */
const ANY = '"*"';
const anyImage = (folder: string) => `[ -f "${folder}/$reference.json" ] || reference=vulnerable\n`;

/** What `hanging` hangs in, as an argument that no other process has. */
export const FOREVER = `86400.${process.pid}`;

/** The files of the stand-in, to be put into one folder. */
export function standIn(folder: string, cacheFolder: string): Readonly<Record<string, string>> {
  const options = `--image-src docker --cache-dir ${cacheFolder} --timeout 15m --`;
  const program = `#!/bin/sh
fail() { echo "FATAL	Fatal error	$1" >&2; exit 1; }
case "$*" in
  --version) printf 'Version: 0.74.0\\nVulnerability DB:\\n  Version: 2\\n'; exit 0;;
  "image --quiet --format json --scanners vuln ${options} "*) format=json;;
  "image --quiet --format cyclonedx ${options} "*) format=cyclonedx;;
  *) fail "unknown arguments: $*";;
esac
[ "$TRIVY_SKIP_VERSION_CHECK" = true ] || fail "the environment is not its own"
[ -z "$FLUKEDEPLOY_SECRET_KEY" ] || fail "it has seen the key"
[ -n "$DOCKER_HOST" ] || [ -S /var/run/docker.sock ] || fail "there is no way to the engine"
for reference do :; done
case "$reference" in
  hanging) exec sleep ${FOREVER};;
  noisy) exec yes;;
  large) [ $format = json ] || exec yes; reference=clean;;
  broken) echo '{"SchemaVersion":'; exit 0;;
  nothing) fail "unable to inspect the image ($reference)";;
esac
${cacheFolder === ANY ? anyImage(folder) : ''}if [ $format = cyclonedx ]; then cat ${folder}/sbom.json; else cat "${folder}/$reference.json"; fi
`;
  return {
    trivy: program,
    'sbom.json': JSON.stringify(SBOM),
    ...Object.fromEntries(Object.entries(REPORTS).map(([name, content]) => [`${name}.json`, JSON.stringify(content)])),
  };
}

/**
 * Answers the path of the program.
 * @param cacheFolder left out = any will do, and any image
 */
export async function installStandIn(folder: string, cacheFolder = ANY): Promise<string> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(standIn(folder, cacheFolder))) {
    await writeFile(join(folder, name), content);
  }
  await chmod(join(folder, 'trivy'), 0o755);
  return join(folder, 'trivy');
}
