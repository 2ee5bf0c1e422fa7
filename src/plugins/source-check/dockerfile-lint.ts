/** What can be built, and still should be written otherwise: one small rule per kind of finding. */
import {
  Add,
  Arg,
  Cmd,
  DockerfileParser,
  Entrypoint,
  Env,
  From,
  type Instruction,
  JSONInstruction,
  Run,
  Workdir,
} from 'dockerfile-ast';
import { looksSecret } from '../../domain/secret-patterns.js';
import type { FindingCode, Found } from './findings.js';
import { shellCommands } from './shell-commands.js';

/** Where an instruction stands. */
interface Surroundings {
  /** The instructions of its stage. */
  readonly stage: readonly Instruction[];
  readonly isLastStage: boolean;
  /** Names of the stages above. */
  readonly stagesAbove: ReadonlySet<string>;
  /** The commands that it runs, each as its words; of a RUN only. */
  readonly commands: readonly (readonly string[])[];
}

/** Answers what is wrong, in a sentence; anything else when nothing is. */
type Rule = (it: Instruction, around: Surroundings) => string | false | undefined;

const ARCHIVE = /\.(?:tar(?:\.\w+)?|t[gbx]z2?)$/i;
const URL = /^(?:https?|ftp):\/\//i;
const GIT_URL = /\.git(?:#|$)/i;
const ANSWERS_YES = /^(?:-[a-z]*y[a-z]*|--yes|--assume-yes|-qq|-q=2)$/;

const RULES: Readonly<Partial<Record<FindingCode, Rule>>> = {
  base_image_untagged: (it, { stagesAbove }) =>
    isForeignImage(it, stagesAbove) &&
    it.getImageTag() === null &&
    it.getImageDigest() === null &&
    `The base image ${it.getImage() ?? ''} has no version.`,

  base_image_latest: (it, { stagesAbove }) =>
    isForeignImage(it, stagesAbove) &&
    it.getImageTag() === 'latest' &&
    it.getImageDigest() === null &&
    `The base image ${it.getImage() ?? ''} changes over time.`,

  add_of_url: (it) =>
    it instanceof Add &&
    !it.getFlags().some((flag) => flag.getName() === 'checksum') &&
    sources(it).some((source) => URL.test(source) && !GIT_URL.test(source)) &&
    'ADD downloads a file that nothing checks.',

  add_of_files: (it) =>
    it instanceof Add &&
    sources(it).every((source) => /^[\w./-]+$/.test(source) && !ARCHIVE.test(source)) &&
    'ADD copies plain files.',

  run_cd: (_, { commands }) => commands[0]?.[0] === 'cd' && 'RUN starts with cd, which is forgotten at its end.',

  apt_get_asks: (_, { commands }) =>
    commands.some((words) => isAptGet(words, 'install') && !words.some((word) => ANSWERS_YES.test(word))) &&
    'apt-get install asks whether to go on.',

  apt_get_upgrade: (_, { commands }) =>
    commands.some((words) => isAptGet(words, 'upgrade', 'dist-upgrade', 'full-upgrade')) &&
    'apt-get upgrades all of the base image.',

  apt_lists_kept: (it, { commands }) =>
    it instanceof Run &&
    commands.some((words) => isAptGet(words, 'install')) &&
    !commands.some((words) => words[0] === 'rm' && words.some((word) => word.startsWith('/var/lib/apt'))) &&
    !it.getFlags().some((flag) => flag.getName() === 'mount' && flag.getValue()?.includes('/var/lib/apt')) &&
    'The package lists of apt-get stay in the image.',

  sudo_used: (_, { commands }) => commands.some(([program]) => program === 'sudo') && 'RUN uses sudo.',

  workdir_relative: (it) =>
    it instanceof Workdir &&
    !/^(?:["']?[/\\$]|["']?[a-z]:)/i.test(it.getArgumentsContent() ?? '/') &&
    'The path of WORKDIR is relative.',

  command_repeated: (it, { stage }) =>
    (it instanceof Cmd || it instanceof Entrypoint) &&
    stage.findLast((other) => other.getKeyword() === it.getKeyword()) !== it &&
    `This ${it.getKeyword()} is replaced by another one below.`,

  command_in_shell: (it, { isLastStage }) =>
    isLastStage &&
    (it instanceof Cmd || it instanceof Entrypoint) &&
    it.getOpeningBracket() === null &&
    it.getArguments()[0]?.getValue() !== 'exec' &&
    `${it.getKeyword()} starts the program through a shell.`,

  port_out_of_range: (it) => {
    if (it.getKeyword() !== 'EXPOSE') return undefined;
    const wrong = it.getArguments().map(String).find(isNoPort);
    return wrong !== undefined && `EXPOSE ${wrong} names no port.`;
  },

  secret_in_dockerfile: (it) => {
    if (!(it instanceof Env || it instanceof Arg)) return undefined;
    const name = it
      .getProperties()
      .find((each) => looksSecret(each.getName()) && isLiteral(each.getValue()))
      ?.getName();
    return name !== undefined && `${it.getKeyword()} ${name} has its value in the file, and in the image.`;
  },
};

/** @param name path of the Dockerfile, for the places */
export function lintDockerfile(text: string, name: string): Found[] {
  const dockerfile = DockerfileParser.parse(text.replace(/^\uFEFF/, ''));
  const escape = dockerfile.getEscapeCharacter();
  const stages = stagesOf(dockerfile.getInstructions());
  const stagesAbove = new Set<string>();
  return stages.flatMap((stage) => {
    const found = stage.flatMap((it) =>
      broken(it, { stage, isLastStage: stage === stages.at(-1), stagesAbove, commands: commandsOf(it, escape) }).map(
        ({ code, message }) => ({ code, place: `${name}:${it.getRange().start.line + 1}`, message }),
      ),
    );
    const [from] = stage;
    if (from instanceof From) stagesAbove.add(from.getBuildStage()?.toLowerCase() ?? '');
    return found;
  });
}

/** The rules that the instruction breaks. */
function broken(it: Instruction, around: Surroundings): Omit<Found, 'place'>[] {
  return Object.entries(RULES).flatMap(([code, rule]) => {
    const message = rule(it, around);
    return message === undefined || message === false ? [] : [{ code: code as FindingCode, message }];
  });
}

/** Each begins with its FROM; what stands before the first FROM is one as well. */
function stagesOf(instructions: readonly Instruction[]): Instruction[][] {
  const stages: Instruction[][] = [[]];
  for (const it of instructions) {
    if (it instanceof From) stages.push([]);
    stages.at(-1)?.push(it);
  }
  return stages;
}

/** Neither empty, nor a stage above, nor one whose name a variable decides. */
function isForeignImage(it: Instruction, stages: ReadonlySet<string>): it is From {
  const image = it instanceof From ? it.getImage() : null;
  return image !== null && image !== 'scratch' && !image.includes('$') && !stages.has(image.toLowerCase());
}

/** What COPY and ADD are told to take: all words but the last. */
function sources(it: JSONInstruction): string[] {
  return wordsOf(it).slice(0, -1);
}

function commandsOf(it: Instruction, escape: string): string[][] {
  if (!(it instanceof Run)) return [];
  if (it.getOpeningBracket() !== null) return [wordsOf(it)];
  const lines = (it.getRawArgumentsContent() ?? '').split('\n').filter((line) => !/^\s*#/.test(line));
  const text = lines.map((line) => (line.trimEnd().endsWith(escape) ? line.trimEnd().slice(0, -1) : `${line}\n`));
  return shellCommands(text.join(''));
}

const wordsOf = (it: JSONInstruction): string[] =>
  it.getOpeningBracket() === null
    ? it.getArguments().map((word) => word.getValue())
    : it.getJSONStrings().map((word) => word.getValue().slice(1, -1));

function isAptGet(words: readonly string[], ...actions: readonly string[]): boolean {
  const [program, ...more] = words[0] === 'sudo' ? words.slice(1) : words;
  const action = more.find((word) => !word.startsWith('-')) ?? '';
  return (program === 'apt-get' || program === 'apt') && actions.includes(action);
}

function isNoPort(text: string): boolean {
  if (text.includes('$')) return false;
  const [, first, last = first] = /^(\d+)(?:-(\d+))?(?:\/(?:tcp|udp|sctp))?$/i.exec(text) ?? [];
  return !(Number(first) >= 1 && Number(first) <= Number(last) && Number(last) <= 65_535);
}

const isLiteral = (value: string | null) => value !== null && value !== '' && !value.includes('$');
