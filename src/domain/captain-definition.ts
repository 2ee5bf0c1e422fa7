/** The captain-definition file, as CapRover reads it: schema version 2 and exactly one way to come to an image. */
import { pathProblem, plainPath } from './contained-path.js';
import { DeployError } from './errors.js';
import { parseImageReference } from './image-reference.js';

export type CaptainDefinition =
  | { readonly kind: 'image'; readonly image: string }
  /** `path` is plain and stays inside the folder of the definition. */
  | { readonly kind: 'dockerfile_path'; readonly path: string }
  | { readonly kind: 'dockerfile_lines'; readonly dockerfile: string };

const WAYS = ['templateId', 'imageName', 'dockerfilePath', 'dockerfileLines'] as const;

/**
 * Reads the text of a captain-definition file, or the object that a request carries. Fields that CapRover does not
 * know are passed over, as it does; a field that is null or empty counts as absent.
 *
 * @throws DeployError `definition_invalid` naming the field, `template_unsupported`
 */
export function parseCaptainDefinition(source: string | Readonly<Record<string, unknown>>): CaptainDefinition {
  const definition = typeof source === 'string' ? parseObject(source) : source;
  if (definition['schemaVersion'] !== 2) throw invalid('schemaVersion must be the number 2');

  const given = WAYS.filter((way) => !isAbsent(definition[way]));
  const [way] = given;
  if (way === undefined || given.length > 1) {
    const found = given.length > 1 ? `, not ${given.join(' and ')}` : '';
    throw invalid(`exactly one of imageName, dockerfilePath, dockerfileLines must be given${found}`);
  }
  return READERS[way](definition[way]);
}

const READERS: Readonly<Record<(typeof WAYS)[number], (value: unknown) => CaptainDefinition>> = {
  templateId: (value) => {
    const name = typeof value === 'string' ? ` (here ${JSON.stringify(value.slice(0, 100))})` : '';
    throw new DeployError('template_unsupported', `captain-definition: templateId${name} is not supported yet.`);
  },
  imageName: (value) => {
    if (typeof value !== 'string' || parseImageReference(value) === undefined) {
      throw invalid('imageName must be an image reference such as nginx:1.27');
    }
    return { kind: 'image', image: value };
  },
  dockerfilePath: (value) => {
    if (typeof value !== 'string') throw invalid('dockerfilePath must be a text');
    const problem = plainPath(value) === '' ? 'names no file' : pathProblem(value);
    if (problem !== undefined)
      throw invalid(`dockerfilePath ${problem}; it must be relative and stay inside the source`);
    return { kind: 'dockerfile_path', path: plainPath(value) };
  },
  dockerfileLines: (value) => {
    if (!Array.isArray(value) || value.length === 0 || !value.every((line) => typeof line === 'string')) {
      throw invalid('dockerfileLines must be a list of texts, at least one');
    }
    return { kind: 'dockerfile_lines', dockerfile: `${value.join('\n')}\n` };
  },
};

const isAbsent = (value: unknown) => value === undefined || value === null || value === '';

function parseObject(text: string): Record<string, unknown> {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw invalid(`it is not JSON: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalid('it must be a JSON object');
  return parsed as Record<string, unknown>;
}

const invalid = (problem: string) => new DeployError('definition_invalid', `captain-definition: ${problem}.`);
