/** What is not well about an image, judged from what it says of itself. Pure. */
import { parseImageReference } from '../../domain/image-reference.js';
import type { ImageDetails } from '../../domain/ports.js';
import type { PluginDeployment } from '../../plugin/index.js';
import type { PolicyFinding } from './finding-codes.js';
import { mountFindings } from './host-mounts.js';
import { secretFindings } from './image-secrets.js';

export interface Limits {
  readonly allow_root: boolean;
  readonly max_size_mb?: number | undefined;
  readonly max_growth_percent: number;
}

const MEGABYTE = 1024 * 1024;
/** https://specs.opencontainers.org/image-spec/annotations */
const BASE_NAME = 'org.opencontainers.image.base.name';
const BASE_DIGEST = 'org.opencontainers.image.base.digest';

/** @param before size of the image that serves now, where it is still known */
export function imageFindings(
  image: ImageDetails,
  deployment: Pick<PluginDeployment, 'port' | 'source' | 'volumes'>,
  limits: Limits,
  before: number | undefined,
): PolicyFinding[] {
  return [
    ...(limits.allow_root ? [] : userFindings(image)),
    ...healthcheckFindings(image),
    ...nameFindings(image, deployment.source),
    ...baseFindings(image),
    ...secretFindings(image),
    ...mountFindings(deployment.volumes),
    ...portFindings(image, deployment.port),
    ...sizeFindings(image, limits, before),
  ];
}

function userFindings({ user }: ImageDetails): PolicyFinding[] {
  const [name = ''] = user.split(':');
  if (!['', '0', 'root'].includes(name)) return [];
  return [
    {
      severity: 'warning',
      code: 'runs_as_root',
      message: name === '' ? 'The image names no user, so it runs as root.' : `The image runs as ${name}.`,
      place: 'USER',
      hint: 'End the Dockerfile with USER and a user that owns only what it must write; ports from 1024 on need no root.',
    },
  ];
}

function healthcheckFindings({ healthcheck }: ImageDetails): PolicyFinding[] {
  if (healthcheck) return [];
  return [
    {
      severity: 'warning',
      code: 'no_healthcheck',
      message: 'The image has no HEALTHCHECK: Docker cannot tell a process that hangs from one that works.',
      place: 'HEALTHCHECK',
      hint: 'Add a HEALTHCHECK to the Dockerfile. The health_check of the app looks at the rollout only.',
    },
  ];
}

/** Only what was deployed by its name can be judged by it: images that were built here have a tag of their own. */
function nameFindings(image: ImageDetails, source: string): PolicyFinding[] {
  const name = source.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, '');
  const isName = image.repo_tags.includes(name) || image.repo_tags.includes(`${name}:latest`);
  if (!isName || !isFloating(name)) return [];
  return [
    {
      severity: 'warning',
      code: 'image_tag_floating',
      message: `${source} is another image tomorrow.`,
      place: 'source',
      hint: 'Deploy a tag that names a version, or a digest.',
    },
  ];
}

/** Neither an image nor its history says which FROM it was built with; some builders leave a label. */
function baseFindings({ labels }: ImageDetails): PolicyFinding[] {
  const base = labels[BASE_NAME];
  const place = `LABEL ${BASE_NAME}`;
  if (base === undefined) {
    return [
      {
        severity: 'info',
        code: 'base_image_unknown',
        message: 'The image does not say what it is built on, so its base was not checked.',
        place,
        hint: `Set the label ${BASE_NAME} to what stands behind FROM.`,
      },
    ];
  }
  if (!isFloating(base) || labels[BASE_DIGEST] !== undefined) return [];
  return [
    {
      severity: 'warning',
      code: 'base_image_floating',
      message: `The image is built on ${base}, which is another one tomorrow.`,
      place,
      hint: 'Name a version, or a digest, behind FROM.',
    },
  ];
}

function isFloating(reference: string): boolean {
  const { tag = 'latest', digest } = parseImageReference(reference) ?? {};
  return tag === 'latest' && digest === undefined;
}

function portFindings({ exposed_ports }: ImageDetails, port: number): PolicyFinding[] {
  if (port === 0 || exposed_ports.some((exposed) => exposed.port === port && exposed.protocol === 'tcp')) return [];
  const named = exposed_ports.map((exposed) => `${exposed.port}/${exposed.protocol}`).join(', ');
  return [
    {
      severity: 'warning',
      code: 'port_not_exposed',
      message: `Requests go to port ${port}, but the image exposes ${named || 'no port'}.`,
      place: 'EXPOSE',
      hint: `Set the port of the app to what it listens on, or add EXPOSE ${port}.`,
    },
  ];
}

function sizeFindings(
  { size_bytes }: ImageDetails,
  { max_size_mb, max_growth_percent }: Limits,
  before: number | undefined,
): PolicyFinding[] {
  const findings: PolicyFinding[] = [];
  const hint = 'Build in stages and copy only what runs; a .dockerignore keeps the rest out.';
  if (max_size_mb !== undefined && size_bytes > max_size_mb * MEGABYTE) {
    findings.push({
      severity: 'error',
      code: 'image_too_large',
      message: `The image has ${megabytes(size_bytes)} MB; ${max_size_mb} MB are allowed.`,
      place: 'size',
      hint,
    });
  }
  const growth = growthPercent(size_bytes, before);
  if (growth !== undefined && growth > max_growth_percent) {
    findings.push({
      severity: 'warning',
      code: 'image_grew',
      message: `The image has ${megabytes(size_bytes)} MB, ${growth} % more than the one that serves now.`,
      place: 'size',
      hint,
    });
  }
  return findings;
}

/** In whole percent; `undefined` where there is nothing to compare with. */
export function growthPercent(bytes: number, before: number | undefined): number | undefined {
  return before ? Math.round((bytes / before - 1) * 100) : undefined;
}

function megabytes(bytes: number): string {
  return (bytes / MEGABYTE).toFixed(1);
}
