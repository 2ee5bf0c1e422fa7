import { describe, expect, it } from '@jest/globals';
import { REPORT, SBOM } from '../../../test/support/trivy.js';
import { versionOf } from './trivy-command.js';
import { readReport, readSbom } from './trivy-report.js';

const read = (report: unknown) => readReport(JSON.stringify(report));

describe("Trivy's report", () => {
  it('is read with everything that we tell of it', () => {
    const openssl = {
      severity: 'medium',
      package: 'libssl1.1',
      installed: '1.1.1c-r0',
      target: 'app:1 (alpine 3.10.2)',
    };
    expect(read(REPORT)).toEqual([
      {
        ...openssl,
        id: 'CVE-2019-1549',
        fixed: '1.1.1d-r0',
        title: 'openssl: CVE-2019-1549 in short',
        url: 'https://avd.aquasec.com/nvd/cve-2019-1549',
      },
      {
        ...openssl,
        id: 'CVE-2019-1551',
        fixed: '1.1.1d-r2',
        title: 'openssl: CVE-2019-1551 in short',
        url: 'https://avd.aquasec.com/nvd/cve-2019-1551',
      },
      {
        id: 'CVE-2019-18276',
        severity: 'low',
        package: 'bash',
        installed: '5.0-4',
        title: 'openssl: CVE-2019-18276 in short',
        url: 'https://avd.aquasec.com/nvd/cve-2019-18276',
        target: 'app:1 (alpine 3.10.2)',
      },
      {
        id: 'CVE-2020-8165',
        severity: 'critical',
        package: 'activesupport',
        installed: '6.0.2.1',
        fixed: '6.0.3.1, 5.2.4.3',
        title: 'openssl: CVE-2020-8165 in short',
        url: 'https://avd.aquasec.com/nvd/cve-2020-8165',
        target: 'var/lib/gems/activesupport-6.0.2.1.gemspec',
      },
      // A severity that nobody knows hides nothing.
      { ...openssl, id: 'GHSA-2p68-f74v-9wc6', severity: 'unknown', fixed: '1.1.1d-r0', target: 'Ruby' },
    ]);
  });

  it.each([
    ['no results', { SchemaVersion: 2 }],
    ['null for them', { SchemaVersion: 2, Results: null }],
    [
      'results without vulnerabilities',
      { SchemaVersion: 2, Results: [{ Target: 'a' }, { Target: 'b', Vulnerabilities: null }] },
    ],
  ])('may have %s', (_, report) => {
    expect(read(report)).toEqual([]);
  });

  it('has its texts cut', () => {
    const Vulnerabilities = [{ VulnerabilityID: 'CVE-1', PkgName: 'a', Severity: 'LOW', Title: 'x'.repeat(5_000) }];
    expect(read({ SchemaVersion: 2, Results: [{ Target: 'a', Vulnerabilities }] })[0]?.title).toHaveLength(300);
  });

  it.each([
    ['another schema', { ...REPORT, SchemaVersion: 3 }],
    ['the schema before', []],
    ['null', null],
    [
      'a vulnerability without id',
      { SchemaVersion: 2, Results: [{ Target: 'a', Vulnerabilities: [{ PkgName: 'a' }] }] },
    ],
  ])('is refused: %s', (_, report) => {
    expect(() => read(report)).toThrow();
  });
});

describe('an SBOM', () => {
  it('stays as it is', () => {
    const document = JSON.stringify(SBOM, null, 2);
    expect(readSbom(document)).toBe(document);
  });

  it.each(['', '{', '[]', '{"bomFormat":"SPDX","specVersion":"2"}', JSON.stringify(REPORT)])('is not %j', (text) => {
    expect(() => readSbom(text)).toThrow();
  });
});

it.each([
  ['Version: 0.74.0\nVulnerability DB:\n  Version: 2\n', '0.74.0'],
  ['Version: dev\n', 'dev'],
  ['BusyBox v1.37\n', undefined],
])('reads the version of %j', (output, version) => {
  expect(versionOf(output)).toBe(version);
});
