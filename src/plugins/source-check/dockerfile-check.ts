/** Finds mistakes in a Dockerfile before a build is started for them, and refuses build programs of strangers. */
import { DockerfileParser, From, type Instruction, Keyword, Onbuild } from 'dockerfile-ast';
import { DeployError } from '../../domain/errors.js';
import { LIMITS } from '../../domain/limits.js';

/** The parser takes a time that grows with the square of these; nobody writes as much by hand. */
const MAX_LINES = 2_000;
const MAX_LENGTH = 65_536;

export interface DockerfileProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly message: string;
}

const KNOWN: ReadonlySet<string> = new Set(Object.values(Keyword));
/** A `# syntax=` line names an image that runs as the build itself: only Docker's own may. */
const TRUSTED_SYNTAX = /^(docker\.io\/)?docker\/dockerfile(-upstream)?(:[\w.-]+)?(@sha256:[0-9a-f]{64})?$/;

/** @throws DeployError `dockerfile_invalid` with a line of evidence for each problem, such as `Dockerfile:3: …` */
export function checkDockerfile(text: string, name = 'Dockerfile'): void {
  const [first, ...more] = dockerfileProblems(text);
  if (first === undefined) return;
  const evidence = [first, ...more]
    .slice(0, LIMITS.evidence_lines)
    .map(({ line, message }) => `${name}:${line}: ${message}`);
  throw new DeployError('dockerfile_invalid', problemSentence(name, first), { evidence });
}

export const problemSentence = (name: string, { line, message }: DockerfileProblem): string =>
  `${name} is not valid: line ${line}: ${message}.`;

/** In the order of their lines; none for a Dockerfile that can be built as far as its text tells. */
export function dockerfileProblems(text: string): DockerfileProblem[] {
  const plain = text.replace(/^\uFEFF/, '');
  if (plain.length > MAX_LENGTH || plain.split('\n', MAX_LINES + 1).length > MAX_LINES) {
    return [{ line: 1, message: `it has more than ${MAX_LINES} lines or ${MAX_LENGTH} characters` }];
  }
  const instructions = DockerfileParser.parse(plain).getInstructions();
  return [...syntaxProblems(plain), ...orderProblems(instructions), ...instructions.flatMap(instructionProblems)];
}

/** Builders find the directive in more places than parsers do (below a `#!` line, for one), so all leading comments count. */
function syntaxProblems(text: string): DockerfileProblem[] {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !/^\s*(#|$)/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).flatMap((comment, index) => {
    const image = /^\s*#\s*syntax\s*=([^]*)$/i.exec(comment)?.[1]?.trim();
    if (image === undefined || TRUSTED_SYNTAX.test(image)) return [];
    return [{ line: index + 1, message: `# syntax=${image.slice(0, 100)} is not allowed, only docker/dockerfile is` }];
  });
}

function orderProblems(instructions: readonly Instruction[]): DockerfileProblem[] {
  const [first] = instructions;
  if (first === undefined) return [{ line: 1, message: 'there are no instructions' }];
  if (!KNOWN.has(first.getKeyword())) return [];
  if (!['FROM', 'ARG'].includes(first.getKeyword()))
    return [problem(first, 'the first instruction must be FROM or ARG')];
  return instructions.some((each) => each instanceof From) ? [] : [problem(first, 'there is no FROM')];
}

function instructionProblems(instruction: Instruction): DockerfileProblem[] {
  const keyword = instruction.getKeyword();
  if (!KNOWN.has(keyword)) return [problem(instruction, `unknown instruction ${keyword.slice(0, 50)}`)];
  const words = instruction.getArguments().map((argument) => argument.getValue());
  if (instruction instanceof Onbuild) {
    const trigger = words[0]?.toUpperCase() ?? '';
    return KNOWN.has(trigger)
      ? []
      : [problem(instruction, `unknown instruction ${trigger.slice(0, 50)} after ONBUILD`)];
  }
  if (!(instruction instanceof From)) return [];
  if (words.length === 0) return [problem(instruction, 'FROM needs an image')];
  const isWellFormed = words.length === 1 || (words.length === 3 && words[1]?.toUpperCase() === 'AS');
  return isWellFormed ? [] : [problem(instruction, 'FROM takes an image, or an image AS a name')];
}

const problem = (instruction: Instruction, message: string): DockerfileProblem => ({
  line: instruction.getRange().start.line + 1,
  message,
});
